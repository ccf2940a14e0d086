"""Whether containers of an engine can be reached at their own addresses."""

from __future__ import annotations

import contextlib
import socket
import time

import httpx

SECONDS = 20
WEB = {
    "Image": "busybox:latest",
    "Cmd": ["httpd", "-f", "-p", "8080", "-h", "/bin"],
    "HostConfig": {"AutoRemove": False},
}


def prove(engine_socket: str) -> None:
    """Raise `RuntimeError` that says what is wrong unless a container answers at its bridge address."""
    transport = httpx.HTTPTransport(uds=engine_socket)
    with httpx.Client(transport=transport, base_url="http://docker", timeout=60, trust_env=False) as client:
        made = client.post("/containers/create", json=WEB)
        made.raise_for_status()
        container = made.json()["Id"]
        try:
            client.post(f"/containers/{container}/start").raise_for_status()
            networks = client.get(f"/containers/{container}/json").json()["NetworkSettings"]["Networks"]
            address = networks["bridge"]["IPAddress"]
            if not _answers(address):
                raise RuntimeError(
                    f"The test engine's bridge network does not work: a container at {address} does not answer within "
                    f"{SECONDS} seconds. `ip address`, `ip route` and `iptables -S` show what stands in the way; an "
                    "engine that was killed may have left bridges or rules behind."
                )
        finally:
            client.delete(f"/containers/{container}", params={"force": "true", "v": "true"})


def _answers(address: str) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((address, 8080), timeout=2) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            if connection.recv(5) == b"HTTP/":
                return True
        time.sleep(0.1)
    return False
