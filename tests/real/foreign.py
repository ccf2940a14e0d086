"""An image of another processor's kind, with a program that this machine cannot run."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import struct
import tarfile

import httpx

REFERENCE = "elsewhere:1"
KINDS = {"arm64": 183, "amd64": 62}
"""The numbers of processors in the head of a program (ELF)."""


def foreign_image(host: str) -> tuple[str, str]:
    """Give the engine such an image; answers what it is made for and its reference."""
    kind = "amd64" if platform.machine() in {"aarch64", "arm64"} else "arm64"
    transport = httpx.HTTPTransport(uds=host.removeprefix("unix://"))
    with httpx.Client(transport=transport, base_url="http://docker", timeout=60, trust_env=False) as client:
        client.post("/images/load", content=_saved(kind)).raise_for_status()
    return kind, REFERENCE


def _saved(kind: str) -> bytes:
    """As `docker save` gives it."""
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    program = head + struct.pack("<HHIQQQIHHHHHH", 2, KINDS[kind], 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    program += struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120, 120, 4096)
    layer = _tar({"run": program})
    config = {
        "architecture": kind, "os": "linux", "config": {"Cmd": ["/run"], "ExposedPorts": {"3000/tcp": {}}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}, "history": [],
    }  # fmt: skip
    manifest = [{"Config": "config.json", "RepoTags": [REFERENCE], "Layers": ["layer.tar"]}]
    files = {"config.json": config, "manifest.json": manifest}
    return _tar({"layer.tar": layer, **{name: json.dumps(content).encode() for name, content in files.items()}})


def _tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            packed.addfile(entry, io.BytesIO(content))
    return made.getvalue()
