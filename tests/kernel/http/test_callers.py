"""Programs come to some routes by credentials of their own, which are good there and nowhere else."""

from __future__ import annotations

import pytest
from litestar.testing import TestClient

from kernel.http.frame import DIALECTS, Doors
from quarterdeck.kernel.errors import RateLimited, Unauthenticated
from quarterdeck.kernel.http.application import Frame, build
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.http.guard import Guard
from quarterdeck.kernel.http.openapi import document
from quarterdeck.kernel.http.seats import Seats
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.principal import Principal

PERSON = {"authorization": "Bearer good"}
PROGRAM = {"x-key": "right"}
CARRIER = Principal(kind="runner", id=7, uid="runner-7", label="rack-7")


class Keys:
    """Knows one key, in a header of its own."""

    def credential(self, connection):
        return connection.headers.get("x-key")

    def missing(self):
        return Unauthenticated("Show your key.", code="key_missing")

    async def authenticate(self, connection):
        if connection.headers.get("x-key") != "right":
            raise Unauthenticated("This key is nobody's.", code="key_invalid")
        return CARRIER


def served(**frame):
    async def who(call: Call) -> dict[str, str]:
        return {"who": call.principal.uid}

    @route("POST", "/infra/inner", permission="public")
    async def inner(call: Call) -> dict[str, str]:
        guard: Guard = call.service("guard")
        await guard.admit(call.request, "authenticated", by="key")
        return {"who": call.principal.uid}

    def routed(path: str, permission: str, **options):
        async def handler(call: Call) -> dict[str, str]:
            return await who(call)

        handler.__name__ = path.strip("/").replace("/", "_")
        return route("POST", path, permission=permission, **options)(handler)

    handlers = [
        routed("/infra/programs", "authenticated", callers=("key",)),
        routed("/infra/both", "forbidden", callers=("key", "people")),
        routed("/infra/people", "authenticated"),
        routed("/infra/few", "authenticated", callers=("key",), each=Rate(2, 60)),
        inner,
    ]
    doors = Doors()
    return build(
        handlers, Frame(authenticator=doors, authorizer=doors, dialects=DIALECTS, callers={"key": Keys()}, **frame)
    )


@pytest.fixture
def client():
    with TestClient(served()) as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/infra/programs", PROGRAM, 200),
        ("/infra/programs", {"x-key": "wrong"}, 401),
        ("/infra/programs", {}, 401),
        ("/infra/programs", PERSON, 401),
        ("/infra/programs", PERSON | PROGRAM, 200),
        ("/infra/programs", PERSON | {"x-key": "wrong"}, 401),
        ("/infra/both", PROGRAM, 200),
        ("/infra/both", PERSON, 403),  # people need the permission
        ("/infra/both", {}, 401),
        ("/infra/people", PROGRAM, 401),
        ("/infra/people", PERSON, 200),
        ("/infra/inner", PROGRAM, 200),
        ("/infra/inner", PERSON, 401),
        ("/infra/inner", {}, 401),
    ],
)
def test_a_credential_counts_on_the_routes_that_name_it(client, path, headers, status):
    assert client.post(path, headers=headers).status_code == status


def test_who_shows_nothing_is_told_what_to_show(client):
    assert client.post("/infra/programs").json()["error"] == "Show your key."


def test_a_cookie_is_no_credential_of_a_program(client):
    client.cookies["qd_session"] = "good"
    assert client.post("/infra/programs").status_code == 401
    assert client.post("/infra/programs", headers=PROGRAM).json() == {"who": "runner-7"}


def test_a_credential_calls_a_route_so_often_and_another_still_may():
    with TestClient(served()) as client:
        answers = [client.post("/infra/few", headers=PROGRAM).status_code for _ in range(3)]
        assert answers == [200, 200, 429]
        assert client.post("/infra/programs", headers=PROGRAM).status_code == 200


def test_runners_have_a_limit_of_their_own():
    with TestClient(served(per_runner=Rate(1, 60), per_credential=Rate(9, 60))) as client:
        assert [client.post("/infra/programs", headers=PROGRAM).status_code for _ in range(2)] == [200, 429]
        assert {client.post("/infra/people", headers=PERSON).status_code for _ in range(5)} == {200}


def test_the_document_names_who_may_call():
    paths = document(served(), title="x", version="1", schemes={"key": {"type": "apiKey"}})["paths"]
    assert paths["/infra/programs"]["post"]["security"] == [{"key": []}]
    assert paths["/infra/both"]["post"]["security"] == [{"key": []}, {"bearer": []}, {"session": []}]


def test_seats_are_few_for_each_and_for_all_and_come_back():
    seats = Seats("streams", per_caller=2, total=3)
    first, _ = seats.take("ada"), seats.take("ada")
    with pytest.raises(RateLimited, match="You have 2"):
        seats.take("ada")
    seats.take("bea")
    with pytest.raises(RateLimited, match="All 3"):
        seats.take("cee")
    first.leave()
    first.leave()  # once or more often
    seats.take("cee")
    with pytest.raises(RateLimited):
        seats.take("dee")
