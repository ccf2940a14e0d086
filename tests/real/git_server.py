"""A real git server over HTTP: `git http-backend` behind a small threaded server on a loopback port.

with git_server(directory, username="ada", password="pw") as url:
    ...  # url is http://127.0.0.1:PORT; repositories are <directory>/NAME(.git)
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

CLEAN = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.test",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.test",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
}


def git(directory: Path, *arguments: str) -> str:
    """Run git as a developer with no configuration would, and answer its output."""
    environment = {"PATH": os.environ["PATH"]} | CLEAN
    command = ["git", "-c", "protocol.file.allow=always", "-c", "safe.directory=*", *arguments]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def repository(directory: Path, files: dict[str, str], *, message: str = "Begin") -> str:
    """Make a repository with a branch `main` and one commit of `files`; answers the commit."""
    directory.mkdir(parents=True, exist_ok=True)
    git(directory, "init", "--quiet", "--initial-branch=main")
    return commit(directory, files, message=message)


def commit(directory: Path, files: dict[str, str], *, message: str) -> str:
    """Write `files` and commit everything; answers the commit."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(directory, "rev-parse", "HEAD")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GitServer

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, body: bytes) -> None:
        settings = self.server
        parts = urlsplit(self.path)
        settings.requests.append((self.command, self.path, self.headers.get("Authorization")))
        if settings.hang and settings.hang in self.path:
            settings.released.wait()
            self.close_connection = True
            return
        if settings.redirect:
            self._plain(302, {"Location": settings.redirect + self.path})
            return
        if not settings.permits(self.headers.get("Authorization")):
            self._plain(401, {"WWW-Authenticate": 'Basic realm="git"'})
            return
        environment = CLEAN | {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(settings.directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
            # The served directory may belong to another user than the server's.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        if settings.version2 and (version := self.headers.get("Git-Protocol")):
            environment["GIT_PROTOCOL"] = version
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0])
        self._plain(status, headers, content)

    def _plain(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        step = 65_536
        for at in range(0, len(content), step):
            self.wfile.write(content[at : at + step])
            self.server.sent += len(content[at : at + step])
            if self.server.bytes_per_second:
                self.wfile.flush()
                if self.server.released.wait(step / self.server.bytes_per_second):
                    self.close_connection = True
                    return

    def log_message(self, *arguments: object) -> None:
        pass


class GitServer(ThreadingHTTPServer):
    """The server behind `git_server`; `requests` holds (method, path, Authorization) of everything asked."""

    daemon_threads = True

    def __init__(self, directory: Path, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Handler)
        self.directory = directory
        self.username: str | None = None
        self.password: str | None = None
        self.version2 = True
        self.hang: str | None = None
        self.redirect: str | None = None
        self.bytes_per_second = 0
        self.sent = 0
        self.released = threading.Event()
        self.requests: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def permits(self, authorization: str | None) -> bool:
        if self.password is None:
            return True
        wanted = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return hmac.compare_digest(authorization or "", f"Basic {wanted}")

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that was killed in the middle is what some tests are about.
        pass


@contextlib.contextmanager
def running(
    directory: Path,
    username: str | None = None,
    password: str | None = None,
    *,
    version2: bool = True,
    hang: str | None = None,
    redirect: str | None = None,
    bytes_per_second: int = 0,
    host: str = "127.0.0.1",
) -> Iterator[GitServer]:
    """Like `git_server`, answering the server itself.

    `version2=False` speaks the old protocol, which refuses objects that no ref names. `hang` never answers a path
    that contains it. `redirect` sends every request on to another server. `bytes_per_second` answers slowly. `host` is
    the address that it listens on.
    """
    server = GitServer(directory, host)
    server.username, server.password = username, password
    server.version2, server.hang, server.redirect = version2, hang, redirect
    server.bytes_per_second = bytes_per_second
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def git_server(directory: Path, username: str | None = None, password: str | None = None) -> Iterator[str]:
    """Serve the repositories in `directory`; answers the base URL."""
    with running(directory, username, password) as server:
        yield server.url
