"""The log of an infrastructure job as the server streams it, taken up where it broke off (contract: infra §3.3)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import httpx

from quarterdeck.cli import events
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.operations import address

TRIES = 30
"""Connections in a row that may bring nothing: about two minutes."""
LONGEST = 5.0
BROKEN = "stream_broken"
FULL = 429
AWAY = frozenset({500, 502, 503, 504})


class Told(NamedTuple):
    """`chunk` with its row; `lost` with why, and `back`; `full` where the server has no place for another stream;
    `done` with the status of the job.
    """

    kind: str
    data: Any = None


def is_away(failure: Failure) -> bool:
    """Whether a server that is asked again may answer."""
    return failure.exit in {Exit.UNREACHABLE, Exit.TIMED_OUT} or failure.status in AWAY


def told(api: Api, job: str, after: int = 0) -> Iterator[Told]:
    """What a job says behind the chunk `after`, each chunk once and in order, until `done` or `full`.

    Raises `Failure` for a refusal, and for a server that stays away.
    """
    _, path = address("infra-jobs.stream", {"jobId": job})
    failed, resumed = 0, False
    while True:
        broken = Failure(f"The connection to {api.profile.url} keeps breaking.", exit=Exit.UNREACHABLE, code=BROKEN)
        try:
            query, headers = ({}, {"last-event-id": str(after)}) if resumed else ({"after": after or None}, {})
            with api.stream(path, query, headers) as response:
                for event in events.parse(response.iter_lines()):
                    if event.name == "error":
                        broken = events.failed_by(event.data)
                        break  # asked anew, a refusal has its status, and a credential that ran out is renewed
                    if failed:
                        failed = 0
                        yield Told("back")
                    if event.name == "done":
                        yield Told("done", str(event.data["status"]))
                        return
                    if event.name == "message" and int(event.data["id"]) > after:
                        after, resumed = int(event.data["id"]), True
                        yield Told("chunk", event.data)
        except (httpx.TransportError, ValueError, KeyError, TypeError):
            pass
        except Failure as failure:
            if failure.status == FULL:
                yield Told("full", failure.message)
                return
            if not is_away(failure):
                raise
            broken = failure
        failed += 1
        if failed > TRIES:
            raise broken
        if failed == 1:
            lost = f"The connection to {api.profile.url} was lost." if broken.code == BROKEN else broken.message
            yield Told("lost", lost)
        time.sleep(min(0.2 * 2**failed, LONGEST))


class Reader:
    """A stream that is read beside, so that whoever waits for it can do something else meanwhile."""

    def __init__(self, api: Api, job: str, after: int) -> None:
        self._api = Api(api.profile, name=api.name)
        self._job = job
        self._after = after
        self._coming: queue.Queue[Told | Failure] = queue.Queue(maxsize=1000)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="Reader")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._api.close()

    def next(self, seconds: float) -> Told | None:
        """What has come; None when nothing did within so many seconds. Raises what the stream ended with."""
        try:
            found = self._coming.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(found, Failure):
            raise found
        return found

    def _run(self) -> None:
        try:
            for one in told(self._api, self._job, self._after):
                if not self._put(one):
                    return
        except Failure as failure:
            self._put(failure)
        except RuntimeError:
            return  # the client was closed meanwhile: nobody waits any more

    def _put(self, one: Told | Failure) -> bool:
        while not self._over.is_set():
            try:
                self._coming.put(one, timeout=0.5)
            except queue.Full:
                continue
            return True
        return False


def until_done(
    api: Api, job: str, after: int, *, pause: float, show: Callable[[Told], None], look: Callable[[], None]
) -> str | None:
    """Show what comes, and look about every `pause` seconds. The status that the job ended with; None where the server
    has no place for the stream. Raises `Failure`, and whatever `look` raises.
    """
    with Reader(api, job, after) as reader:
        due = time.monotonic() + pause
        while True:
            one = reader.next(max(due - time.monotonic(), 0.0))
            if one is not None and one.kind == "done":
                return str(one.data)
            if one is not None:
                show(one)
                if one.kind == "full":
                    return None
            if time.monotonic() >= due:
                look()
                due = time.monotonic() + pause
