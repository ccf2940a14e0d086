// A small Express application: says its name and version.
const express = require("express");

const VERSION = "1";
const app = express();

app.get("/", (request, response) => response.type("text").send(`express ${process.env.VERSION || VERSION}\n`));
app.get("/health", (request, response) => response.json({ status: "ok" }));

const server = app.listen(process.env.PORT || 3000, process.env.HOST || "0.0.0.0");
process.on("SIGTERM", () => server.close(() => process.exit(0)));
