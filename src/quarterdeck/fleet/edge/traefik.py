"""The same routes for those who run Traefik: its dynamic configuration as one value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from quarterdeck.fleet.edge.routes import ProxyRoute, RedirectRoute, Route, check_routes
from quarterdeck.kernel.errors import Invalid

JsonObject = dict[str, Any]


def render_traefik(
    routes: Iterable[Route], upstreams: Mapping[str, str], *, certificate_resolver: str = "quarterdeck"
) -> JsonObject:
    """Routers, services and middlewares of Traefik's file provider, for the entry points `web` and `websecure`.

    Traefik reads no file per request, so the upstream of each route stands in the configuration; a proxy route without
    one is left out. Raises `Invalid` for static routes, because Traefik serves no files.
    """
    ordered = sorted(routes, key=lambda route: route.id)
    check_routes(ordered)
    routers: JsonObject = {}
    services: JsonObject = {}
    middlewares: JsonObject = {}
    certificates = []
    for route in ordered:
        if isinstance(route, RedirectRoute):
            middlewares[route.id] = _redirect(route)
            target, chain = "noop@internal", [route.id]
        elif isinstance(route, ProxyRoute):
            if route.id not in upstreams:
                continue
            services[route.id] = _service(route, upstreams[route.id])
            target, chain = route.id, []
            if route.strip_prefix and route.path_prefix != "/":
                middlewares[f"{route.id}-strip"] = {"stripPrefix": {"prefixes": [route.path_prefix.rstrip("/")]}}
                chain.append(f"{route.id}-strip")
        else:
            raise Invalid(
                f"Route {route.id} serves files, which Traefik does not.",
                code="edge_proxy_static_unsupported",
                hint="Serve the site with the bundled edge, or as a container with a web server in it.",
                routeId=route.id,
            )
        router: JsonObject = {"rule": _rule(route), "service": target, "entryPoints": ["web"]}
        if chain:
            router["middlewares"] = chain
        if route.tls == "disabled":
            routers[route.id] = router
            continue
        middlewares.setdefault("to-secure", {"redirectScheme": {"scheme": "https", "permanent": True}})
        routers[f"{route.id}-plain"] = {
            "rule": _rule(route),
            "service": "noop@internal",
            "entryPoints": ["web"],
            "middlewares": ["to-secure"],
        }
        tls: JsonObject = {"certResolver": certificate_resolver} if route.tls == "auto" else {}
        routers[route.id] = {**router, "entryPoints": ["websecure"], "tls": tls}
        if route.tls == "files":
            certificates.append({"certFile": route.certificate_file, "keyFile": route.key_file})
    http = {"routers": routers, "services": services, "middlewares": middlewares}
    # Traefik refuses a file with an empty section.
    rendered: JsonObject = {"http": {name: section for name, section in http.items() if section}}
    if certificates:
        rendered["tls"] = {"certificates": certificates}
    return {name: section for name, section in rendered.items() if section}


def _rule(route: Route) -> str:
    names = []
    for hostname in route.hostnames:
        if hostname.startswith("*."):
            names.append(f"HostRegexp(`^[^.]+{re.escape(hostname[1:])}$`)")
        else:
            names.append(f"Host(`{hostname}`)")
    hosts = " || ".join(names)
    prefix = route.path_prefix.rstrip("/")
    if not prefix:
        return hosts
    return f"({hosts}) && (Path(`{prefix}`) || PathPrefix(`{prefix}/`))"


def _service(route: ProxyRoute, upstream: str) -> JsonObject:
    balancer: JsonObject = {
        "servers": [{"url": f"{route.upstream_protocol}://{upstream}"}],
        "passHostHeader": True,
    }
    return {"loadBalancer": balancer}


def _redirect(route: RedirectRoute) -> JsonObject:
    """Traefik knows 301 and 302, and answers other methods than GET with 308 and 307 in their place."""
    replacement = f"{route.target.rstrip('/')}/${{1}}" if route.keep_path else route.target.replace("$", "$$")
    return {
        "redirectRegex": {
            "regex": "^https?://[^/]+/?(.*)$",
            "replacement": replacement,
            "permanent": route.status in {301, 308},
        }
    }
