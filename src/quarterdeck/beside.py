"""What a server answers by itself that stands beside the one which works on the database (see docs/adr/0039).

Only what is read from the database and the store of lines, and needs neither this machine nor what one process alone
knows. Everything else, every change among it, is passed on to the server that works. A server that worked and has lost
the database's lock stands the same way until it holds it again; while no other works, it answers every read by itself.
"""

from __future__ import annotations

import re

from litestar import Litestar

from quarterdeck.instance import Instance
from quarterdeck.kernel.http.forwarding import Forwarding
from quarterdeck.kernel.http.perimeter import Perimeter

ANSWERED = (
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/api/openapi.json"),
    ("GET", "/api/deployments/{deploymentId}/logs"),
    ("GET", "/api/deployments/{deploymentId}/events"),
    ("GET", "/api/deployments/{deploymentId}/events/stream"),
    ("GET", "/api/resources/{resourceId}/runtime-logs"),
    ("GET", "/api/resources/{resourceId}/runtime-logs/stream"),
    ("GET", "/api/web/tasks/{id}/events"),
    ("GET", "/api/web/tasks/{id}/logs"),
    ("WS", "/ws/events"),
)
"""Routes, as they are declared."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
_PATTERNS = tuple((method, re.compile(re.sub(r"{\w+}", "[^/]+", path))) for method, path in ANSWERED)


def answered_here(method: str, path: str) -> bool:
    return any(known == method and pattern.fullmatch(path) is not None for known, pattern in _PATTERNS)


def stand(app: Litestar, instance: Instance) -> Forwarding:
    """Let an application pass on what it does not answer, while its server does not hold the database's lock. Whoever
    ends the server closes what is answered.
    """
    perimeter = app.asgi_handler
    assert isinstance(perimeter, Perimeter)  # noqa: S101 - `build` has just made it
    standing = instance.standing
    assert standing is not None  # noqa: S101 - `Settings` asks for a database that has one

    async def target() -> str | None:
        if standing.working is None:
            await standing.look()
        return standing.working.address if standing.working is not None else None

    def here(method: str, path: str) -> bool:
        sole = instance.sole
        if (sole is not None and sole.held) or answered_here(method, path):
            return True
        return sole is not None and standing.working is None and method in READING

    perimeter.app = forwarding = Forwarding(perimeter.app, here=here, target=target, header=instance.vouching.header)
    return forwarding
