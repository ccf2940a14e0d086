"""The configuration as a value."""

from __future__ import annotations

import json
import re
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace

import pytest

from quarterdeck import front_door
from quarterdeck.fleet.edge.configuration import EdgeOptions, ports_of, render_caddy
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.ports import Ports
from quarterdeck.fleet.edge.program import Account, privilege_arguments, start_command, start_environment
from quarterdeck.fleet.edge.routes import (
    ProxyRoute,
    RedirectRoute,
    Route,
    StaticRoute,
    check_routes,
    decode_route,
    encode_route,
)
from quarterdeck.kernel.errors import Conflict, Invalid

LAYOUT = Layout(Path("/srv/quarterdeck/edge"))
PORTS = Ports(http=8080, https=8443, address="127.0.0.1")
ROUTES: list[Route] = [
    ProxyRoute(id="web", hostnames=("web.example",), stream_close_delay=60, max_request_body=1000),
    StaticRoute(id="site", hostnames=("site.example",)),
    RedirectRoute(id="www", hostnames=("www.example",), target="https://web.example"),
    ProxyRoute(id="safe", hostnames=("safe.example",), tls="auto", upstream_protocol="https"),
]


def test_the_order_of_routes_does_not_matter():
    wanted = render_caddy(ROUTES, LAYOUT, PORTS, EdgeOptions())
    assert all(render_caddy(order, LAYOUT, PORTS, EdgeOptions()) == wanted for order in permutations(ROUTES))


def test_a_proxy_route_reads_its_upstream_from_its_file():
    server = render_caddy(ROUTES[:1], LAYOUT, PORTS, EdgeOptions())["apps"]["http"]["servers"]["http"]
    [route] = [route for route in server["routes"] if route.get("match") == [{"host": ["web.example"]}]]
    upstream = "{file./srv/quarterdeck/edge/upstreams/web}"
    assert route == {
        "match": [{"host": ["web.example"]}],
        "handle": [
            {"handler": "log_append", "key": "route", "value": "web"},
            {
                "handler": "subroute",
                "routes": [
                    {
                        "match": [{"vars": {upstream: [""]}}],
                        "handle": [{"handler": "error", "status_code": 503}],
                    }
                ],
            },
            {"handler": "request_body", "max_size": 1000},
            {
                "handler": "reverse_proxy",
                "transport": {
                    "protocol": "http",
                    "dial_timeout": 3_000_000_000,
                    "response_header_timeout": 300_000_000_000,
                    "keep_alive": {"enabled": True, "idle_timeout": 30_000_000_000, "max_idle_conns_per_host": 64},
                },
                "upstreams": [{"dial": upstream}],
                "stream_close_delay": 60_000_000_000,
                "load_balancing": {"try_duration": 2_000_000_000, "try_interval": 50_000_000},
            },
        ],
        "terminal": True,
    }


def test_tls_is_nowhere_without_a_route_that_wants_it():
    plain = render_caddy(ROUTES[:3], LAYOUT, PORTS, EdgeOptions())
    assert set(plain["apps"]) == {"http"}
    assert set(plain["apps"]["http"]["servers"]) == {"http", "candidates"}
    options = EdgeOptions(acme_email="ops@example.org", acme_directory="https://ca.example/directory")
    secure = render_caddy(ROUTES, LAYOUT, PORTS, options)
    assert secure["apps"]["http"]["servers"]["https"]["listen"] == ["127.0.0.1:8443"]
    issuer = {"module": "acme", "ca": "https://ca.example/directory", "email": "ops@example.org"}
    policy = {"subjects": ["safe.example"], "issuers": [issuer]}
    assert secure["apps"]["tls"] == {"automation": {"policies": [policy]}}


def test_the_admin_interface_and_candidates_listen_on_private_sockets_alone():
    rendered = render_caddy(ROUTES, LAYOUT, PORTS, EdgeOptions())
    assert rendered["admin"] == {
        "listen": "unix//srv/quarterdeck/edge/admin.sock|0600",
        "config": {"persist": True},
    }
    candidates = rendered["apps"]["http"]["servers"]["candidates"]
    assert candidates["listen"] == ["unix//srv/quarterdeck/edge/candidate.sock|0600"]


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (f"/api/auth/invite/{'a' * 64}", "/api/auth/invite/"),
        (f"/api/auth/password-reset/{'a' * 64}?next=1", "/api/auth/password-reset/"),
        ("/console/sign-in/team/callback?code=abc&state=def", "/console/sign-in/team/callback"),
        ("/api/inventory/server/ssh/web?token=abc?more", "/api/inventory/server/ssh/web"),
        ("/api/auth/oidc/team/logout", "/api/auth/oidc/team/logout"),
        (f"/files/{'a' * 64}", f"/files/{'a' * 64}"),
    ],
)
def test_no_log_keeps_the_secret_of_a_link(asked: str, kept: str):
    """Of the control plane's own site and of every other, in both logs."""
    for log in render_caddy(ROUTES, LAYOUT, PORTS, EdgeOptions())["logging"]["logs"].values():
        fields = log["encoder"]["fields"]
        cut = fields["request>uri"]
        assert (cut["filter"], cut["value"]) == ("regexp", "${1}")
        assert re.sub(cut["regexp"], r"\1", asked) == kept
        assert fields["request>headers"] == fields["resp_headers"] == {"filter": "delete"}


