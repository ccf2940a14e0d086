"""The private door: a new version, reached through the edge before anybody else is led to it.

Every route has a twin on a unix socket that only the edge's owner may open. The twin reads a file of its own, so that
showing a candidate is one rename and no reload.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import msgspec

from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.routes import Route
from quarterdeck.kernel.errors import Unavailable

_BODY_LIMIT = 65_536
UNANSWERED = "edge_proxy_candidate_unreachable"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Where the verify phase knocks: `hostname` as Host over the unix socket, below `path_prefix`."""

    route_id: str
    socket: str
    hostname: str
    path_prefix: str


class ProbeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`body` is cut at 64 KiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def candidate_of(route: Route, layout: Layout) -> Candidate:
    hostname = route.hostnames[0].replace("*", "candidate", 1)
    return Candidate(
        route_id=route.id, socket=str(layout.candidate_socket), hostname=hostname, path_prefix=route.path_prefix
    )


async def probe(
    candidate: Candidate,
    through: httpx.AsyncBaseTransport,
    path: str = "/",
    *,
    method: str = "GET",
    timeout_seconds: float = 5,
) -> ProbeAnswer:
    """One request to the candidate's socket, `path` below its prefix. Raises `Unavailable` when no answer comes."""
    address = f"http://{candidate.hostname}{candidate.path_prefix.rstrip('/')}/{path.lstrip('/')}"
    body = b""
    try:
        async with (
            httpx.AsyncClient(transport=through, timeout=timeout_seconds) as client,
            client.stream(method, address) as answer,
        ):
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) >= _BODY_LIMIT:
                    break
            return ProbeAnswer(status=answer.status_code, headers=dict(answer.headers), body=body[:_BODY_LIMIT])
    except httpx.HTTPError as error:
        raise Unavailable(
            f"The candidate of route {candidate.route_id} did not answer {method} {path} through the edge.",
            code=UNANSWERED,
            hint="Look at the log of the new version; it may have ended or still be starting.",
            phase="internal-verification",
            routeId=candidate.route_id,
        ) from error
