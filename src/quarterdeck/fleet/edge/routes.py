"""What the edge serves, as values: hostnames and a path prefix that lead to a proxy, a directory or another address.

A route names no upstream. Where it leads to at this moment stands in a file of its own (see `upstreams.py`), which the
proxy reads per request, so that a cut-over changes no route.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from quarterdeck.kernel.errors import Conflict, Invalid

TlsMode = Literal["disabled", "auto", "internal", "files"]
UpstreamProtocol = Literal["http", "https", "h2c"]

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
_HOSTNAME = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_PATH_PREFIX = re.compile(r"/[A-Za-z0-9._~/-]*")
# The rest of a redirect's address may hold anything but spaces and the braces that Caddy would read as a placeholder.
_REDIRECT_TARGET = re.compile(r"https?://[^\s{}/?#]+(/[^\s{}]*)?")


class _Route(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every kind has: an id (also a file name), whose it is, hostnames, a path prefix and how TLS is had.

    A hostname is one owner's, whole: who has a part of its paths has the cookies and passwords of all of them.

    `tls` is `disabled`, `auto` (ACME), `internal` (the edge's own authority, for hosts without the internet) or `files`
    (a certificate that stands on the host as `certificate_file` and `key_file`).
    """

    id: str
    owner: str = ""
    hostnames: tuple[str, ...]
    path_prefix: str = "/"
    tls: TlsMode = "disabled"
    certificate_file: str | None = None
    key_file: str | None = None


class ProxyRoute(_Route, frozen=True, kw_only=True, tag="proxy"):
    """Requests go to the address in the route's upstream file.

    Times are seconds. `stream_close_delay` is how long WebSockets outlive a change of the route set, `idle` how long a
    connection to the upstream is kept for the next request: less than the upstream does, or a request meets its end.
    """

    upstream_protocol: UpstreamProtocol = "http"
    strip_prefix: bool = False
    stream_close_delay: float = 86_400
    response_header_timeout: float = 300
    dial_timeout: float = 3
    retry_seconds: float = 2
    idle: float = 30
    max_request_body: int | None = None
    verify_upstream_tls: bool = True


class StaticRoute(_Route, frozen=True, kw_only=True, tag="static"):
    """Files of the directory in the route's upstream file; with `fallback`, extensionless paths answer `index.html`."""

    fallback: bool = True


class RedirectRoute(_Route, frozen=True, kw_only=True, tag="redirect"):
    target: str
    status: Literal[301, 302, 307, 308] = 308
    keep_path: bool = True


Route = ProxyRoute | StaticRoute | RedirectRoute


def encode_route(route: Route) -> bytes:
    return msgspec.json.format(msgspec.json.encode(route), indent=2)


def decode_route(data: bytes) -> Route:
    route: Route = msgspec.json.decode(data, type=Route)
    return route


def check_route(route: Route) -> None:
    """Raises `Invalid` for a route that must not reach the proxy's configuration."""
    check_route_id(route.id)
    if not route.hostnames:
        raise _refused(route, "has no hostname", "Give the route at least one hostname.")
    for hostname in route.hostnames:
        if len(hostname) > 253 or not _HOSTNAME.fullmatch(hostname):
            raise _refused(route, f"has the hostname {hostname!r}, which is not one", "Use lower-case DNS labels.")
    if not _PATH_PREFIX.fullmatch(route.path_prefix) or "//" in route.path_prefix or ".." in route.path_prefix:
        raise _refused(route, f"has the path prefix {route.path_prefix!r}", "Use a path such as / or /api.")
    if route.tls == "files" and not (_plain_path(route.certificate_file) and _plain_path(route.key_file)):
        raise _refused(route, "wants TLS from files but names none", "Give absolute certificate and key paths.")
    if isinstance(route, RedirectRoute):
        if not _REDIRECT_TARGET.fullmatch(route.target):
            raise _refused(route, "redirects to something that is not an http(s) address", "Use https://host/path.")
        if route.status not in {301, 302, 307, 308}:
            raise _refused(route, f"redirects with status {route.status}", "Use 301, 302, 307 or 308.")
    if isinstance(route, ProxyRoute) and min(route.stream_close_delay, route.retry_seconds) < 0:
        raise _refused(route, "has a negative time", "Give times in seconds, 0 or more.")


def check_route_id(route_id: str) -> None:
    if not _ID.fullmatch(route_id):
        raise Invalid(
            f"{route_id!r} cannot name a route.",
            code="edge_proxy_route_invalid",
            hint="Use up to 80 characters of a-z, 0-9, _ and -.",
        )


def check_routes(routes: Iterable[Route]) -> None:
    """Raises for a bad route, a repeated id, a hostname of two owners or two routes with one hostname and path."""
    ids: set[str] = set()
    owners: dict[str, str] = {}
    claims: dict[tuple[str, str], str] = {}
    for route in routes:
        check_route(route)
        if route.id in ids:
            raise Invalid(f"Route {route.id} stands twice in one batch.", code="edge_proxy_route_invalid")
        ids.add(route.id)
        for hostname in route.hostnames:
            if not _same_owner(owners.setdefault(hostname, route.owner), route.owner):
                raise Conflict(
                    f"The name {hostname} is somebody else's; {route.id} cannot have any of its paths.",
                    code="edge_proxy_route_conflict",
                    hint="Choose another hostname.",
                    routeId=route.id,
                )
            owner = claims.setdefault((hostname, route.path_prefix.rstrip("/")), route.id)
            if owner != route.id:
                raise Conflict(
                    f"{hostname}{route.path_prefix} already belongs to route {owner}; {route.id} cannot have it too.",
                    code="edge_proxy_route_conflict",
                    hint="Remove the other route first, or choose another hostname or path prefix.",
                    routeId=route.id,
                    relatedEntityId=owner,
                )


def _same_owner(one: str, other: str) -> bool:
    """A name without what stands before its dot is that of a route which an earlier version wrote."""
    if not (one and other):
        return one == other
    return one == other or one == other.partition(".")[2] or other == one.partition(".")[2]


def _plain_path(path: str | None) -> bool:
    return path is not None and path.startswith("/") and not set(path) & set("{}\n")


def _refused(route: Route, what: str, hint: str) -> Invalid:
    return Invalid(f"Route {route.id} {what}.", code="edge_proxy_route_invalid", hint=hint, routeId=route.id)