@pytest.mark.parametrize("ports", [PORTS, Ports(http=80, https=443), Ports(http=80, https=443, address="::1")])
def test_the_ports_can_be_read_back(ports: Ports):
    assert ports_of(render_caddy([], LAYOUT, ports, EdgeOptions())) == ports


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.id)
def test_a_route_survives_its_file(route: Route):
    assert decode_route(encode_route(route)) == route


@pytest.mark.parametrize("directory", ["relative/edge", "/srv/{env.HOME}/edge", "/srv/" + "long/" * 20 + "edge"])
def test_a_directory_that_cannot_hold_an_edge_is_refused(directory: str):
    with pytest.raises(Invalid):
        Layout(Path(directory))


def test_the_start_command_detaches_and_drops_what_it_can():
    command = start_command(Path("/bin/caddy"), LAYOUT, None)
    assert command[:2] == ["/bin/sh", "-c"]
    assert command[3:5] == ["edge", "/srv/quarterdeck/edge/log/start.log"]
    assert command[-5:] == ["/bin/caddy", "run", "--resume", "--config", "/srv/quarterdeck/edge/starting.json"]
    only = [f"--{name}=-all,+net_bind_service" for name in ("inh-caps", "ambient-caps", "bounding-set")]
    assert privilege_arguments(1000, None, "setpriv") == ["setpriv", "--no-new-privs"]
    assert privilege_arguments(0, None, "setpriv") == ["setpriv", "--no-new-privs", "--clear-groups", *only]
    who = ["--reuid=7", "--regid=8", "--clear-groups"]
    assert privilege_arguments(0, Account(7, 8), "setpriv") == ["setpriv", "--no-new-privs", *who, *only]
    assert privilege_arguments(0, None, None) == []


def test_the_environment_of_the_control_plane_stays_there():
    given = {"QUARTERDECK_DATABASE_URL": "secret", "HTTPS_PROXY": "http://proxy", "PATH": "/x"}
    environment = start_environment(LAYOUT, given)
    assert environment["HTTPS_PROXY"] == "http://proxy"
    assert "secret" not in str(environment)
    assert environment["XDG_CONFIG_HOME"] == "/srv/quarterdeck/edge/autosave"


def test_a_hostname_is_one_owners_with_all_of_its_paths():
    def route(name: str, owner: str, prefix: str = "/", host: str = "deck.example") -> Route:
        return ProxyRoute(id=name, owner=owner, hostnames=(host,), path_prefix=prefix)

    check_routes([route("web", "one"), route("api", "one", "/api"), route("other", "two", host="other.example")])
    check_routes([route("web", "uid.one"), route("api", "one", "/api")])  # written by an earlier version
    with pytest.raises(Conflict):
        check_routes([route("web", ""), route("api", "one", "/api")])
    with pytest.raises(Conflict):  # the first organizations of two installations
        check_routes([route("web", "uid.one"), route("api", "other-uid.one", "/api")])
    for prefix in ("/", "/console", "/console/deep"):
        with pytest.raises(Conflict) as refused:
            check_routes([route("quarterdeck", "quarterdeck"), route("res_1", "one", prefix)])
        assert refused.value.code == "edge_proxy_route_conflict"
        assert "deck.example" in refused.value.message


def test_a_connection_to_an_upstream_is_kept_as_long_as_its_route_says():
    route = ProxyRoute(id="door", hostnames=("door.example",), tls="disabled", idle=3)
    assert '"idle_timeout": 3000000000' in json.dumps(render_caddy([route], LAYOUT, PORTS, EdgeOptions()))


def test_the_edge_lets_go_of_a_connection_to_the_control_plane_before_the_server_does():
    settings = SimpleNamespace(
        public_url="https://deck.example", no_edge=False, tls="off", tls_certificate=None, tls_key=None
    )
    door = front_door.route(settings)
    assert 0 < door.idle < front_door.KEPT_SECONDS
