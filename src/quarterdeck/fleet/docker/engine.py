"""A connection to one Docker engine: version negotiation, requests, and errors that say what happened."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Annotated, Any, Self, TypeVar

import httpcore
import httpx
import msgspec

from quarterdeck.fleet.docker.address import EngineAddress
from quarterdeck.fleet.docker.dialing import Dialer, LocalDialer
from quarterdeck.fleet.docker.transport import dialed_client
from quarterdeck.kernel.answers import MOST, whole
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound, Problem, ProviderFailure, Unavailable
from quarterdeck.kernel.unreadable import UNREADABLE

T = TypeVar("T")
Query = Mapping[str, str] | Sequence[tuple[str, str]]
NEWEST_API = (1, 47)
OLDEST_API = (1, 40)
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 60.0
ENGINE_GONE = (httpx.TransportError, httpcore.NetworkError, httpcore.ProtocolError)


MOST_ANSWER, MOST_REFUSAL = 16 << 20, 64 << 10
"""Bytes of an answer that is read whole."""
PLAIN = {"Accept-Encoding": "identity"}
Count = Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)]
"""A number of an engine: what is larger could be neither kept nor passed on."""


class Pong(msgspec.Struct, frozen=True):
    """What the engine says of itself when pinged."""

    api_version: tuple[int, int]
    buildkit: bool
    os: str


class Engine:
    """One engine; cheap to keep open. The typed calls live in rooms beside this one and take an `Engine`.

    Use `await Engine.connect(address)` and `await engine.close()`, or `async with`.
    """

    def __init__(self, http: httpx.AsyncClient, address: str, pong: Pong, *, local: bool = False) -> None:
        self._http = http
        self.address = address
        self.local = local  # dialed over a socket of this host: its directories and control groups are ours to see
        self.pong = pong
        major, minor = min(pong.api_version, NEWEST_API)
        self.api_version = f"{major}.{minor}"

    @classmethod
    async def connect(cls, address: EngineAddress, dialer: Dialer | None = None) -> Self:
        http = dialed_client(dialer or LocalDialer(address.certificates), address.path, base_url="http://docker")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                async with http.stream("GET", "/_ping", headers=PLAIN) as answer:
                    await received(answer, MOST_REFUSAL)
                    pong = read_ping(answer.status_code, answer.headers)
        except (*ENGINE_GONE, TimeoutError) as error:
            await http.aclose()
            raise unavailable(str(address), error) from error
        except Problem:
            await http.aclose()
            raise
        local = (dialer is None or isinstance(dialer, LocalDialer)) and address.path.startswith("/")
        return cls(http, str(address), pong, local=local)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def get(self, path: str, kind: type[T], query: Query = (), *, seconds: float | None = ANSWER_SECONDS) -> T:
        return decode((await self.request("GET", path, query=query, seconds=seconds)).content, kind)

    async def post(
        self, path: str, kind: type[T], body: Any = None, query: Query = (), *, seconds: float | None = ANSWER_SECONDS
    ) -> T:
        return decode((await self.request("POST", path, query=query, body=body, seconds=seconds)).content, kind)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Any = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = ANSWER_SECONDS,
    ) -> httpx.Response:
        """One request, answered whole within `seconds`. `body` is sent as JSON, `content` as it is."""
        async with self.stream(
            method, path, query=query, body=body, content=content, headers=headers, seconds=seconds
        ) as answer:
            return httpx.Response(answer.status_code, content=await received(answer, MOST_ANSWER))

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Any = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """One request whose answer is read as it comes; leaving the block drops the connection if more would come.

        `seconds` bounds each silence of the engine; None waits as long as it takes.
        """
        sent = PLAIN | dict(headers or {})
        if body is not None:
            content = msgspec.json.encode(body)
            sent["Content-Type"] = "application/json"
        pairs = httpx.QueryParams(list(query.items()) if isinstance(query, Mapping) else list(query))
        url = f"/v{self.api_version}{path}"
        patience = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, read=seconds)
        try:
            async with self._http.stream(
                method, url, params=pairs, content=content, headers=sent, timeout=patience
            ) as answer:
                if answer.status_code >= 400:
                    raise refusal(answer.status_code, await received(answer, MOST_REFUSAL), path)
                yield answer
        except ENGINE_GONE as error:
            raise unavailable(self.address, error) from error

    @contextlib.asynccontextmanager
    async def upgrade(
        self, path: str, protocol: str, *, body: Any = None, query: Query = (), headers: Sequence[tuple[str, str]] = ()
    ) -> AsyncIterator[httpcore.AsyncNetworkStream]:
        """A raw two-way stream: the engine's answer to `Connection: Upgrade`."""
        sent = [("Connection", "Upgrade"), ("Upgrade", protocol), ("Content-Type", "application/json"), *headers]
        content = msgspec.json.encode(body) if body is not None else b""
        pairs = httpx.QueryParams(list(query.items()) if isinstance(query, Mapping) else list(query))
        url = f"/v{self.api_version}{path}"
        try:
            async with self._http.stream("POST", url, params=pairs, content=content, headers=sent) as answer:
                if answer.status_code != 101:
                    raise refusal(answer.status_code, await received(answer, MOST_REFUSAL), path)
                yield answer.extensions["network_stream"]
        except ENGINE_GONE as error:
            raise unavailable(self.address, error) from error


