"""What callers of a server behind its edge are allowed, and what they cannot make up: run inside a network and mount
namespace. Arguments: a directory to work in. Prints one JSON document of everything that was seen; tests judge it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from front_door.visiting import NAME, PASSWORD, Server

HERE = "198.51.100.200"
CALLERS = [f"198.51.100.{number}" for number in range(1, 10)]
STRANGERS = [f"198.51.100.{number}" for number in range(10, 22)]
PROXY = "198.51.100.100"
PER_ADDRESS = 60
MOST_OPEN = 300
"""Files that the server may have open: half as many connections may keep it waiting, wherever they come from."""
ENOUGH = 400


@contextlib.contextmanager
def caller(address: str) -> Iterator[httpx.Client]:
    """Somebody who calls the public address from an address of his own."""
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(transport=transport, base_url=f"http://{NAME}", trust_env=False, timeout=60) as made:
        yield made


def allowed(ask: Callable[[int], httpx.Response]) -> int | None:
    """How many requests are answered before one is refused for their number; None when none is."""
    return next((number for number in range(ENOUGH) if ask(number).status_code == 429), None)


def looks(address: str, forwarded: Callable[[int], str]) -> int | None:
    with caller(address) as one:
        return allowed(lambda number: one.get("/api/version", headers={"X-Forwarded-For": forwarded(number)}))


def look(address: str, forwarded: str | None = None) -> int:
    with caller(address) as one:
        return one.get("/api/version", headers={"X-Forwarded-For": forwarded} if forwarded else {}).status_code


def guesses(address: str) -> int | None:
    """Tries to sign in, each said to be from somewhere else."""

    def guess(number: int) -> httpx.Response:
        said = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-Ip": f"203.0.113.{number}"}
        body = {"email": f"ada{number}@example.test", "password": PASSWORD}
        return one.post("/api/auth/sign-in/email", json=body, headers=said)

    with caller(address) as one:
        return allowed(guess)


def bearers(address: str) -> int | None:
    def guess(number: int) -> httpx.Response:
        said = {"X-Forwarded-For": f"203.0.113.{number}", "Authorization": f"Bearer guess-{number}"}
        return one.get("/api/projects", headers=said)

    with caller(address) as one:
        return allowed(guess)


@contextlib.contextmanager
def dripping(addresses: list[str]) -> Iterator[None]:
    """Fifteen requests of each, through the edge, whose bodies have only begun: as many as one address may try."""
    head = f"POST /api/auth/setup HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\nContent-Length: 5000"
    with contextlib.ExitStack() as after:
        for address in addresses * 15:
            one = after.enter_context(socket.create_connection((HERE, 80), 10, (address, 0)))
            one.sendall(f"{head}\r\n\r\n{{".encode())
        yield


def drip(server: Server) -> dict[str, Any]:
    """Fewer than all together may, then more. Those that the server sends away wait at the edge for their own bodies'
    ends, so it is the server that tells of them.
    """
    seen: dict[str, Any] = {}
    with dripping(STRANGERS[:8]):
        seen["served"] = look(CALLERS[6])
        seen["some"] = server.said().count('"reason": "too many"')
        with dripping(STRANGERS[8:]):
            with contextlib.suppress(AssertionError):
                server.until(lambda: server.said().count('"reason": "too many"') >= 30, 15)
            seen["many"] = server.said().count('"reason": "too many"')
            seen["still"] = look(CALLERS[6])
    seen["failures"] = server.said().count("request_failed")
    return seen


def visit(place: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    arguments = ["--public-url", f"https://{NAME}", "--tls", "off", "--trusted-proxy", f"{PROXY}/32"]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_OPEN, hard))
    server = Server(place, *arguments, QUARTERDECK_REQUESTS_PER_ADDRESS=str(PER_ADDRESS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1024), hard))
    try:
        server.until(lambda: look(CALLERS[8]) == 200)
        seen["own"] = looks(CALLERS[0], lambda number: f"203.0.113.{number % 250}")
        seen["neighbour"] = look(CALLERS[1])
        seen["framing"] = looks(CALLERS[2], lambda _: CALLERS[1])
        seen["framed"] = look(CALLERS[1])
        seen["as-local"] = looks(CALLERS[3], lambda _: "127.0.0.1")
        seen["through-proxy"] = looks(PROXY, lambda number: f"203.0.113.{number % 250}, 192.0.2.1")
        seen["the-same-direct"] = looks("192.0.2.1", lambda number: f"203.0.113.{number % 250}")
        seen["another-through-proxy"] = look(PROXY, "192.0.2.2")
        seen["guesses"], seen["bearers"] = guesses(CALLERS[4]), bearers(CALLERS[5])
        seen["addresses"] = sorted(set(server.addresses("/api/version")))
        seen |= drip(server)
    finally:
        server.stop()
        subprocess.run([sys.executable, str(Path(__file__).parents[1] / "e2e" / "clearing.py"),
                        str(server.data / "runtime")], check=False)  # fmt: skip
    return seen


def main() -> None:
    place = Path(sys.argv[1])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (HERE, PROXY, "192.0.2.1", *CALLERS, *STRANGERS):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    (place / "hosts").write_text(f"127.0.0.1 localhost\n{HERE} {NAME}\n")
    subprocess.run(["mount", "--bind", str(place / "hosts"), "/etc/hosts"], check=True)
    os.environ.pop("SSL_CERT_FILE", None)
    sys.stdout.write(json.dumps(visit(place)))


if __name__ == "__main__":
    main()
