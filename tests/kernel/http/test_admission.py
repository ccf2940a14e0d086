"""Who comes in, by which credential, and from where."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import HTTPRouteHandler
from litestar.testing import TestClient

from kernel.http.frame import DIALECTS, Doors, application
from quarterdeck.kernel.http.application import Frame, build
from quarterdeck.kernel.http.guard import names_this_machine
from quarterdeck.kernel.http.perimeter import Perimeter, Proxies, Surroundings
from quarterdeck.kernel.http.strangers import FAILURES
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.limits import Rate, counted_as
from quarterdeck.kernel.principal import Context, current

TOKEN = {"authorization": "Bearer good"}
NEW = {"fullName": "x"}


@pytest.fixture
def client():
    with TestClient(application()) as opened:
        yield opened


def test_without_a_credential_the_answer_is_401(client) -> None:
    answer = client.get("/deploy/things")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "product_auth_missing")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_bad_authorization_header_is_401_even_beside_a_good_cookie(client) -> None:
    client.cookies["qd_session"] = "good"
    assert client.get("/deploy/things").status_code == 200
    assert client.get("/deploy/things", headers={"authorization": "Bearer bad"}).status_code == 401


def test_a_public_route_is_the_anonymous_users_never_the_systems(client) -> None:
    assert client.get("/deploy/open", headers={"authorization": "Bearer bad"}).json() == {
        "principal": "anonymous",
        "kind": "user",
    }


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "http://elsewhere.test"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://testserver.local"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://testserver.local"}, 201),
        ({"sec-fetch-site": "same-origin"}, 201),
        ({"sec-fetch-site": "none"}, 201),
        ({"origin": "http://elsewhere.test", "sec-fetch-site": "same-origin"}, 403),
    ],
)
def test_a_change_by_cookie_has_to_come_from_our_own_pages(client, headers, status) -> None:
    client.cookies["qd_session"] = "good"
    assert client.post("/deploy/things", json=NEW, headers=headers).status_code == status


def test_a_change_by_token_needs_no_origin(client) -> None:
    assert (
        client.post("/deploy/things", json=NEW, headers=TOKEN | {"origin": "http://elsewhere.test"}).status_code == 201
    )


def test_a_route_that_declares_no_permission_stops_the_start() -> None:
    async def bare() -> None: ...

    doors = Doors()
    with pytest.raises(ImproperlyConfiguredException, match="/bare"):
        build(
            [HTTPRouteHandler("/bare", http_method="GET")(bare)],
            Frame(authenticator=doors, authorizer=doors, dialects=DIALECTS),
        )


def test_a_credential_that_calls_too_often_has_to_wait() -> None:
    with TestClient(application(per_credential=Rate(2, 1))) as client:
        answers = [client.get("/runbooks/things", headers=TOKEN) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json() == {"error": "Rate limit exceeded: 2 per 1 second"}
    assert answers[2].headers["retry-after"] == "1"


def test_an_address_that_calls_too_often_has_to_wait() -> None:
    with TestClient(application(per_address=Rate(2, 1))) as client:
        answers = [client.get("/runbooks/things", headers=headers) for headers in (TOKEN, {}, TOKEN)]
    assert [answer.status_code for answer in answers] == [200, 401, 429]


class Counting(Doors):
    def __init__(self) -> None:
        self.looked = 0

    async def authenticate(self, connection):
        self.looked += 1
        return await super().authenticate(connection)


def test_who_guesses_bearers_is_sent_away_without_a_look_and_nobody_else_is() -> None:
    doors = Counting()
    with TestClient(application(authenticator=doors)) as client:
        assert client.get("/runbooks/things", headers=TOKEN).status_code == 200
        wrong = [
            client.get("/runbooks/things", headers={"authorization": f"Bearer guess{n}"}).status_code
            for n in range(FAILURES.count + 20)
        ]
        assert wrong[: FAILURES.count] == [401] * FAILURES.count
        assert set(wrong[FAILURES.count + 2 :]) == {429}
        assert doors.looked <= FAILURES.count + 3
        assert client.get("/runbooks/things", headers=TOKEN).status_code == 200


def test_an_unknown_host_is_refused_when_hosts_are_named() -> None:
    with TestClient(application(surroundings=Surroundings(allowed_hosts=("deck.test",)))) as client:
        assert client.get("/broker/things", headers=TOKEN | {"host": "evil.test"}).status_code == 421
        assert client.get("/broker/things", headers=TOKEN | {"host": "deck.test:8700"}).status_code == 200


def test_forwarded_addresses_count_only_from_trusted_proxies() -> None:
    proxies = Proxies(["10.0.0.0/8"])
    assert proxies.client("10.0.0.1", "203.0.113.9, 10.0.0.2") == "203.0.113.9"
    assert proxies.client("10.0.0.1", "1.1.1.1, 203.0.113.9") == "203.0.113.9"
    assert proxies.client("198.51.100.1", "203.0.113.9") == "198.51.100.1"
    assert proxies.client("10.0.0.1", None) == "10.0.0.1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "caf\xe9", 'a"b'])
def test_an_unsafe_request_id_is_replaced_whoever_sends_it(given) -> None:
    context = seen({"client": ("10.0.0.1", 1)}, [(b"x-request-id", given.encode("latin-1"))])
    assert context.request_id.startswith("req_")


def test_head_answers_like_get_without_a_body(client) -> None:
    answer = client.head("/deploy/things", headers=TOKEN)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


def test_every_answer_carries_the_security_headers(client) -> None:
    for answer in (client.get("/deploy/open"), client.get("/nowhere")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("value", ["true", "1", "True"])
def test_query_values_are_coerced(client, value) -> None:
    asked = f"/deploy/things?pageSize=5&archived={value}&tags=a&tags=b,c&scope[kind]=server&unknown=1"
    answer = client.get(asked, headers=TOKEN)
    assert answer.json()["query"] == {
        "pageSize": 5,
        "archived": True,
        "tags": ["a", "b", "c"],
        "scope.kind": "server",
    }


def seen(scope: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> Context:
    """What the perimeter makes of a request, with one trusted network and the socket of the edge."""
    found: list[Context] = []

    async def app(scope, receive, send) -> None:
        found.append(current.get())

    surroundings = Surroundings(edge_socket="/run/deck/control.sock", trusted_proxies=("10.0.0.0/8",))
    perimeter = Perimeter(app, dialects=DIALECTS, surroundings=surroundings, ids=Ids())
    request = {"type": "http", "method": "GET", "path": "/", "client": None, "server": None, "scheme": "http"}
    asyncio.run(perimeter({**request, **scope, "headers": headers}, None, None))
    return found[0]


def test_a_proxys_own_line_of_forwarded_addresses_counts_before_the_clients() -> None:
    lines = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"203.0.113.9")]
    assert seen({"client": ("10.0.0.1", 1)}, lines).address == "203.0.113.9"


@pytest.mark.parametrize(
    ("scope", "believed"),
    [
        ({"server": ("/run/deck/control.sock", None)}, True),
        ({"client": ("10.0.0.1", 1)}, True),
        ({"client": ("203.0.113.9", 1)}, False),
        ({"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8700)}, False),
        ({}, False),
    ],
)
def test_a_request_is_named_by_the_edge_or_a_proxy_and_never_by_its_sender(scope, believed) -> None:
    own = "00000000-0000-7000-8000-000000000001"
    context = seen(scope, [(b"x-request-id", b"req_of-another"), (b"x-correlation-id", own.encode())])
    assert (context.request_id == "req_of-another") is believed
    assert context.correlation_id == own


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("1.2.3.4", "1.2.3.5", False),
        ("::ffff:1.2.3.4", "1.2.3.4", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("-", "-", True),
        ("127.0.0.1", "127.255.3.4", True),
        ("127.0.0.1", "::1", True),
        ("127.0.0.1", "::ffff:127.0.0.9", True),
        ("127.0.0.1", "128.0.0.1", False),
    ],
)
def test_an_ipv6_customer_and_this_machine_are_each_counted_as_one(one, other, same) -> None:
    assert (counted_as(one) == counted_as(other)) is same


@pytest.mark.parametrize("host", ["localhost:8700", "LOCALHOST", "127.0.0.1:1", "[::1]:8700", "deck.localhost"])
def test_this_machines_own_names_are_known(host) -> None:
    assert names_this_machine(host)


@pytest.mark.parametrize("host", ["", "evil.example", "localhost.evil.example:8700", "127.0.0.1.evil.example", "[::2]"])
def test_other_names_of_this_machine_are_not_its_own(host) -> None:
    assert not names_this_machine(host)


@pytest.mark.parametrize(
    ("server", "believed"),
    [
        (("/run/deck/control.sock", None), True),
        (("/run/other.sock", None), False),
        (("deck.test", None), False),
        (("127.0.0.1", 8700), False),
        (None, False),
    ],
)
def test_only_what_comes_by_the_edges_own_socket_may_say_who_calls(server, believed) -> None:
    seen: list[tuple[str | None, str]] = []

    async def app(scope, receive, send) -> None:
        seen.append((current.get().address, scope["scheme"]))

    surroundings = Surroundings(edge_socket="/run/deck/control.sock", trusted_proxies=("10.0.0.0/8",))
    perimeter = Perimeter(app, dialects=DIALECTS, surroundings=surroundings, ids=Ids())
    lines = [(b"x-forwarded-for", b"203.0.113.9, 10.0.0.2"), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": lines, "client": None, "scheme": "http"}
    asyncio.run(perimeter({**scope, "server": server}, None, None))
    assert seen == [("203.0.113.9", "https") if believed else (None, "http")]
