"""GitHub, GitLab and Bitbucket on this machine, as far as they list repositories; another call is a 404 that is noted.

GitHub: `GET /user/repos` (REST 2022-11-28, `Link`). GitLab: `GET /api/v4/projects` (REST v4, `X-Next-Page`). Bitbucket:
`GET /2.0/repositories` (`next` as a whole address, whose query is opaque).
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "gho_16C7e42F292c6912E7710c838347Ae178B4a"
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class GitHosts:
    """`count` is how many repositories each has; `instead` answers every call, where it is set."""

    url: str = ""
    count: int = 3
    instead: Answer | None = None
    calls: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    next_host: str = "https://api.bitbucket.org"

    def answer(self, path: str, headers: Any) -> Answer:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.calls.append(path)
        if self.instead is not None:
            return self.instead
        if headers["authorization"] != f"Bearer {TOKEN}":
            return 401, {}, b'{"message":"Bad credentials"}'
        lister = {
            "/user/repos": self._github,
            "/api/v4/projects": self._gitlab,
            "/2.0/repositories": self._bitbucket,
        }.get(parts.path)
        if lister is None:
            self.unknown.append(path)
            return 404, {}, b"{}"
        return lister(query)

    def _rows(self, page: int) -> range:
        return range((page - 1) * 100, min(page * 100, self.count))

    def _github(self, query: dict[str, str]) -> Answer:
        assert (query["per_page"], query["sort"]) == ("100", "updated")
        page = int(query["page"])
        rows = [
            {
                "id": number, "name": f"r{number}", "full_name": f"acme/r{number}", "private": number % 2 == 0,
                "html_url": f"https://github.example/acme/r{number}", "default_branch": "main",
            }
            for number in self._rows(page)
        ]  # fmt: skip
        more = page * 100 < self.count
        link = {"Link": f'<https://elsewhere.example/user/repos?page={page + 1}>; rel="next"'} if more else {}
        return 200, link, json.dumps(rows).encode()

    def _gitlab(self, query: dict[str, str]) -> Answer:
        assert (query["membership"], query["per_page"], query["order_by"]) == ("true", "100", "updated_at")
        page = int(query["page"])
        rows = [
            {
                "id": number, "name": f"r{number}", "path_with_namespace": f"acme/r{number}",
                "web_url": f"https://gitlab.example/acme/r{number}", "default_branch": None,
                "visibility": "public" if number % 2 else "internal",
            }
            for number in self._rows(page)
        ]  # fmt: skip
        following = str(page + 1) if page * 100 < self.count else ""
        return 200, {"X-Next-Page": following}, json.dumps(rows).encode()

    def _bitbucket(self, query: dict[str, str]) -> Answer:
        assert (query["role"], query["pagelen"]) == ("member", "100")
        page = int(query.get("ctx", "1"))
        rows = [
            {
                "uuid": f"{{{number:08d}}}", "name": f"r{number}", "full_name": f"acme/r{number}",
                "is_private": number % 2 == 0, "mainbranch": {"name": "main"} if number else None,
                "links": {"html": {"href": f"https://bitbucket.example/acme/r{number}"}},
            }
            for number in self._rows(page)
        ]  # fmt: skip
        told: dict[str, Any] = {"pagelen": 100, "values": rows}
        if page * 100 < self.count:
            told["next"] = f"{self.next_host}/2.0/repositories?role=member&pagelen=100&ctx={page + 1}"
        return 200, {}, json.dumps(told).encode()


@contextlib.contextmanager
def git_hosts() -> Iterator[GitHosts]:
    found = GitHosts()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = found.answer(self.path, self.headers)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
