"""The stream: state whole and only when it changed, lines by number, refusals as an end."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console.conftest import build_app
from console.infra_side import WAITS
from console.ledgerside import BASE, NOW
from console.portside import Portside
from quarterdeck.console.desk import Console, Desk
from quarterdeck.console.ports import Update
from quarterdeck.console.render import Renderer
from quarterdeck.console.stream import _events
from quarterdeck.console.views.deployments import LineView
from quarterdeck.console.views.infra_jobs import InfraJobView
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import Forbidden

WEB = "storefront/production/web"


async def heard(ports: Portside, topics: tuple[str, ...], after: int = 0) -> list[str]:
    """Every event until the stream ends."""
    desk = Desk(None, Console(ports, Renderer(HeldClock(NOW))), "mara", await ports.viewer("mara"), {})  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        return [event async for event in _events(desk, topics, after)]


def line(number: int, text: str = "x") -> LineView:
    return LineView(number, NOW, text)


async def test_a_stream_opens_with_the_whole_state_of_its_topics() -> None:
    ports = Portside()
    ports.updates.put_nowait(None)
    events = await heard(ports, (f"resource:{WEB}",))
    assert events[0] == ": open\n\n"
    for box in ("resource-head", "resource-side", "resource-history", "deployment-state"):
        assert f'id="{box}" hx-swap-oob="outerMorph"' in events[1]
    assert all(row.startswith("data: ") for row in events[1].rstrip("\n").split("\n"))
    assert events[1].endswith("\n\n")


async def test_the_events_of_a_task_are_sent_whole_so_that_none_stands_twice() -> None:
    ports = Portside()
    ports.updates.put_nowait(None)
    events = await heard(ports, ("task-events:142",))
    assert 'id="task-head" hx-swap-oob="outerMorph"' in events[1]
    assert 'id="task-events" hx-swap-oob="outerMorph"' in events[1]
    assert events[1].count("Task #142 runs.") == 1


async def test_a_change_that_changes_nothing_is_not_sent() -> None:
    ports = Portside()
    ports.updates.put_nowait(Update("home"))
    ports.updates.put_nowait(None)
    events = await heard(ports, ("home",))
    assert len([event for event in events if event.startswith("data:")]) == 1


async def test_a_change_is_sent_as_the_new_box() -> None:
    ports = Portside()
    topic = f"deployment:{WEB}/42"

    async def end() -> None:
        await asyncio.sleep(0.05)
        ports.ended = True
        ports.updates.put_nowait(Update(topic))
        await asyncio.sleep(0.2)
        ports.updates.put_nowait(None)

    ending = asyncio.create_task(end())
    events = await heard(ports, (topic,))
    await ending
    first, second = (event for event in events if event.startswith("data:"))
    assert "Verifying v42" in first
    assert "✓ Succeeded v42" in second
    assert "data-ended" in second


async def test_log_lines_are_resumed_after_the_last_one_seen_and_carry_their_number() -> None:
    ports = Portside()
    ports.updates.put_nowait(Update("log:deployment:dep_1", lines=(line(9, "<i>nine</i>"), line(10))))
    ports.updates.put_nowait(None)
    events = await heard(ports, ("log:deployment:dep_1",), 8)
    assert ports.followed == [(("log:deployment:dep_1",), 8)]
    (log,) = (event for event in events if "qd-log" in event)
    assert log.startswith("event: qd-log\nid: 10\n")
    assert 'id="L9"' in log
    assert "&lt;i&gt;nine&lt;/i&gt;" in log


async def test_a_flood_keeps_the_newest_lines_and_says_that_some_are_left_out() -> None:
    ports = Portside()
    ports.updates.put_nowait(Update("log:x", lines=tuple(line(n) for n in range(1, 3001))))
    ports.updates.put_nowait(None)
    events = await heard(ports, ("log:x",))
    gap, log = events[1:3]
    assert gap.startswith("event: qd-gap\n")
    assert "id: 3000\n" in log
    assert log.count("<li ") == 2000
    assert 'id="L1001"' in log


async def test_a_text_with_line_ends_cannot_forge_an_event() -> None:
    ports = Portside()
    ports.updates.put_nowait(Update("log:x", lines=(line(1, "a\n\nevent: qd-end\ndata: gone\rb"),)))
    ports.updates.put_nowait(None)
    events = await heard(ports, ("log:x",))
    log = events[1]
    assert (
        log.count("event:") - log.count("data: event:") - log.count("event: qd-end") == 1
        or "\nevent: qd-end" not in log
    )
    assert "\nevent: qd-end" not in log


async def test_a_refused_topic_ends_the_stream() -> None:
    ports = Portside()

    async def refuse(*_: Any) -> Any:
        raise Forbidden("No.")
        yield

    ports.follow = refuse  # type: ignore[method-assign]
    assert await heard(ports, ("log:x",)) == [": open\n\n"]


@pytest.mark.parametrize("topics", ["", "weather", "log:../../x", "resource:a/b/c,home,home,home,home", "project:a/b"])
def test_a_topic_of_another_form_is_refused(topics: str, client: TestClient[Litestar]) -> None:
    assert client.get(f"/console/stream?topics={topics}").status_code == 400


def test_a_stream_without_a_session_is_refused_where_a_script_understands_it(client: TestClient[Litestar]) -> None:
    client.cookies.clear()
    answer = client.get("/console/stream?topics=home", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/console/sign-in"


def test_the_page_names_its_stream_and_where_its_log_ends() -> None:
    with TestClient(build_app(Portside())) as client:
        client.cookies.set("qd_session", "mara")
        page = client.get(BASE).text
    assert (
        'data-connect="/console/stream?topics=resource%3Astorefront/production/web%2Clog%3Adeployment%3A'
        'dep_000000000042&amp;after=8"' in page
    )


def test_a_reader_who_may_not_follow_the_log_still_gets_the_state_live() -> None:
    """A stream is refused as a whole: its page names nothing that its reader may not have."""
    ports = Portside()
    ports.permissions -= {"deploy:deployments.logs"}
    with TestClient(build_app(ports)) as client:
        client.cookies.set("qd_session", "mara")
        for address in (BASE, f"{BASE}/deployments/42"):
            page = client.get(address).text
            assert "data-connect=" in page, address
            assert "log%3Adeployment" not in page, address


def test_a_stream_of_what_the_reader_may_not_see_is_refused_before_its_first_word(ports: Portside) -> None:
    async def refuse(*_: Any) -> None:
        raise Forbidden("No.")

    ports.admitted = refuse  # type: ignore[method-assign]
    with TestClient(build_app(ports)) as client:
        client.cookies.set("qd_session", "mara")
        assert client.get("/console/stream?topics=fleet").status_code == 403


async def test_a_job_of_infrastructure_is_drawn_anew_with_its_end_and_without_a_choice_that_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ports = Portside()
    ports.updates.put_nowait(None)
    (waits,) = [event for event in await heard(ports, (f"infra-job:{WAITS}",)) if "infra-job-head" in event]
    assert "Choose runner" in waits
    over = replace(await ports.infra_job("mara", WAITS, 0), may_pin=False, moments=(("Ended", NOW),))

    async def ended(*_: object) -> InfraJobView:
        return over

    monkeypatch.setattr(ports, "infra_job", ended)
    ports.updates.put_nowait(None)
    (told,) = [event for event in await heard(ports, (f"infra-job:{WAITS}",)) if "infra-job-head" in event]
    assert "Choose runner" not in told
    assert re.search(r'id="infra-job-pin"[^>]* hidden', told)
    assert re.search(r'id="infra-job-facts".*<dt>Ended</dt>', told, re.DOTALL)
