"""What is seen of a server on the internet, from a machine of its own: run inside a network and mount namespace.

Arguments: a directory to work in. Prints one JSON document of everything that was seen; tests judge it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from e2e.server import PROGRAM, environment
from front_door.authority import HOST, authority
from quarterdeck.fleet.edge.layout import Layout

NAME = "deck.example.test"
HOSTS = f"127.0.0.1 localhost\n127.0.0.2 {NAME} {HOST} other.example.test\n"
PASSWORD = "correct horse battery staple"
VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
WEAK = "AES128-SHA:AES256-SHA:DES-CBC3-SHA:ECDHE-RSA-AES128-SHA:RC4-SHA:NULL:aNULL:eNULL"


class Server:
    def __init__(self, place: Path, *arguments: str, **variables: str) -> None:
        self.data = place / "data"
        self.log = place / "server.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*PROGRAM, "serve", "--data-dir", str(self.data), "--port", "8700", *arguments],
                stdout=output, stderr=subprocess.STDOUT, env=environment(None, **variables),
            )  # fmt: skip
        self.until(lambda: httpx.get("http://127.0.0.1:8700/readyz", trust_env=False).status_code == 200)

    def until(self, condition, seconds: float = 120) -> float:
        began = time.monotonic()
        while True:
            with contextlib.suppress(httpx.HTTPError, OSError):
                if condition():
                    return time.monotonic() - began
            assert self.process.poll() is None, self.said()
            assert time.monotonic() - began < seconds, self.said()[-6000:]
            time.sleep(0.05)

    def said(self) -> str:
        edge = self.data / "runtime" / "edge" / "log" / "caddy.json"
        return self.log.read_text() + (edge.read_text()[-4000:] if edge.exists() else "")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def addresses(self, path: str) -> list[str]:
        """Whom the server took for the caller of a path."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line["address"] for line in lines if line.get("path") == path]


def keep_doctor(seen: dict[str, Any], found: dict[str, Any]) -> bool:
    seen["doctor"] = found
    return "certificateIssuer" in found["readiness"]["details"]


