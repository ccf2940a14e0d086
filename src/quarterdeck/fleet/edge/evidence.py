"""What the access log of this machine's edge says about one failed request."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import msgspec

from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.kernel.unreadable import UNREADABLE

KEPT = timedelta(days=7)
"""For so long a request is found; the log may be rolled away sooner on a busy host."""


class _Request(msgspec.Struct):
    host: str = ""
    uri: str = ""
    method: str = ""


class Entry(msgspec.Struct):
    """One line of the log. `edge_code` is there when the edge answered in the place of an application."""

    ts: str
    request: _Request = msgspec.field(default_factory=_Request)
    status: int = 0
    request_id: str = ""
    route: str | None = None
    edge_code: str | None = None

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.ts).astimezone(UTC)

    @property
    def hostname(self) -> str:
        """Without a port."""
        return self.request.host.rsplit(":", 1)[0] if ":" in self.request.host else self.request.host


_decode = msgspec.json.Decoder(Entry).decode


def find(layout: Layout, request_id: str, now: datetime) -> Entry | None:
    """The failure that was answered under this id, if it is still kept. Reads files: not for an event loop."""
    for path in _files(layout.log, layout.access_log.stem, now):
        try:
            with _open(path) as file:
                found = among(file, request_id)
        except (OSError, EOFError):
            continue  # rolled away while it was read
        if found is not None:
            return kept(found, now)
    return None


def kept(found: Entry | None, now: datetime) -> Entry | None:
    """What was found, as far as it is a failure of the edge that is not too old, and says when it was."""
    if found is None or found.edge_code is None:
        return None
    with contextlib.suppress(ValueError, OverflowError):
        return found if now - found.at <= KEPT else None
    return None


def _files(directory: Path, stem: str, now: datetime) -> Iterator[Path]:
    """The log and what was rolled off it, newest first."""
    dated = []
    for path in directory.glob(f"{stem}*.json*"):
        try:
            changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError:
            continue
        if now - changed <= KEPT:
            dated.append((changed, path))
    yield from (path for _, path in sorted(dated, reverse=True))


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def among(lines: Iterable[bytes], request_id: str) -> Entry | None:
    """The first of these lines of the log that is about the request."""
    wanted = request_id.encode()
    for line in lines:
        if wanted not in line:
            continue
        try:
            entry = _decode(line)
        except UNREADABLE:
            continue
        if entry.request_id == request_id:
            return entry
    return None
