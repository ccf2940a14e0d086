"""What is seen of a server on the internet whose certificate authority goes away and comes back: run inside a network
and mount namespace. Arguments: a directory to work in. Prints one JSON document of everything that was seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from front_door.authority import HOST, authority
from front_door.visiting import NAME, PASSWORD, Server, handshake
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.process import decode_identity
from quarterdeck.fleet.edge.routes import ProxyRoute, TlsMode

SHOP, LATE, PLAIN = "shop.example.test", "late.example.test", "plain.example.test"
HOSTS = f"127.0.0.1 localhost\n127.0.0.2 {NAME} {HOST} {SHOP} {LATE} {PLAIN}\n"
RETRY_SECONDS = 100
"""Caddy asks again a minute after the first refusal."""


class Application(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"an application")

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def application() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


async def put(root: Path, upstream: str, name: str, tls: TlsMode) -> None:
    """As a worker of the same machine does it, which has no options of its own."""
    async with Edge(root) as edge:
        route = ProxyRoute(id=name.split(".", maxsplit=1)[0], hostnames=(name,), tls=tls)
        await edge.put_route(route)
        await edge.switch(route.id, upstream)


def doctor(web: httpx.Client, told: dict[str, str]) -> list[str]:
    details = web.get("/api/system/doctor", headers=told).json()["readiness"]["details"]
    return [text for key, text in details.items() if key.startswith("problem") and "certificate" in text]


def signed_in(web: httpx.Client, server: Server) -> dict[str, str]:
    found = re.search(r"Setup token for the first administrator: (\S+)", server.said())
    assert found is not None
    ada = {"username": "ada", "password": PASSWORD}
    answer = web.post("/api/auth/setup", json=ada, headers={"X-Setup-Token": found[1]}).raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def kill_edge(root: Path) -> None:
    identity = decode_identity((root / "edge" / "caddy.pid").read_bytes())
    assert identity is not None
    subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(identity.pid)], check=True)


def visit(place: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(application())
        ca = stack.enter_context(contextlib.ExitStack())
        there = ca.enter_context(authority(place / "authority"))
        arguments = ["--public-url", f"https://{NAME}", "--acme-directory", there.directory]
        server = Server(place, *arguments, SSL_CERT_FILE=str(there.root))
        root = server.data / "runtime"
        try:
            trust = ssl.create_default_context(cafile=str(there.root))
            web = stack.enter_context(httpx.Client(base_url=f"https://{NAME}", verify=trust, trust_env=False))

            def answers(address: str) -> str | int:
                # A connection of its own each time: what is shown now matters.
                with httpx.Client(verify=trust, trust_env=False) as client:
                    answer = client.get(address)
                return answer.text if answer.status_code == 200 else answer.status_code

            server.until(lambda: web.get("/healthz").status_code == 200)
            asyncio.run(put(root, upstream, SHOP, "auto"))
            server.until(lambda: answers(f"https://{SHOP}/") == "an application")
            told = signed_in(web, server)

            ca.close()
            asyncio.run(put(root, upstream, LATE, "auto"))
            asyncio.run(put(root, upstream, PLAIN, "disabled"))
            began = time.monotonic()
            server.until(lambda: any(LATE in text and "does not answer" in text for text in doctor(web, told)))
            kill_edge(root)
            server.until(lambda: web.get("/healthz").status_code == 200)
            seen["meanwhile"] = {
                "server": web.get("/healthz").status_code,
                "application": answers(f"https://{SHOP}/"),
                "without TLS": answers(f"http://{PLAIN}/"),
                "late": handshake(there.root, name=LATE),
            }
            server.until(lambda: any(LATE in text and "does not answer" in text for text in doctor(web, told)))
            seen["doctor"] = doctor(web, told)
            server.until(lambda: "certificate_lacking" in server.log.read_text())
            seen["log"] = [line for line in server.log.read_text().splitlines() if "certificate_lacking" in line]

            ca.enter_context(authority(place / "authority"))
            server.until(lambda: answers(f"https://{LATE}/") == "an application", RETRY_SECONDS)
            seen["seconds"] = time.monotonic() - began
            server.until(lambda: not doctor(web, told))
            server.until(lambda: "certificate_there" in server.log.read_text())
            seen["afterwards"] = answers(f"https://{LATE}/")
        finally:
            if server.process.poll() is None:
                server.stop()
            clearing = Path(__file__).parents[1] / "e2e" / "clearing.py"
            subprocess.run([sys.executable, str(clearing), str(root)], check=False)
    return seen


def main() -> None:
    place = Path(sys.argv[1])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    (place / "hosts").write_text(HOSTS)
    subprocess.run(["mount", "--bind", str(place / "hosts"), "/etc/hosts"], check=True)
    sys.stdout.write(json.dumps(visit(place)))


if __name__ == "__main__":
    main()