def handshake(trust: Path, version: str | None = None, ciphers: str | None = None, name: str = NAME) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=str(trust))
    context.set_alpn_protocols(["h2", "http/1.1"])
    if version is not None:
        context.set_ciphers(f"{ciphers or 'ALL'}:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = VERSIONS[version]
    try:
        plain = socket.create_connection((NAME, 443), 5)
        with plain, context.wrap_socket(plain, server_hostname=name) as made:
            return {"version": made.version(), "cipher": made.cipher()[0], "alpn": made.selected_alpn_protocol()}
    except (ssl.SSLError, OSError) as error:
        return {"refused": str(error)}


def headers(answer: httpx.Response) -> dict[str, Any]:
    return {"status": answer.status_code, "headers": dict(answer.headers), "body": answer.text[:2000],
            "cookies": answer.headers.get_list("set-cookie")}  # fmt: skip


def visit(place: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    with authority(place / "authority") as ca:
        arguments = ["--public-url", f"https://{NAME}", "--acme-directory", ca.directory]
        trust = ssl.create_default_context(cafile=str(ca.root))
        server = Server(place, *arguments, "--acme-email", "ops@example.test", SSL_CERT_FILE=str(ca.root))
        edge = Layout(server.data / "runtime" / "edge")
        try:
            with httpx.Client(base_url=f"https://{NAME}", verify=trust, trust_env=False, timeout=10) as web:
                seen["seconds"] = server.until(lambda: web.get("/healthz").status_code == 200)
                for version in VERSIONS:
                    seen[version] = handshake(ca.root, version)
                seen["weak"] = handshake(ca.root, "TLSv1.2", WEAK)
                seen["usual"] = handshake(ca.root)
                seen["stranger"] = handshake(ca.root, name="other.example.test")
                plain = httpx.Client(trust_env=False)
                seen["plain"] = headers(plain.get(f"http://{NAME}/console/?next=1"))
                seen["plain-post"] = headers(plain.post(f"http://{NAME}/api/auth/login", json={}))
                seen["other-host"] = headers(plain.get(f"http://{NAME}/", headers={"Host": "other.example.test"}))
                seen["direct-other-host"] = headers(plain.get("http://127.0.0.1:8700/", headers={"Host": "evil.test"}))
                seen["api"] = headers(web.get("/api/projects"))
                seen["root"] = headers(web.get("/", headers={"Accept": "text/html"}))
                seen["sign-in-page"] = headers(web.get("/console/sign-in"))
                body = {"email": "ada@example.test", "displayName": "Ada", "password": PASSWORD}
                first = "/api/bootstrap/auth/first-admin"
                seen["no-token"] = headers(web.post(first, json=body))
                seen["forwarded"] = headers(plain.post(f"http://127.0.0.1:8700{first}", json=body))
                token = re.search(r"Setup token for the first administrator: (\S+)", server.said())[1]
                seen["bad-token"] = headers(web.post(first, json=body, headers={"X-Setup-Token": token[:-1]}))
                seen["token"] = headers(web.post(first, json=body, headers={"X-Setup-Token": token}))
                in_browser = {"email": body["email"], "password": PASSWORD}
                seen["cookies"] = headers(web.post("/api/auth/sign-in/email", json=in_browser))["cookies"]
                spoof = {"X-Forwarded-For": "192.0.2.66", "X-Real-Ip": "192.0.2.66", "Forwarded": "for=192.0.2.66"}
                seen["sign-in"] = headers(
                    web.post("/api/auth/login", json={"email": body["email"], "password": PASSWORD}, headers=spoof)
                )
                plain.get("http://127.0.0.1:8700/api/auth/status", headers=spoof)
                asked = ("/api/auth/login", "/api/auth/status")
                server.until(lambda: all(server.addresses(path) for path in asked))  # written down after the answer
                seen["callers"] = {path: server.addresses(path) for path in asked}
                seen["socket"] = oct(edge.control_socket.stat().st_mode & 0o777)
                bearer = web.post("/api/auth/login", json={"email": body["email"], "password": PASSWORD}).json()
                told = {"Authorization": f"Bearer {bearer['access_token']}"}
                # One look of the doctor is cut short on a machine that is busy.
                server.until(lambda: keep_doctor(seen, web.get("/api/system/doctor", headers=told).json()))
                server.stop()
                seen["down"] = headers(web.get("/healthz", headers={"Accept": "application/json"}))
                server = Server(place, *arguments, "--trusted-proxy", "127.0.0.2/32", SSL_CERT_FILE=str(ca.root))
                seen["again"] = server.until(lambda: web.get("/healthz").status_code == 200)
                server.until(lambda: "192.0.2.77" in visited(trust, server))
                seen["trusted"] = server.addresses("/api/auth/setup-required")[-1]
        finally:
            if server.process.poll() is None:
                server.stop()
            subprocess.run([sys.executable, str(Path(__file__).parents[1] / "e2e" / "clearing.py"),
                            str(server.data / "runtime")], check=False)  # fmt: skip
    return seen


def visited(trust: ssl.SSLContext, server: Server) -> list[str]:
    """Whom the server takes for the caller of a request that a proxy on 127.0.0.2 forwards."""
    transport = httpx.HTTPTransport(local_address="127.0.0.2", verify=trust)
    with httpx.Client(transport=transport, base_url=f"https://{NAME}", trust_env=False) as proxy:
        proxy.get("/api/auth/setup-required", headers={"X-Forwarded-For": "192.0.2.77"})
    return server.addresses("/api/auth/setup-required")


def main() -> None:
    place = Path(sys.argv[1])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    (place / "hosts").write_text(HOSTS)
    subprocess.run(["mount", "--bind", str(place / "hosts"), "/etc/hosts"], check=True)
    os.environ.pop("SSL_CERT_FILE", None)
    sys.stdout.write(json.dumps(visit(place)))


if __name__ == "__main__":
    main()
