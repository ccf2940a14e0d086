"""A body may come long after its head; who sent the head has to be admitted when it is whole."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kernel.http.frame import USER, Doors, application
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.http import arriving
from quarterdeck.kernel.principal import Principal

LATE = 0.2
JSON = ("/deploy/things", b"application/json", [b'{"fullName":', b'"x"}'])
FORM = ("/deploy/form", b"application/x-www-form-urlencoded", [b"name=", b"x"])
PARTS = (
    "/deploy/form",
    b"multipart/form-data; boundary=b",
    [b'--b\r\ncontent-disposition: form-data; name="name"\r\n\r\n', b"x\r\n--b--\r\n"],
)


class Changing(Doors):
    """What somebody else takes away while a body trickles in."""

    def __init__(self) -> None:
        self.looks = 0
        self.ended = self.taken = False

    async def authenticate(self, connection: Any) -> Principal | None:
        self.looks += 1
        return None if self.ended else USER

    async def require(self, principal: Principal, permission: str, connection: object) -> None:
        if self.taken:
            raise Forbidden("Your role is gone.")


async def ask(
    doors: Changing, asked: tuple[str, bytes, list[bytes]], *, pause: float, change: str = "", leaves: bool = False
) -> int:
    """The status of a request whose body comes in two parts, with a pause and a change of `doors` between them; whoever
    `leaves` goes before the second one.
    """
    path, kind, parts = asked
    messages = iter(zip(parts, (True, False), strict=True))
    answered: list[int] = []

    async def receive() -> dict[str, Any]:
        body, more = next(messages)
        if not more:
            await asyncio.sleep(pause)
            if change:
                setattr(doors, change, True)
            if leaves:
                return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    app = application(authenticator=doors, authorizer=doors)
    headers = [(b"host", b"deck.test"), (b"content-type", kind), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "POST", "scheme": "http", "path": path, "raw_path": path.encode(), "state": {}}
    scope |= {"query_string": b"", "headers": headers, "client": ("192.0.2.1", 1), "server": ("deck.test", 80)}
    await app(scope, receive, send)
    return answered[0]


@pytest.mark.parametrize("asked", [JSON, FORM, PARTS], ids=["json", "form", "parts"])
@pytest.mark.parametrize(("change", "status"), [("ended", 401), ("taken", 403)])
async def test_a_body_that_ends_after_its_senders_rights_did_does_nothing(asked, change, status) -> None:
    assert await ask(Changing(), asked, pause=LATE, change=change) == status


async def test_a_late_body_of_somebody_who_is_still_admitted_is_taken() -> None:
    doors = Changing()
    assert (await ask(doors, JSON, pause=LATE), doors.looks) == (201, 2)


async def test_for_a_prompt_body_nobody_is_looked_up_again(monkeypatch) -> None:
    monkeypatch.setattr(arriving, "MOMENT", 10.0)  # however long this machine takes
    doors = Changing()
    assert (await ask(doors, JSON, pause=0), doors.looks) == (201, 1)


@pytest.mark.parametrize("asked", [JSON, FORM, PARTS], ids=["json", "form", "parts"])
async def test_who_goes_before_the_body_is_whole_is_refused_and_is_no_failure_of_ours(asked) -> None:
    assert await ask(Changing(), asked, pause=0, leaves=True) == 400
