// Pages of brokered secrets: values that are shown once, a key that never leaves this browser, and rows of values.
const INFO = new TextEncoder().encode("secrets-bridge.wrap.v1"), SHOWN = 60, KEYS = "sealing-keys";
const bytes = text => Uint8Array.from(atob(text), mark => mark.charCodeAt(0));
const base64 = data => btoa(String.fromCharCode(...new Uint8Array(data)));
const both = (one, other) => { const made = new Uint8Array(one.length + other.length); made.set(one); made.set(other, one.length); return made; };
const tell = text => { $("p[data-say]").textContent = text; };

// Private keys lie in this browser's own store, and are such that no script can read them.
const store = () => new Promise((done, failed) => {
  const asked = indexedDB.open("quarterdeck", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(KEYS, { keyPath: "public" });
  asked.onsuccess = () => done(asked.result);
  asked.onerror = () => failed(asked.error);
});
const within = async (mode, deed) => {
  const db = await store();
  try {
    return await new Promise((done, failed) => {
      const unit = db.transaction(KEYS, mode), asked = deed(unit.objectStore(KEYS));
      unit.oncomplete = () => done(asked.result);
      unit.onerror = unit.onabort = () => failed(unit.error);
    });
  } finally { db.close(); }
};
const kept = key => within("readonly", box => box.get(key));
const sealingKey = async () => {
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
  const key = base64(await crypto.subtle.exportKey("raw", pair.publicKey));
  await within("readwrite", box => box.put({ public: key, private: pair.privateKey, made: Date.now() }));
  return key;
};

// What only this browser opens (X25519, HKDF-SHA256, AES-256-GCM).
const opened = async (text, mine) => {
  const sealed = JSON.parse(text), ephemeral = bytes(sealed.ephemeral_public_key);
  const theirs = await crypto.subtle.importKey("raw", ephemeral, { name: "X25519" }, false, []);
  const agreed = await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, mine.private, 256);
  const drawn = await crypto.subtle.importKey("raw", agreed, "HKDF", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: both(ephemeral, bytes(mine.public)), info: INFO },
    drawn, { name: "AES-GCM", length: 256 }, false, ["decrypt"],
  );
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(sealed.nonce) }, key, bytes(sealed.ciphertext));
  try { return [new TextDecoder("utf-8", { fatal: true }).decode(plain), "text"]; } catch { return [base64(plain), "base64"]; }
};

const box = $("[data-revealed]");
const piece = (name, words, text) => { const el = document.createElement(name); el.className = words; el.textContent = text; return el; };
const note = (title, text) => {
  const el = piece("div", "note t-bad", ""), said = document.createElement("div"), head = document.createElement("p");
  el.setAttribute("role", "alert");
  el.innerHTML = '<svg class="i" viewBox="0 0 16 16" aria-hidden="true"><use href="#s-bad"/></svg>';
  head.append(piece("b", "", title));
  said.append(head, piece("p", "", text));
  el.append(said);
  box.append(el);
};
const show = (key, value, encoding) => {
  const card = piece("section", "card tone t-good", ""), head = document.createElement("header"), body = piece("div", "card-body stack", "");
  const left = piece("span", "push dim small nowrap", `gone in ${SHOWN} s`), out = piece("output", "", value), acts = piece("div", "row wrap", "");
  const copy = piece("button", "btn sm", "Copy"), gone = piece("button", "btn sm", "Remove now");
  card.setAttribute("aria-label", `Value of ${key}`);
  out.tabIndex = 0;
  out.setAttribute("aria-label", key);
  copy.type = gone.type = "button";
  head.append(piece("h2", "", key), left);
  acts.append(copy, gone);
  if (encoding === "base64") body.append(piece("p", "dim small", "It is no text, so it stands here in base64."));
  body.append(out, acts);
  card.append(head, body);
  box.append(card);
  out.focus();
  let rest = SHOWN;
  const clear = () => { out.textContent = ""; value = ""; card.remove(); clearInterval(ticking); removeEventListener("pagehide", clear); };
  const ticking = setInterval(() => { rest -= 1; left.textContent = `gone in ${rest} s`; if (rest <= 0) clear(); }, 1000);
  addEventListener("pagehide", clear);
  gone.addEventListener("click", clear);
  copy.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(out.textContent); toast("Copied. Your clipboard keeps it until you copy something else.", "warn"); } catch { toast("Copying is blocked here. Select the text and copy it.", "warn"); }
  });
};

on("click", "[data-reveal]", async (e, t) => {
  if (t.getAttribute("aria-busy") === "true") return;
  $$(".note", box).forEach(one => one.remove());
  let mine = null;
  if (t.dataset.sealed) {
    try { mine = await kept(t.dataset.sealed); } catch { mine = null; }
    if (!mine) return note("This browser has no key for it.", "Open it in the browser that you asked with. Nothing was given out.");
  }
  t.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(t.dataset.reveal, { method: "POST", headers: { "X-Console-Reveal": "1", "HX-Request": "true" }, cache: "no-store" });
    if (answer.status === 401) return location.reload();
    const said = await answer.json();
    if (!answer.ok) {
      if (answer.status === 410) used(t);
      return note(said.error, said.hint);
    }
    used(t);
    const [value, encoding] = said.sealed ? await opened(said.value, mine) : [said.value, said.encoding];
    show(said.key, value, encoding);
  } catch { note("The value could not be shown.", "It may be given out already. Look at the timeline, and ask again if you need it."); } finally { t.removeAttribute("aria-busy"); }
});
const used = t => {
  const told = $(".faint.small", t.closest(".sealed"));
  if (told) told.textContent = "Given out";
  t.remove();
};

// "Seal to this browser" makes the key when it is switched on.
const seal = $("[data-seal]");
if (seal) {
  const recipient = $("[name=recipient]", seal.form), why = $("#f-seal-h");
  const off = text => { seal.checked = false; seal.disabled = true; recipient.value = ""; why.textContent = text; };
  if (!window.crypto?.subtle || !window.indexedDB) off("This browser can make no key here. It needs https, or a page of this machine.");
  seal.addEventListener("change", async () => {
    recipient.value = "";
    if (!seal.checked) return;
    try { recipient.value = await sealingKey(); tell("A key was made in this browser."); } catch { off("This browser cannot make such a key."); }
  });
  // A form that is sent while the key is still being made would ask without it.
  document.addEventListener("submit", e => {
    if (e.target !== seal.form || !seal.checked || recipient.value) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    tell("The key is being made. Press again in a moment.");
  }, true);
}

// What would happen, beside the form: values stay where they were typed, and are not sent.
on("click", "[data-try]", async (e, t) => {
  e.preventDefault();
  const said = new FormData(t.form);
  said.delete("value");
  t.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(t.getAttribute("formaction"), { method: "POST", headers: doorway, body: new URLSearchParams(said) });
    if (answer.status === 401) return location.reload();
    $("#would").innerHTML = await answer.text();
  } catch { toast("The server did not answer.", "bad"); } finally { t.removeAttribute("aria-busy"); }
});

// One more row; its labels and fields get numbers of their own.
on("click", "[data-add-value]", (e, t) => {
  const rows = $$("[data-value-row]"), made = rows.at(-1).cloneNode(true), number = rows.length + 1;
  if (number > 100) return;
  for (const field of $$("input, textarea", made)) {
    const name = field.name === "key" ? `f-key-${number}` : `f-value-${number}`;
    field.previousElementSibling.htmlFor = field.id = name;
    field.value = "";
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  rows.at(-1).after(made);
  $("input", made).focus();
});
