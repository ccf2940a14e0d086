"""What goes between a runner and its server over HTTP besides reports: saved plans, and a look at the state."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from quarterdeck.infra.execution import failures
from quarterdeck.infra.execution.orders import Place, SavedPlan
from quarterdeck.infra.execution.reporting import Reporter
from quarterdeck.kernel.errors import Conflict, Invalid, Problem, Unavailable
from quarterdeck.kernel.faults import point

T = TypeVar("T")
LARGEST = 50 << 20
"""Bytes of a saved plan, and of a state."""
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0)
"""Seconds before each time that a server which did not answer is asked again."""
AGAIN = frozenset({429, 502, 503, 504})
CHUNK = 1 << 20
TIMEOUT = httpx.Timeout(30.0, write=120.0)
_JOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
MOST_ADDRESSES = 200


def is_job(text: str) -> bool:
    """Whether it can be the uid of a job: it becomes part of addresses and of names of files."""
    return _JOB.fullmatch(text) is not None


def too_large(size: int) -> Problem:
    return Invalid(
        f"The saved plan has {size >> 20} MB; {LARGEST >> 20} MB are allowed.",
        code="infra_plan_too_large",
        hint="Split the specification: a plan holds the whole state and all modules.",
    )


async def digest(path: Path) -> tuple[str, int]:
    """SHA-256 in hex, and bytes. Raises `Unavailable` of `failures.of_file`."""

    def read() -> tuple[str, int]:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256")
            return found.hexdigest(), file.tell()

    try:
        return await asyncio.to_thread(read)
    except OSError as error:
        raise failures.of_file(error, "the saved plan") from None


@dataclass(frozen=True)
class Store:
    """The server's side of one job, at the origin `server`."""

    server: str
    place: Place
    reporter: Reporter

    def _address(self, rest: str, job: str | None = None) -> str:
        path = self.place.path if job is None else f"{self.place.path.rpartition('/')[0]}/{job}"
        return f"{self.server.rstrip('/')}{path}{rest}"

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        auth = httpx.BasicAuth(self.place.username, self.place.password)
        async with httpx.AsyncClient(auth=auth, timeout=TIMEOUT, follow_redirects=False) as client:
            yield client

    async def upload(self, path: Path, size: int) -> None:
        """Keep the saved plan at the server. Raises `Invalid` (`infra_plan_too_large`), `Conflict`
        (`infra_artefact_refused`), `Unavailable` (`infra_server_unreachable`).
        """
        if size > LARGEST:
            raise too_large(size)

        async def once(client: httpx.AsyncClient) -> None:
            answer = await client.post(
                self._address("/plan-artifact"),
                content=_parts(path),
                headers={"content-type": "application/octet-stream", "content-length": str(size)},
            )
            if answer.status_code == 413:
                raise too_large(size)
            _require(answer, 201, "keep the saved plan")

        point("infra.artefact.send")
        await self._patiently(once)
        point("infra.artefact.sent")

    async def download(self, plan: SavedPlan, path: Path) -> None:
        """Fetch the artefact of a PLAN job, byte for byte what was read. Raises `Conflict` (`infra_artefact_differs`,
        `infra_artefact_refused`), `Unavailable` (`infra_server_unreachable`).
        """
        if not is_job(plan.job):
            raise Invalid("The plan's job has no usable id.", code="infra_order_invalid", hint="Update the server.")

        async def once(client: httpx.AsyncClient) -> tuple[str, int]:
            found, size = hashlib.sha256(), 0
            async with client.stream("GET", self._address("/plan-artifact", plan.job)) as answer:
                _require(answer, 200, "give out the saved plan")
                with path.open("wb") as file:
                    async for part in answer.aiter_raw():
                        size += len(part)
                        if size > plan.size:
                            break
                        found.update(part)
                        await asyncio.to_thread(file.write, part)
            return found.hexdigest(), size

        point("infra.artefact.fetch")
        sha256, size = await self._patiently(once)
        point("infra.artefact.fetched")
        if (sha256, size) != (plan.sha256.lower(), plan.size):
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise Conflict(
                "The saved plan that the server gave out is not the one that was made: nothing was applied.",
                code="infra_artefact_differs",
                hint="Make a new plan, read it, and apply that one.",
            )

    async def state(self) -> dict[str, Any] | None:
        """`{exists, serial, lineage, resources, addresses}` of the state as the server has it now; None where it
        cannot be had, which is no failure of the job.
        """
        try:
            async with (
                self._client() as client,
                asyncio.timeout(30),
                client.stream("GET", self._address("/state")) as answer,
            ):
                if answer.status_code in {204, 404}:
                    return {"exists": False, "serial": 0, "lineage": "", "resources": 0, "addresses": []}
                if answer.status_code != 200:
                    return None
                content = bytearray()
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > LARGEST:
                        return None
            return await asyncio.to_thread(facts_of_state, bytes(content))
        except (httpx.HTTPError, TimeoutError):
            return None

    async def whole_state(self) -> bytes:
        """The state as the server has it now, b"" where there is none. Raises `Conflict` (`infra_artefact_refused`),
        `Unavailable` (`infra_server_unreachable`, `infra_state_unavailable`).
        """

        async def once(client: httpx.AsyncClient) -> bytes:
            async with client.stream("GET", self._address("/state")) as answer:
                if answer.status_code in {204, 404}:
                    return b""
                _require(answer, 200, "give out the state")
                content = bytearray()
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > LARGEST:
                        raise Unavailable(
                            "The state is larger than states may be.",
                            code="infra_state_unavailable",
                            hint="Split the specification.",
                        )
                return bytes(content)

        return await self._patiently(once)

    async def _patiently(self, once: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
        """Asked again while the server does not answer; `Canceled` ends that."""
        for pause in (*PAUSES, None):
            try:
                async with self._client() as client:
                    return await once(client)
            except OSError as error:
                raise failures.of_file(error, "the saved plan") from None
            except (httpx.TransportError, _Again) as error:
                if pause is None:
                    raise _unreachable(self.server) from None
                said = str(error) or type(error).__name__
                self.reporter.say(f"The server did not answer ({said}): trying again in {pause:g} s.", level="warn")
                await self.reporter.context.sleep(pause)
        raise _unreachable(self.server)


class _Again(Exception):
    """The server answered that it should be asked again."""


def _require(answer: httpx.Response, status: int, what: str) -> None:
    if answer.status_code == status:
        return
    if answer.status_code in AGAIN:
        raise _Again(f"status {answer.status_code}")
    raise Conflict(
        f"The server does not {what} (status {answer.status_code}).",
        code="infra_artefact_refused",
        hint="The job may have been given to another runner, or its credential has ended: run it again.",
    )


def _unreachable(server: str) -> Problem:
    return Unavailable(
        f"The server at {server} did not answer.",
        code="infra_server_unreachable",
        hint="Check the network between the runner and the server, then run the job again.",
    )


async def _parts(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while part := await asyncio.to_thread(file.read, CHUNK):
            yield part


def facts_of_state(content: bytes) -> dict[str, Any] | None:
    """What a state says of itself; None when it is none."""
    try:
        state = json.loads(content)
        managed = [one for one in state.get("resources") or () if one.get("mode") == "managed"]
        addresses = sorted({".".join(filter(None, (one.get("module"), one["type"], one["name"]))) for one in managed})
        return {
            "exists": True,
            "serial": int(state["serial"]),
            "lineage": str(state.get("lineage") or ""),
            "resources": sum(len(one.get("instances") or ()) for one in managed),
            "addresses": addresses[:MOST_ADDRESSES],
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
