"""A small FastAPI application: says its name and version."""

import os

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

VERSION = "1"
app = FastAPI()


@app.get("/", response_class=PlainTextResponse)
def index() -> str:
    return f"fastapi {os.environ.get('VERSION', VERSION)}\n"


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}
