"""A certificate authority that speaks ACME, on loopback: the bundled Caddy with an authority of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.fleet.edge.program import caddy_program

HOST, PORT = "ca.example.test", 9443


@dataclass(frozen=True)
class Authority:
    directory: str
    root: Path
    """The certificate that clients have to trust."""


@contextlib.contextmanager
def authority(place: Path) -> Iterator[Authority]:
    """Runs as long as the block; one of the same place is the same authority again."""
    place.mkdir(parents=True, exist_ok=True)
    configuration = {
        "admin": {"disabled": True},
        "storage": {"module": "file_system", "root": str(place / "storage")},
        "apps": {
            "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
            "tls": {"automation": {"policies": [{"subjects": [HOST], "issuers": [{"module": "internal"}]}]}},
            "http": {
                "http_port": 9080,
                "https_port": PORT,
                "servers": {
                    "acme": {
                        "listen": [f"127.0.0.2:{PORT}"],
                        "automatic_https": {"disable_redirects": True},
                        "routes": [{"match": [{"host": [HOST]}], "handle": [{"handler": "acme_server"}]}],
                    }
                },
            },
        },
    }
    file = place / "caddy.json"
    file.write_text(json.dumps(configuration))
    with (place / "log").open("ab") as log:
        process = subprocess.Popen(
            [caddy_program(), "run", "--config", file],
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(place), "XDG_CONFIG_HOME": str(place), "XDG_DATA_HOME": str(place)},
        )
    root = place / "storage" / "pki" / "authorities" / "local" / "root.crt"
    try:
        deadline = time.monotonic() + 20
        while not root.exists():
            assert process.poll() is None, (place / "log").read_text()
            assert time.monotonic() < deadline, (place / "log").read_text()
            time.sleep(0.05)
        yield Authority(f"https://{HOST}:{PORT}/acme/local/directory", root)
    finally:
        process.terminate()
        process.wait(20)
