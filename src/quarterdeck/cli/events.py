"""Server-sent events, read and taken up again where they broke off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.operations import address

if TYPE_CHECKING:
    from quarterdeck.cli.client import Api

TRIES = 8
LONGEST = 5.0  # seconds between two tries


@dataclass(frozen=True)
class Event:
    """`name` is message, done or error; `beat` for a comment, which only says that the line is alive."""

    name: str
    data: Any = None
    id: str | None = None


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """Events of a stream of lines, by the rules of the HTML standard as far as they are used."""
    name, last = "", None
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield Event(name or "message", json.loads("\n".join(data)), last)
            name, data = "", []
        elif line.startswith(":"):
            yield Event("beat")
        else:
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if key == "event":
                name = value
            elif key == "data":
                data.append(value)
            elif key == "id":
                last = value


def follow(api: Api, key: str, query: dict[str, Any], /, **parameters: str) -> Iterator[Event]:
    """Events of an operation until its end. A connection that breaks is taken up again after the last event seen.

    Raises `Failure` for a refusal, an `error` event, or a server that stays away.
    """
    _, path = address(key, parameters)
    last: str | None = None
    failed = 0
    while True:
        asked = {**query, "cursor": last} if last else query
        try:
            with api.stream(path, asked, {"last-event-id": last} if last else {}) as response:
                for event in parse(response.iter_lines()):
                    failed = 0
                    last = event.id or last
                    if event.name == "error":
                        raise failed_by(event.data)
                    yield event
                    if event.name == "done":
                        return
            broken: Failure | None = None
        except (httpx.TransportError, ValueError):
            broken = None
        except Failure as failure:
            if failure.exit is not Exit.UNREACHABLE:
                raise
            broken = failure
        failed += 1
        if failed > TRIES:
            raise broken or Failure(
                f"The connection to {api.profile.url} keeps breaking.",
                exit=Exit.UNREACHABLE,
                code="stream_broken",
            )
        yield Event("lost")
        time.sleep(min(0.2 * 2**failed, LONGEST))


def failed_by(data: Any) -> Failure:
    """What an `error` event says."""
    error = data.get("error", data) if isinstance(data, dict) else {}
    if not isinstance(error, dict):
        return Failure(str(error))
    details = error.get("details") or {}
    return Failure(str(error.get("message", "The stream failed.")), code=error.get("code"), hint=details.get("hint"))
