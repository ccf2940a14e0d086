"""The same routes, rendered for Traefik's file provider."""

from __future__ import annotations

import pytest

from quarterdeck.fleet.edge.routes import ProxyRoute, RedirectRoute, StaticRoute
from quarterdeck.fleet.edge.traefik import render_traefik
from quarterdeck.kernel.errors import Invalid


def test_a_route_set_is_rendered_whole():
    routes = [
        ProxyRoute(id="web", hostnames=("web.example", "*.web.example"), path_prefix="/api/", strip_prefix=True),
        ProxyRoute(id="safe", hostnames=("safe.example",), tls="auto", upstream_protocol="h2c"),
        ProxyRoute(id="waiting", hostnames=("waiting.example",)),
        RedirectRoute(id="www", hostnames=("www.web.example",), target="https://web.example/"),
    ]
    upstreams = {"web": "127.0.0.1:4001", "safe": "127.0.0.1:4002"}
    assert render_traefik(routes, upstreams) == {
        "http": {
            "routers": {
                "safe-plain": {
                    "rule": "Host(`safe.example`)",
                    "service": "noop@internal",
                    "entryPoints": ["web"],
                    "middlewares": ["to-secure"],
                },
                "safe": {
                    "rule": "Host(`safe.example`)",
                    "service": "safe",
                    "entryPoints": ["websecure"],
                    "tls": {"certResolver": "quarterdeck"},
                },
                "web": {
                    "rule": r"(Host(`web.example`) || HostRegexp(`^[^.]+\.web\.example$`))"
                    " && (Path(`/api`) || PathPrefix(`/api/`))",
                    "service": "web",
                    "entryPoints": ["web"],
                    "middlewares": ["web-strip"],
                },
                "www": {
                    "rule": "Host(`www.web.example`)",
                    "service": "noop@internal",
                    "entryPoints": ["web"],
                    "middlewares": ["www"],
                },
            },
            "services": {
                "web": {"loadBalancer": {"servers": [{"url": "http://127.0.0.1:4001"}], "passHostHeader": True}},
                "safe": {"loadBalancer": {"servers": [{"url": "h2c://127.0.0.1:4002"}], "passHostHeader": True}},
            },
            "middlewares": {
                "to-secure": {"redirectScheme": {"scheme": "https", "permanent": True}},
                "web-strip": {"stripPrefix": {"prefixes": ["/api"]}},
                "www": {
                    "redirectRegex": {
                        "regex": "^https?://[^/]+/?(.*)$",
                        "replacement": "https://web.example/${1}",
                        "permanent": True,
                    }
                },
            },
        }
    }


def test_no_route_renders_no_section():
    assert render_traefik([], {}) == {}


def test_files_are_not_traefiks_business():
    with pytest.raises(Invalid) as refused:
        render_traefik([StaticRoute(id="site", hostnames=("site.example",))], {})
    assert refused.value.code == "edge_proxy_static_unsupported"
