"""Event streams and sockets begin, keep alive, fail and end as documented."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from kernel.http.frame import USER, Doors, application
from quarterdeck.kernel.errors import NotFound, Unauthenticated
from quarterdeck.kernel.http.sse import STILL_ADMITTED, EventStream

TOKEN = {"authorization": "Bearer good"}


@pytest.fixture
def client():
    with TestClient(application()) as opened:
        yield opened


def test_a_stream_opens_with_a_comment_and_ends_with_done(client) -> None:
    answer = client.get("/deploy/stream/ends", headers=TOKEN)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == (': open\n\nevent: message\nid: 7\ndata: {"n":1}\n\nevent: done\ndata: {"last":true}\n\n')


def test_head_of_a_stream_ends_at_once(client) -> None:
    answer = client.head("/deploy/stream/waits", headers=TOKEN)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_problem_in_the_source_becomes_an_error_event_in_the_dialect(client) -> None:
    last = client.get("/deploy/stream/fails", headers=TOKEN).text.split("\n\n")[-2]
    kind, data = last.split("\n")
    assert kind == "event: error"
    assert msgspec.json.decode(data.removeprefix("data: "))["error"]["code"] == "stream_conflict"


async def play(stream: EventStream, *, leave_after: int, slow: bool = False, still=None) -> list[bytes]:
    """Run a stream against a client that leaves after so many chunks."""
    sent: list[bytes] = []
    leave = asyncio.Event()

    async def receive():
        await leave.wait()
        return {"type": "http.disconnect"}

    async def send(message) -> None:
        if message["type"] == "http.response.body":
            if slow and sent:
                await asyncio.sleep(60)
            sent.append(message["body"])
            if len(sent) >= leave_after:
                leave.set()

    async with asyncio.timeout(5):
        await stream({"type": "http", "state": {STILL_ADMITTED: still}}, receive, send)
    return sent


async def silent(closed: asyncio.Event):
    try:
        yield {"n": 1}
        await asyncio.sleep(60)
    finally:
        closed.set()


async def test_silence_is_filled_with_comments_and_leaving_closes_the_source() -> None:
    closed = asyncio.Event()
    sent = await play(EventStream(silent(closed), keep_alive=0.01), leave_after=4)
    assert sent[2:4] == [b": keep-alive\n\n"] * 2
    assert closed.is_set()


async def test_a_client_that_takes_nothing_is_dropped() -> None:
    closed = asyncio.Event()
    sent = await play(EventStream(silent(closed), keep_alive=1, patience=0.05), leave_after=9, slow=True)
    assert sent == [b": open\n\n"]
    assert closed.is_set()


def test_a_socket_speaks_documented_frames(client) -> None:
    with client.websocket_connect("/deploy/echo/hall", headers=TOKEN) as socket:
        socket.send_text('{"text":"hello"}')
        assert socket.receive_json() == {"text": "hall: hello"}


@pytest.mark.parametrize("frame", [b'{"text":1}', b'{"text":"\xe5"}', b"[" * 20_000, b""])
def test_a_malformed_frame_closes_the_socket(client, frame) -> None:
    with client.websocket_connect("/deploy/echo/hall", headers=TOKEN) as socket:
        socket.send_bytes(frame)
        with pytest.raises(WebSocketDisconnect) as left:
            socket.receive_json()
    assert left.value.code == 1007


@pytest.mark.parametrize(("headers", "code"), [({}, 4401), ({"authorization": "Bearer bad"}, 4401)])
def test_a_socket_without_a_credential_is_closed(client, headers, code) -> None:
    with pytest.raises(WebSocketDisconnect) as left, client.websocket_connect("/deploy/echo/hall", headers=headers):
        pass
    assert left.value.code == code


def test_a_socket_by_cookie_has_to_come_from_our_own_pages(client) -> None:
    client.cookies["qd_session"] = "good"
    foreign = {"origin": "http://elsewhere.test"}
    with pytest.raises(WebSocketDisconnect) as left, client.websocket_connect("/deploy/echo/a", headers=foreign):
        pass
    assert left.value.code == 4403
    with client.websocket_connect("/deploy/echo/a", headers={"origin": "http://testserver.local"}) as socket:
        socket.send_text('{"text":"x"}')
        assert socket.receive_json() == {"text": "a: x"}


async def test_a_stream_ends_soon_after_its_session_was_revoked() -> None:
    asked: list[int] = []

    async def still() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise Unauthenticated("The session has ended.")

    closed = asyncio.Event()
    sent = await play(EventStream(silent(closed), keep_alive=0.01), leave_after=1000, still=still)
    assert sent[-2:] == [b'event: error\ndata: {"error":"The session has ended."}\n\n', b""]
    assert closed.is_set()


async def test_a_stream_ends_soon_after_what_it_follows_is_found_no_more() -> None:
    asked: list[int] = []

    async def found() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise NotFound("There is no such deployment.")

    closed = asyncio.Event()
    sent = await play(EventStream(silent(closed), keep_alive=0.01, found=found), leave_after=1000)
    assert sent[-2:] == [b'event: error\ndata: {"error":"There is no such deployment."}\n\n', b""]
    assert closed.is_set()


class Moving(Doors):
    """The caller's session acts in another organization from the second look on."""

    def __init__(self) -> None:
        self.looks = 0

    async def authenticate(self, connection):
        self.looks += 1
        return replace(USER, organization_id=1 if self.looks == 1 else 2)


def test_a_stream_ends_soon_after_its_session_moved_to_another_organization() -> None:
    with TestClient(application(authenticator=Moving())) as client:
        *_, last = client.get("/deploy/stream/waits").text.strip().split("\n\n")
    kind, data = last.splitlines()
    assert kind == "event: error"
    assert msgspec.json.decode(data.removeprefix("data: "))["error"]["code"] == "product_auth_forbidden"
