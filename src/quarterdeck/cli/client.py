"""The HTTP API as this program calls it: credentials, errors in our own words, plans instead of changes."""

from __future__ import annotations

import os
import platform
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from quarterdeck import __version__
from quarterdeck.cli import profiles
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.operations import address

if TYPE_CHECKING:
    from quarterdeck.cli.profiles import Profile

EXITS = {
    400: Exit.USAGE,
    401: Exit.NOT_SIGNED_IN,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    409: Exit.CONFLICT,
    413: Exit.USAGE,
    422: Exit.USAGE,
    503: Exit.UNREACHABLE,
    504: Exit.TIMED_OUT,
}
PATIENCE = 30.0
"""Seconds for an answer."""
UNKNOWN_CALLER = frozenset({"product_auth_missing", "product_auth_invalid", "http_401"})
PASSED_ON = frozenset({"git_host_refused"})
"""Refusals of another program that this server tells with the status that it got there."""
UNTRUSTED = "its certificate is not trusted"
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
AGENT = f"quarterdeck-cli/{__version__} ({platform.system().lower()})"


class Api:
    """Calls to one server. With `plan` set, changes are collected there and not sent."""

    def __init__(self, profile: Profile, *, name: str | None = None, planning: bool = False) -> None:
        self.profile = profile
        self.name = name
        self.planning = planning
        self.plan: list[dict[str, Any]] = []
        self._http = httpx.Client(
            base_url=profile.url,
            headers={"user-agent": AGENT, "accept": "application/json"},
            timeout=httpx.Timeout(PATIENCE, connect=10.0),
            trust_env=not loopback(profile.url),
            verify=trusted(profile),
        )

    def close(self) -> None:
        self._http.close()

    def read(self, key: str, /, query: dict[str, Any] | None = None, **parameters: str) -> Any:
        """Ask a question. Absent values (None) of the query are left out."""
        method, path = address(key, parameters)
        return self.call(method, path, query=query)

    def items(self, key: str, /, query: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The newest 500 of a list."""
        found: list[dict[str, Any]] = self.read(key, {"limit": 500, **(query or {})})["items"]
        return found

    def every(self, key: str, /, query: dict[str, Any] | None = None, **parameters: str) -> list[dict[str, Any]]:
        """A whole list, page by page."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.read(key, {**(query or {}), "cursor": cursor}, **parameters)
            rows += page["items"]
            cursor = page.get("nextCursor")
            if cursor is None:
                return rows

    def pages(self, key: str, /, query: dict[str, Any], limit: int, **parameters: str) -> list[dict[str, Any]]:
        """The first `limit` rows of a list of the tasks surface, at most 100 at a time."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(rows) < limit:
            asked = {**query, "limit": min(limit - len(rows), 100), "cursor": cursor}
            page = self.read(key, asked, **parameters)
            rows += page["items"]
            cursor = page.get("nextCursor")
            if cursor is None:
                break
        return rows

    def change(self, key: str, /, body: dict[str, Any] | None = None, *, what: str = "", **parameters: str) -> Any:
        """Change something. While planning nothing is sent, and the answer's id says what would have got one."""
        method, path = address(key, parameters)
        if self.planning:
            self.plan.append({"operation": key, "method": method, "path": path, "body": body or {}})
            return {"id": f"<{what or 'new'}>"}
        return self.call(method, path, body=body or {})

    def ours(self, operation: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """As `change`, for a route beside the contract."""
        if self.planning:
            self.plan.append({"operation": operation, "method": method, "path": path, "body": body or {}})
            return None
        return self.call(method, path, body=body)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        document: str | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = PATIENCE,
    ) -> Any:
        """One request, once more after the credential was renewed; `document` is a body that goes on as it is written.
        Raises `Failure`.
        """
        response = self._send(method, path, query, body, document, headers, seconds)
        if response.status_code == 401 and failure_of(response).code not in PASSED_ON and self._renew():
            response = self._send(method, path, query, body, document, headers, seconds)
        if response.status_code >= 300:
            raise failure_of(response)
        if response.status_code == 204 or not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise not_ours(self.profile.url) from None

    @contextmanager
    def stream(self, path: str, query: dict[str, Any], headers: dict[str, str]) -> Iterator[httpx.Response]:
        """An open answer. Raises `Failure` when it is refused; connection errors of its body go to the caller."""
        for attempt in (1, 2):
            with self._reaching():
                request = self._http.build_request(
                    "GET",
                    path,
                    params=given(query),
                    headers={"accept": "text/event-stream", **headers, **self._authorization()},
                    timeout=httpx.Timeout(30.0, connect=10.0),
                )
                response = self._http.send(request, stream=True)
            try:
                if response.status_code == 401 and attempt == 1 and self._renew():
                    continue
                if response.status_code >= 300:
                    response.read()
                    raise failure_of(response)
                yield response
            finally:
                response.close()
            return

    def _authorization(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.profile.token}"} if self.profile.token else {}

    def _send(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None,
        body: dict[str, Any] | None,
        document: str | None = None,
        more: dict[str, str] | None = None,
        seconds: float = PATIENCE,
    ) -> httpx.Response:
        with self._reaching():
            params = given(query) if query else None  # an empty one would take away the query of the path
            headers = {**(more or {}), **self._authorization()}
            within = httpx.Timeout(seconds, connect=10.0)
            if document is not None:
                headers["content-type"] = "application/json"
                content = document.encode()
                return self._http.request(method, path, params=params, content=content, headers=headers, timeout=within)
            return self._http.request(method, path, params=params, json=body, headers=headers, timeout=within)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise Failure(
                f"{self.profile.url} does not answer in time.",
                exit=Exit.UNREACHABLE,
                code="server_timeout",
                hint="It may be busy, and what was asked for may have been done: look before you ask again.",
            ) from None
        except httpx.TransportError as error:
            raise Failure(
                f"{self.profile.url} cannot be reached ({reason(error)}).",
                exit=Exit.UNREACHABLE,
                code="server_unreachable",
                hint="Where the server signs it itself (--tls internal), copy the root certificate that it names when "
                f"it starts, and say once where it is: qd login {self.profile.url} --ca root.crt"
                if reason(error) == UNTRUSTED
                else f"Check the address, and that the server runs there{self._start()}.",
            ) from None

    def _start(self) -> str:
        """How a server of this machine is started again."""
        here = httpx.URL(self.profile.url)
        if here.host not in {"127.0.0.1", "localhost", "::1"}:
            return ""
        return f": quarterdeck serve --port {here.port or 80}, or script/demo where it was the demo"

    def _renew(self) -> bool:
        """Exchange the refresh token, once for all processes of this person. False when there is none."""
        if self.name is None or not (self.profile.refresh or self.profile.renewal):
            return False
        with profiles.changing() as store:
            saved = store.profiles.get(self.name)
            if saved is None or not (saved.refresh or saved.renewal) or saved.url != self.profile.url:
                return False
            if saved.token == self.profile.token:
                answer = self._exchanged(saved)
                if answer.status_code != 200:
                    saved.token = saved.refresh = saved.renewal = None
                    return False
                found = answer.json()
                saved.token = found["access_token"]
                saved.refresh = found["refreshToken"] if saved.refresh else None
            self.profile = saved
        return True

    def _exchanged(self, saved: Profile) -> httpx.Response:
        with self._reaching():
            if saved.refresh:
                return self._http.post("/api/auth/refresh", json={"refreshToken": saved.refresh})
            return self._http.post("/api/auth/cli/refresh", json={"refresh_token": saved.renewal})


def given(query: dict[str, Any]) -> dict[str, str | list[str]]:
    """Query values as text, a list as one text each; None is left out."""
    return {
        key: [_text(one) for one in value] if isinstance(value, list) else _text(value)
        for key, value in query.items()
        if value is not None
    }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def loopback(url: str) -> bool:
    host = httpx.URL(url).host
    return host in {"localhost", "::1"} or host.startswith("127.") or host.endswith(".localhost")


def trusted(profile: Profile) -> ssl.SSLContext:
    """Which authorities are believed: those that SSL_CERT_FILE names, also on the way to this machine, where no other
    word of the environment counts, else those that every program believes; and those that the profile remembers.
    """
    file = os.environ.get("SSL_CERT_FILE")
    try:
        away = not loopback(profile.url)
        context = ssl.create_default_context(cafile=file) if file else httpx.create_ssl_context(trust_env=away)
    except (OSError, ssl.SSLError):
        raise unusable(f"SSL_CERT_FILE names {file}, which", "Give it the path of a PEM file, or unset it.") from None
    if profile.authorities:
        context.load_verify_locations(cadata=profile.authorities)
    return context


def authorities(file: str) -> str:
    """The certificates of a PEM file, without what else it holds, such as keys. Raises `Failure`."""
    try:
        found = "\n".join(CERTIFICATE.findall(Path(file).read_text(encoding="utf-8", errors="replace")))
        ssl.create_default_context(cadata=found)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        found = ""
    if not found:
        raise unusable(file, "Give the path of a PEM file: --ca root.crt")
    return found + "\n"


def unusable(what: str, hint: str) -> Failure:
    return Failure(f"{what} holds no certificates.", exit=Exit.USAGE, code="certificate_file_unusable", hint=hint)


def reason(error: httpx.TransportError) -> str:
    text = str(error).lower()
    if "refused" in text:
        return "nothing listens there"
    if "name or service" in text or "getaddrinfo" in text or "resolution" in text:
        return "the name is not known"
    if "certificate" in text:
        return UNTRUSTED
    return str(error)[:100] or type(error).__name__


def not_ours(url: str) -> Failure:
    return Failure(
        f"What answers at {url} is not Quarterdeck.", exit=Exit.UNREACHABLE, code="not_quarterdeck", hint="qd status"
    )


def failure_of(response: httpx.Response) -> Failure:
    """An error envelope of any form as a `Failure`: the typed one, the `error` object, or a bare message."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    raw = body.get("error")
    error: dict[str, Any] = raw if isinstance(raw, dict) else {}
    data: dict[str, Any] = body["data"] if isinstance(body.get("data"), dict) else {}
    details: dict[str, Any] = {**(data.get("details") or {}), **(error.get("details") or {})}
    code = error.get("code") or data.get("domainCode") or body.get("code") or f"http_{response.status_code}"
    message = error.get("message") or body.get("message") or body.get("detail")
    if isinstance(message, list):  # the tasks surface tells each wrong field
        message = "; ".join(str(one) for one in message)
    if not isinstance(message, str) or not message:
        message = raw if isinstance(raw, str) else f"{response.request.url.path} answered {response.status_code}."
    issues = details.get("issues") or data.get("issues")
    if issues:
        told = [f"{'.'.join(str(part) for part in issue.get('path', ()))}: {_in_words(issue)}" for issue in issues]
        message = f"{message.rstrip('.')}: {'; '.join(told)}"
    status = EXITS.get(response.status_code, Exit.FAILED)
    if code in PASSED_ON:
        status = Exit.NOT_ALLOWED if response.status_code in {401, 403} else Exit.FAILED
    hint = details.get("hint") or body.get("hint")
    if status is Exit.NOT_SIGNED_IN and str(code).lower() in UNKNOWN_CALLER:
        hint = f"qd login {response.request.url.scheme}://{response.request.url.netloc.decode()}"
    request_id = details.get("requestId") or response.headers.get("x-request-id")
    answered = response.status_code
    return Failure(message, exit=status, code=str(code), hint=hint, request_id=request_id, status=answered)


def _in_words(issue: dict[str, Any]) -> str:
    """A regular expression tells a person nothing."""
    message = str(issue.get("message"))
    return "it does not have the right form" if "matching regex" in message else message