def read_ping(status: int, headers: Mapping[str, str]) -> Pong:
    """Judge the answer to a ping; too old an engine is refused here and not at the first odd failure."""
    named, _, further = headers.get("Api-Version", "").partition(".")
    major, minor = whole(named), whole(further)
    if status != 200 or major is None or minor is None:
        raise Unavailable(
            f"What listens there is not a ready Docker engine (status {status})",
            code="docker_unavailable",
            hint="Check DOCKER_HOST and that the engine has finished starting.",
        )
    version = (major, minor)
    if version < OLDEST_API:
        raise Unavailable(
            f"The Docker engine speaks API {major}.{minor}; {OLDEST_API[0]}.{OLDEST_API[1]} or newer is needed",
            code="docker_too_old",
            hint="Upgrade Docker on that host to 20.10 or newer.",
        )
    return Pong(version, has_buildkit(headers), headers.get("Ostype", "linux"))


def has_buildkit(headers: Mapping[str, str]) -> bool:
    """The engine names its preferred builder. 20.10 names none unless told to, and has BuildKit all the same; Podman
    names none and has none.
    """
    named = headers.get("Builder-Version", "")
    if named:
        return named == "2"
    return headers.get("Ostype", "linux") == "linux" and "Libpod-API-Version" not in headers


def unavailable(address: str, error: Exception) -> Unavailable:
    if isinstance(error, httpx.ReadError | httpx.RemoteProtocolError | httpx.WriteError):
        return Unavailable(
            f"The Docker engine at {address} went away in the middle.",
            code="docker_unavailable",
            hint="See why it was ended or restarted, start it if it does not run, then try again.",
        )
    return Unavailable(
        f"The Docker engine at {address} does not answer.",
        code="docker_unavailable",
        hint="Start Docker on that host, or check DOCKER_HOST and the permissions of the socket.",
    )


async def received(answer: httpx.Response, most: int) -> bytes:
    """A whole answer as it was sent: one that is packed could become a thousand times as large, and nobody asked for
    it. Raises `ProviderFailure` for more than `most` bytes.
    """
    kept = bytearray()
    async for chunk in answer.aiter_raw():
        kept += chunk
        if len(kept) > most:
            raise ProviderFailure(
                f"Docker answers with more than {most:,} bytes.",
                code="docker_error",
                hint="Check what listens at the engine's socket.",
            )
    return bytes(kept)


def total(sizes: Iterable[int]) -> int:
    """Their sum, as far as it can be passed on."""
    return min(sum(sizes), MOST)


class EngineError(msgspec.Struct):
    message: str = ""


def refusal(status: int, content: bytes, path: str) -> Problem:
    """The engine's refusal as a problem: its first line, cut, and the call it answered."""
    try:
        message = msgspec.json.decode(content, type=EngineError).message
    except UNREADABLE:
        message = ""
    line = (message.splitlines() or [f"status {status}"])[0][:300]
    call = path.split("?", 1)[0]
    if status == 404:
        return NotFound(f"Docker: {line}", code="docker_not_found", call=call)
    if status == 409:
        return Conflict(f"Docker: {line}", code="docker_conflict", call=call)
    if status == 400:
        return Invalid(f"Docker: {line}", code="docker_refused", call=call)
    return ProviderFailure(f"Docker: {line}", code="docker_error", call=call, status=status)


def decode(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except UNREADABLE as error:
        raise ProviderFailure(
            f"Docker's answer could not be read: {error}", code="docker_error", hint="Check the engine's version."
        ) from error
