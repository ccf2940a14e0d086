"""What the program says about itself: JSON lines with the ids of the request, and figures for Prometheus.

Nothing here opens a connection; somebody has to come and ask.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any, TextIO, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from structlog.typing import EventDict, WrappedLogger

from quarterdeck.kernel.principal import current
from quarterdeck.kernel.redaction import redact, sensitive
from quarterdeck.kernel.vault.secret import MASK

M = TypeVar("M", Counter, Gauge, Histogram)
LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def add_circumstances(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Request and correlation id and who acts, where there is a request."""
    context = current.get()
    if context.request_id != "-":
        event.setdefault("request_id", context.request_id)
        event.setdefault("actor", f"{context.principal.kind}:{context.principal.uid}")
    if context.correlation_id != "-":
        event.setdefault("correlation_id", context.correlation_id)
    return event


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Secrets never reach a log: neither by their type nor under a name that secrets go by."""
    for key, value in event.items():
        if key not in {"exc_info", "_record", "_from_structlog", "stack_info"}:
            event[key] = MASK if sensitive(key) and isinstance(value, str) and value else redact(value)
    return event


def configure(level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send our records and those of libraries as JSON lines to `stream` (stderr)."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        add_circumstances,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.processors.format_exc_info],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                mask_secrets,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("asyncssh", "botocore", "httpx", "httpcore", "urllib3", "uvicorn.access", "websockets"):
        logging.getLogger(chatty).setLevel(max(root.level, logging.WARNING))


class Metrics:
    """Figures by name: asking twice for one gives the same, so that no module has to own a global."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, Any] = {}

    def counter(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Counter:
        return self._get(Counter, name, help_text, labels)

    def gauge(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Gauge:
        return self._get(Gauge, name, help_text, labels)

    def histogram(
        self, name: str, help_text: str, labels: Sequence[str] = (), buckets: Sequence[float] = LATENCY
    ) -> Histogram:
        return self._get(Histogram, name, help_text, labels, buckets=buckets)

    def render(self) -> tuple[str, bytes]:
        """Content type and text of `/metrics`."""
        return CONTENT_TYPE_LATEST, generate_latest(self.registry)

    def _get(self, kind: type[M], name: str, help_text: str, labels: Sequence[str], **options: Any) -> M:
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = kind(
                f"quarterdeck_{name}", help_text, tuple(labels), registry=self.registry, **options
            )
        if not isinstance(found, kind):
            raise TypeError(f"the metric {name} is a {type(found).__name__}")
        return found
