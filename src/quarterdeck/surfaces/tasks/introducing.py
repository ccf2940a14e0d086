"""The first frame of a socket that says who is there: no token stands in a URL (contract: tasks §5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

import msgspec

from quarterdeck.fleet.terminals import frames
from quarterdeck.identity import personal_tokens, sessions
from quarterdeck.identity.sessions import Signer
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.http.guard import origin_of
from quarterdeck.kernel.http.websocket import Closed, Socket
from quarterdeck.kernel.principal import Principal, current
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.surfaces.shared.authentication import COOKIES

T = TypeVar("T")
AUTH_SECONDS = 5.0
Known = Callable[[Tx], Principal]


async def introduced(socket: Socket, kind: type[T]) -> T:
    """The first frame. Closes, and raises `Closed`, where it does not come in time (4408), is no such frame (4400), or
    the page that opened the socket is another server's (4403).
    """
    if foreign(socket):
        await refuse(socket, frames.FORBIDDEN, "this page is not the server's own")
    try:
        async with asyncio.timeout(AUTH_SECONDS):
            said = await socket.receive()
    except TimeoutError:
        await refuse(socket, frames.TOO_LATE, "no auth within 5 seconds")
    try:
        return msgspec.json.decode(said, type=kind)
    except UNREADABLE:
        await refuse(socket, frames.BAD_FRAME, "auth comes first")


async def refuse(socket: Socket, code: int, reason: str) -> NoReturn:
    """Close, and raise `Closed`. Who is not known gets no time to say goodbye."""
    await socket.close(code, reason)
    raise Closed(code)


def foreign(socket: Socket) -> bool:
    """Whether a page of another server opened this socket. Programs send no Origin."""
    origin = socket.raw.headers.get("origin")
    if origin is None:
        return False
    scheme = {"ws": "http", "wss": "https"}.get(socket.raw.scope["scheme"], socket.raw.scope["scheme"])
    public = socket.service("public_url")
    own = {origin_of(f"{scheme}://{socket.raw.headers.get('host', '')}"), origin_of(public) if public else None}
    return origin_of(origin) not in own - {None}


def known(socket: Socket, signer: Signer, token: str | None) -> Known:
    """Answers, in any unit, who the credential stands for then; raises `Unauthenticated` once it does for nobody. The
    cookie counts where a page of ours opened the socket and sent no token.
    """
    texts = [token] if token is not None else []
    if token is None and "origin" in socket.raw.headers:
        texts = [socket.raw.cookies[name] for name in COOKIES if name in socket.raw.cookies]
    return lambda tx: _principal(tx, signer, texts)


def _principal(tx: Tx, signer: Signer, texts: list[str]) -> Principal:
    for text in texts:
        found: tuple[Principal, Any] | None
        if text.startswith(personal_tokens.PREFIX):
            found = personal_tokens.authenticate(tx, text)
        else:
            plain = signer.plain(text)
            found = sessions.presented(tx, plain) if plain else None
        if found is not None:
            tx.act_as(found[0])
            return found[0]
    raise Unauthenticated("The token is not valid, or not any more.", code="product_auth_invalid", hint="Sign in.")


async def admitted(socket: Socket, db: Database, who: Known) -> Principal:
    """The caller, who acts in what follows. Closes with 4401 where nobody is known by it."""
    try:
        principal = await db.read(who)
    except Unauthenticated as problem:
        await refuse(socket, frames.UNAUTHENTICATED, problem.message)
    current.set(replace(current.get(), principal=principal))
    socket.proven()
    return principal
