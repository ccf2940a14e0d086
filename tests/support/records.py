"""The log of this process as `quarterdeck serve` writes it, kept instead of shown."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

import structlog

from quarterdeck.kernel import telemetry


@contextlib.contextmanager
def plain_records(level: str = "info") -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, before = root.handlers[:], root.level
    kept = io.StringIO()
    telemetry.configure(level, stream=kept)
    try:
        yield kept
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(before)
