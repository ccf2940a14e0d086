"""How `qd worker` comes by what it proves itself with: it registers once, refreshes at half-life, and recovers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import structlog

from quarterdeck.fleet.workers import asking, papers
from quarterdeck.fleet.workers.asking import Refused
from quarterdeck.fleet.workers.papers import Papers
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.errors import Invalid, Unauthenticated, Unavailable
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault import Secret

PAUSE = 60.0
"""Seconds until a refresh that failed is tried again."""
AGAIN = "Enrol it again: give it a new token, once, by --token @FILE."
log = structlog.get_logger("quarterdeck.worker")


class Proof:
    """Holds the papers of one data directory for one server. `describe` is the body of a registration without the token
    and the id. The token is needed for the first start alone; a new one enrols a machine that was sent away.
    """

    def __init__(
        self,
        server_url: str,
        directory: Path,
        token: Secret[str] | None,
        describe: Callable[[], dict[str, Any]],
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        self._server = base(server_url)
        self._directory = directory
        self._token = token
        self._describe = describe
        self._clock = clock or SystemClock()
        self._ids = ids or Ids(self._clock)
        self._papers = papers.load(directory)
        self._distrusted = 0
        self._unkept = False
        self.decommissioned = False
        """The server has said so when it was asked for a token."""
        if self._papers is not None and self._papers.server != self._server:
            if token is None:
                raise Invalid(
                    f"This machine is enrolled with {self._papers.server}, not with {self._server}.",
                    code="worker_enrolled_elsewhere",
                    hint="Give it a token of this server by --token @FILE, or another --data-dir.",
                )
            self._papers = None

    def credential(self) -> str | None:
        """The access token for a hello."""
        return None if self._papers is None else self._papers.access_token

    def capabilities(self) -> list[str]:
        """What the machine was enrolled for; empty where the server has not said so."""
        return [] if self._papers is None else self._papers.capabilities or []

    async def ready(self) -> None:
        """Have an access token that the server should take. Raises `Unavailable` where it cannot be asked now, and
        `Unauthenticated` where it has refused for good.
        """
        if self._papers is None or self._papers.access_token is None:
            await self._register()
        elif self._distrusted > 1:
            raise _refused("The server takes no access token of this worker.")
        elif self._distrusted or self._ended():
            await self._recover()
        elif self._half():
            with suppress(Unavailable):  # the one that it has will do
                await self._refresh()

    def distrust(self) -> None:
        """The server did not take the access token: the next one comes by the recovery secret."""
        self._distrusted += 1

    def trusted(self) -> None:
        """The server has welcomed the worker."""
        self._distrusted = 0

    def sent_away(self) -> bool:
        """The server has ended this worker. True where a token is at hand with which it
        becomes another one.
        """
        return self._begin_anew()

    async def keep(self) -> None:
        """Until canceled: refresh at half-life, and keep what the disk had no room for."""
        while True:
            await asyncio.sleep(min(self._until_half(), PAUSE))
            self._save()
            if self.credential() is None or not self._half():
                continue
            try:
                await self._refresh()
            except (Unavailable, Unauthenticated) as problem:
                log.warning("not_refreshed", reason=problem.message)
            if self._half():
                await asyncio.sleep(PAUSE)

    # What the server is asked.

    async def _register(self) -> None:
        if self._token is None:
            raise _refused("This machine is not enrolled.")
        told = self._papers or Papers(server=self._server, machine_id=self._ids.uid())
        # Known before it is said: an answer that gets lost is given again to the same machine.
        self._keep(told)
        body = {**self._describe(), "machineId": told.machine_id, "token": self._token.reveal()}
        try:
            answer = await asking.post(f"{self._server}/api/workers/register", body)
        except Refused as refused:
            raise _refused(refused.message) from None
        self._take(answer, enrolled_with=_digest(self._token))
        log.info("enrolled", server=self._server, machine=str(answer.get("machineId")))

    async def _refresh(self) -> None:
        try:
            answer = await asking.post(f"{self._server}/api/workers/refresh-token", {}, self.credential())
        except Refused:
            await self._recover()
        else:
            self._take(answer)

    async def _recover(self) -> None:
        held = self._papers
        assert held is not None  # noqa: S101 - who has none registers
        body = {"machineId": held.machine_id, "recoverySecret": held.recovery_secret}
        try:
            answer = await asking.post(f"{self._server}/api/workers/recover", body)
        except Refused as refused:
            self.decommissioned = refused.code == "worker_decommissioned"
            if not self._begin_anew():
                raise _refused(refused.message) from None
            await self._register()
        else:
            self._take(answer)

    def _begin_anew(self) -> bool:
        held = self._papers
        if self._token is None or held is None or held.enrolled_with == _digest(self._token):
            return False
        self._papers, self._distrusted = None, 0
        return True

    def _take(self, answer: dict[str, Any], **more: str) -> None:
        held = self._papers
        assert held is not None  # noqa: S101 - they are asked for with it
        try:
            self._papers = Papers(
                server=self._server,
                machine_id=str(answer.get("machineId", held.machine_id)),
                access_token=str(answer["workerJwt"]),
                issued_at=self._clock.now(),
                expires_at=datetime.fromisoformat(answer["expiresAt"]),
                recovery_secret=answer.get("recoverySecret") or held.recovery_secret,
                enrolled_with=more.get("enrolled_with", held.enrolled_with),
                capabilities=_words(answer.get("capabilities")) or held.capabilities,
            )
        except (KeyError, TypeError, ValueError):
            raise Unavailable("What answers there is no Quarterdeck server.", code="server_unreachable") from None
        self._unkept = True
        self._save()

    def _save(self) -> None:
        """What the server has given counts already, whether the disk takes it now or later."""
        if not self._unkept or self._papers is None:
            return
        try:
            papers.save(self._directory, self._papers)
            self._unkept = False
        except OSError as error:
            log.warning("identity_not_kept", directory=str(self._directory), reason=error.strerror)

    def _keep(self, held: Papers) -> None:
        papers.save(self._directory, held)
        self._papers = held

    # Times.

    def _ended(self) -> bool:
        return self._left(1.0) <= 0

    def _half(self) -> bool:
        return self._left(0.5) <= 0

    def _until_half(self) -> float:
        return max(self._left(0.5), 0.0) if self.credential() is not None else PAUSE

    def _left(self, share: float) -> float:
        """Seconds until a share of the token's life is over."""
        held = self._papers
        if held is None or held.issued_at is None or held.expires_at is None:
            return 0.0
        life = (held.expires_at - held.issued_at).total_seconds()
        return life * share - (self._clock.now() - held.issued_at).total_seconds()


def base(server_url: str) -> str:
    """`https://host/base/` as `https://host/base`; a WebSocket address as that of its server. Raises `Invalid`."""
    parts = urlsplit(server_url)
    scheme = {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise Invalid(f"{server_url} is not a server address.", code="server_url_invalid", hint="Use https://host.")
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _words(said: Any) -> list[str] | None:
    return [str(one) for one in said] if isinstance(said, list) else None


def _digest(token: Secret[str]) -> str:
    return hashlib.sha256(token.reveal().encode(errors="surrogatepass")).hexdigest()


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(why, code="worker_refused", hint=AGAIN)
