"""A small Flask application: says its name and version."""

import os

from flask import Flask

VERSION = "1"
app = Flask(__name__)


@app.get("/")
def index() -> str:
    return f"flask {os.environ.get('VERSION', VERSION)}\n"


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=int(os.environ.get("PORT", "3000")))
