"""The whole Caddy configuration of a host, as one value made from its routes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.fleet.edge.access_log import logging
from quarterdeck.fleet.edge.answers import failures, unknown_host
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.ports import HTTPS_PORT, Ports
from quarterdeck.fleet.edge.routes import ProxyRoute, RedirectRoute, Route, StaticRoute
from quarterdeck.fleet.edge.static_files import static_routes
from quarterdeck.fleet.edge.tls import tls_applications

JsonObject = dict[str, Any]

_SECOND = 1_000_000_000


class EdgeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator decides about the edge of a host.

    `trusted_proxies` are CIDR ranges whose `X-Forwarded-…` and `X-Request-Id` are believed. `acme_directory` and
    `acme_email` matter only for routes with `tls="auto"`.
    """

    trusted_proxies: tuple[str, ...] = ()
    acme_email: str | None = None
    acme_directory: str | None = None


def render_caddy(routes: Iterable[Route], layout: Layout, ports: Ports, options: EdgeOptions) -> JsonObject:
    """Pure: the same routes in any order give the same configuration."""
    ordered = sorted(routes, key=lambda route: route.id)
    secure = [route for route in ordered if route.tls != "disabled"]
    servers = {"http": _server([_listen(ports, ports.http)], _plain_routes(ordered, layout, ports), options)}
    servers["http"]["automatic_https"] = {"disable": True}
    if secure:
        served = _ordered_routes(secure, layout.upstreams)
        servers["https"] = _server([_listen(ports, ports.https)], served, options)
        servers["https"]["automatic_https"] = {"disable_redirects": True}
        servers["https"]["tls_connection_policies"] = [{}]
        servers["https"]["protocols"] = ["h1", "h2"]
    private = _ordered_routes([route for route in ordered if not isinstance(route, RedirectRoute)], layout.candidates)
    servers["candidates"] = _server([f"unix/{layout.candidate_socket}|0600"], private, EdgeOptions())
    servers["candidates"]["automatic_https"] = {"disable": True}
    del servers["candidates"]["logs"]
    return {
        "admin": {"listen": f"unix/{layout.admin_socket}|0600", "config": {"persist": True}},
        "logging": logging(layout),
        "storage": {"module": "file_system", "root": str(layout.data)},
        "apps": {
            "http": {"http_port": ports.http, "https_port": ports.https, "metrics": {}, "servers": servers},
            **tls_applications(secure, options.acme_email, options.acme_directory),
        },
    }


def preview(route: Route, layout: Layout, ports: Ports) -> JsonObject:
    """What a route is rendered to, apart from everything that all routes share."""
    rendered: JsonObject = {"http": _plain_routes([route], layout, ports)}
    if route.tls != "disabled":
        rendered["https"] = _ordered_routes([route], layout.upstreams)
    return rendered


def ports_of(configuration: JsonObject) -> Ports:
    """The reverse: which ports a configuration of ours listens on. Raises `KeyError` for one that is not ours."""
    http = configuration["apps"]["http"]
    address = str(http["servers"]["http"]["listen"][0]).rsplit(":", 1)[0].strip("[]")
    return Ports(http=http["http_port"], https=http["https_port"], address=address)


def _server(listen: list[str], routes: list[JsonObject], options: EdgeOptions) -> JsonObject:
    server: JsonObject = {
        "listen": listen,
        "protocols": ["h1", "h2c"],
        "read_header_timeout": 10 * _SECOND,
        "idle_timeout": 120 * _SECOND,
        "max_header_bytes": 65_536,
        "routes": [*_every_request(options), *routes, *unknown_host()],
        "errors": {"routes": [{"handle": [_response_headers()]}, *failures()]},
        "logs": {"default_logger_name": "access"},
    }
    if options.trusted_proxies:
        server["trusted_proxies"] = {"source": "static", "ranges": list(options.trusted_proxies)}
        server["trusted_proxies_strict"] = 1
    return server


def _every_request(options: EdgeOptions) -> list[JsonObject]:
    """A request id, and nothing that a stranger may claim about whom he forwards for."""
    fresh_id: JsonObject = {"handler": "headers", "request": {"set": {"X-Request-Id": ["{http.request.uuid}"]}}}
    disbelief: JsonObject = {
        "handler": "headers",
        "request": {"delete": ["X-Forwarded-*", "Forwarded", "X-Real-Ip", "X-Request-Id"]},
    }
    routes: list[JsonObject] = [{"handle": [disbelief]}]
    if options.trusted_proxies:
        routes[0]["match"] = [{"not": [{"remote_ip": {"ranges": list(options.trusted_proxies)}}]}]
    missing = [{"not": [{"header": {"X-Request-Id": ["*"]}}]}]
    routes += [
        {"match": missing, "handle": [fresh_id]},
        {
            "handle": [
                _response_headers(),
                {"handler": "log_append", "key": "request_id", "value": "{http.request.header.X-Request-Id}"},
            ]
        },
    ]
    return routes


