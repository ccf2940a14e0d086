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
