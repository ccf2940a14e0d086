const VERSION = "1";

document.querySelector("#name").textContent = `vite ${import.meta.env.VITE_VERSION ?? VERSION}`;