def _response_headers() -> JsonObject:
    return {
        "handler": "headers",
        "response": {
            "deferred": True,
            "delete": ["Server", "Via"],
            "set": {"X-Request-Id": ["{http.request.header.X-Request-Id}"]},
        },
    }


def _plain_routes(routes: Sequence[Route], layout: Layout, ports: Ports) -> list[JsonObject]:
    """The HTTP server's routes: what has no TLS is served, what has is sent to its secure address."""
    return _ordered_routes(routes, layout.upstreams, secure_port=ports.https)


def _ordered_routes(routes: Sequence[Route], upstreams: Path, *, secure_port: int | None = None) -> list[JsonObject]:
    """Exact hostnames before wildcards, long path prefixes before short ones: the most particular route wins."""
    ranked: list[tuple[tuple[bool, int, str], JsonObject]] = []
    for route in routes:
        for wildcard in (False, True):
            hosts = sorted(name for name in route.hostnames if name.startswith("*.") == wildcard)
            if not hosts:
                continue
            prefix = route.path_prefix.rstrip("/")
            match: JsonObject = {"host": hosts}
            if prefix:
                match["path"] = [prefix, f"{prefix}/*"]
            if secure_port is not None and route.tls != "disabled":
                handle = [_to_secure(secure_port)]
            else:
                handle = _handle(route, f"{{file.{upstreams}/{route.id}}}", prefix)
            named = {"handler": "log_append", "key": "route", "value": route.id}
            rank = (wildcard, -len(prefix), route.id)
            ranked.append((rank, {"match": [match], "handle": [named, *handle], "terminal": True}))
    return [rendered for _, rendered in sorted(ranked, key=lambda pair: pair[0])]


def _handle(route: Route, upstream: str, prefix: str) -> list[JsonObject]:
    match route:
        case ProxyRoute():
            return _proxy(route, upstream, prefix)
        case StaticRoute():
            return [{"handler": "subroute", "routes": static_routes(upstream, prefix, fallback=route.fallback)}]
        case RedirectRoute():
            return [_redirect(route.target, route.status, keep_path=route.keep_path)]


def _proxy(route: ProxyRoute, upstream: str, prefix: str) -> list[JsonObject]:
    transport: JsonObject = {
        "protocol": "http",
        "dial_timeout": _nanoseconds(route.dial_timeout),
        "response_header_timeout": _nanoseconds(route.response_header_timeout),
        "keep_alive": {"enabled": True, "idle_timeout": _nanoseconds(route.idle), "max_idle_conns_per_host": 64},
    }
    if route.upstream_protocol == "https":
        transport["tls"] = {} if route.verify_upstream_tls else {"insecure_skip_verify": True}
    elif route.upstream_protocol == "h2c":
        transport["versions"] = ["h2c", "2"]
    proxy: JsonObject = {
        "handler": "reverse_proxy",
        "transport": transport,
        "upstreams": [{"dial": upstream}],
        "stream_close_delay": _nanoseconds(route.stream_close_delay),
        # Each try reads the upstream file again: a request that met the leaving version finds the new one.
        "load_balancing": {"try_duration": _nanoseconds(route.retry_seconds), "try_interval": _SECOND // 20},
    }
    # An upstream file stands empty until the first cut-over: say so at once instead of trying to reach nothing.
    nothing_live = {"vars": {upstream: [""]}}
    refuse = {"match": [nothing_live], "handle": [{"handler": "error", "status_code": 503}]}
    handle: list[JsonObject] = [{"handler": "subroute", "routes": [refuse]}]
    if route.max_request_body is not None:
        handle.append({"handler": "request_body", "max_size": route.max_request_body})
    if route.strip_prefix and prefix:
        handle.append({"handler": "rewrite", "strip_path_prefix": prefix})
    return [*handle, proxy]


def _redirect(target: str, status: int, *, keep_path: bool) -> JsonObject:
    location = f"{target.rstrip('/')}{{http.request.uri}}" if keep_path else target
    return {"handler": "static_response", "status_code": status, "headers": {"Location": [location]}}


def _to_secure(port: int) -> JsonObject:
    place = "{http.request.host}" if port == HTTPS_PORT else f"{{http.request.host}}:{port}"
    return {
        "handler": "static_response",
        "status_code": 308,
        "headers": {"Location": [f"https://{place}{{http.request.uri}}"], "Connection": ["close"]},
    }


def _listen(ports: Ports, port: int) -> str:
    return f"[{ports.address}]:{port}" if ":" in ports.address else f"{ports.address}:{port}"


def _nanoseconds(seconds: float) -> int:
    return int(seconds * _SECOND)
