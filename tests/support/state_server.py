"""A server for Terraform's `http` backend, and for saved plans, as a runner meets it: state with a lock, HTTP Basic.

with state_server() as server:
    place = server.place("job-uid")
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from quarterdeck.infra.execution.orders import Place


@dataclass
class StateServer:
    """One state, whichever job asks. The locks of jobs that are `robbed` were taken away. `answer` may answer a request
    in the place of the server, with a status: it is called on the thread of the request, and may hold that up.
    """

    url: str = ""
    state: bytes | None = None
    lock: dict[str, Any] | None = None
    artefacts: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)
    robbed: set[str] = field(default_factory=set)
    answer: Callable[[str, str], int | None] = lambda method, path: None
    mutex: threading.Lock = field(default_factory=threading.Lock)

    def place(self, job: str) -> Place:
        password = self.passwords.setdefault(job, f"password-of-{job}")
        return Place(path=f"/api/jobs/{job}", username=job, password=password)

    @property
    def known(self) -> dict[str, Any]:
        """The state as a document."""
        return json.loads(self.state or b"{}")

    def resources(self) -> list[str]:
        return sorted(
            f"{one['type']}.{one['name']}{'' if item.get('index_key') is None else [item['index_key']]}"
            for one in self.known.get("resources", [])
            for item in one["instances"]
        )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: ClassVar[StateServer]

    def log_message(self, *arguments: object) -> None:
        pass

    def _send(self, status: int, body: bytes = b"", kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _handle(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        at = urlsplit(self.path)
        _, _, _, job, rest = at.path.split("/", 4)
        server = self.server_state
        server.requests.append((self.command, at.path))
        instead = server.answer(self.command, at.path)
        if instead is not None:
            self._send(instead)
            return
        with server.mutex:
            expected = base64.b64encode(f"{self._credential_of(job)}".encode()).decode()
            if self.headers.get("Authorization") not in {f"Basic {one}" for one in self._allowed(rest, expected)}:
                server.refused.append(at.path)
                self._send(401)
                return
            self._answer(job, rest, body, parse_qs(at.query).get("ID", [""])[0])

    def _credential_of(self, job: str) -> str:
        return f"{job}:{self.server_state.passwords.get(job, '')}"

    def _allowed(self, rest: str, own: str) -> set[str]:
        """A saved plan is read with the credential of the job that applies it."""
        if rest == "plan-artifact" and self.command == "GET":
            server = self.server_state
            return {base64.b64encode(f"{job}:{word}".encode()).decode() for job, word in server.passwords.items()}
        return {own}

    def _answer(self, job: str, rest: str, body: bytes, lock: str) -> None:
        server = self.server_state
        if job in server.robbed and (self.command, rest) != ("GET", "state") and rest.startswith("state"):
            self._send(409, json.dumps({"ID": "state_lock_lost", "code": "state_lock_lost"}).encode())
            return
        match self.command, rest:
            case "GET", "state":
                self._send(200, server.state) if server.state else self._send(404)
            case "POST", "state":
                if server.lock is None or server.lock["ID"] != lock:
                    self._send(409)
                    return
                server.state = body
                self._send(200)
            case "POST", "state/lock":
                if server.lock is not None:
                    self._send(423, json.dumps(server.lock).encode())
                    return
                server.lock = json.loads(body)
                server.held.append(server.lock["Operation"])
                self._send(200)
            case "DELETE", "state/lock":
                server.lock = None
                self._send(200)
            case "POST", "plan-artifact":
                server.artefacts[job] = body
                self._send(201, json.dumps({"key": f"{job}/terraform.plan.out"}).encode())
            case "GET", "plan-artifact" if job in server.artefacts:
                self._send(200, server.artefacts[job], "application/octet-stream")
            case _:
                self._send(404)

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - the names that the standard library calls


@contextlib.contextmanager
def state_server() -> Iterator[StateServer]:
    state = StateServer()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), type("OfThisTest", (Handler,), {"server_state": state}))
    listening.daemon_threads = True
    state.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join(5)
