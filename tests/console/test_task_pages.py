"""The page of a task in each of its states, and what its terminal needs of the page around it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console import task_side
from console.portside import Portside
from quarterdeck.console.state import tone
from quarterdeck.tasks.work.transitions import (
    DISCONNECTED,
    ENDED,
    RATE_LIMITED,
    STAGE_GATE,
    STATES,
    SUSPENDED,
)

EVERY = [(status, None) for status in STATES if status != SUSPENDED]
EVERY += [(SUSPENDED, reason) for reason in (STAGE_GATE, DISCONNECTED, RATE_LIMITED)]


@pytest.mark.parametrize("state", EVERY, ids=lambda one: "-".join(filter(None, one)))
def test_a_task_shows_its_state_on_every_page_of_it(
    state: tuple[str, str | None], client: TestClient[Litestar], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(task_side.ALL, 142, replace(task_side.ASKS, state=state))
    word = tone("task", *state).word
    for path in ("", "/events", "/log", "/cancel"):
        answer = client.get(f"/console/tasks/142{path}")
        assert answer.status_code == 200, path
        assert path == "/cancel" or word in answer.text
    text = client.get("/console/tasks/142").text
    assert ("data-active" in text) is (state[0] not in ENDED)
    assert "<b>checkout</b>" not in text


def test_the_events_of_a_task_are_followed_until_its_end(client: TestClient[Litestar]) -> None:
    assert "topics=task-events%3A142" in client.get("/console/tasks/142/events").text
    (ended,) = [number for number, row in task_side.ALL.items() if row.state[0] == "failed"][:1]
    assert "topics=" not in client.get(f"/console/tasks/{ended}/events").text


def test_a_terminal_comes_with_its_drawing_and_with_words_for_who_has_no_scripts(client: TestClient[Litestar]) -> None:
    text = client.get("/console/tasks/141").text
    assert 'data-terminal data-task="141" data-may-take' in text
    assert re.search(r'<script src="/console/static/terminal\.[0-9a-f]+\.js" nonce="[^"]+" defer', text)
    assert '<noscript><p class="card-body">The terminal needs scripts.' in text
    for number in (143, 140):
        other = client.get(f"/console/tasks/{number}").text
        assert "data-terminal" not in other
        assert "xterm" not in other, "only who needs it loads it"


def test_what_the_terminal_of_an_ended_task_showed_can_be_seen_played_and_fetched(client: TestClient[Litestar]) -> None:
    text = client.get("/console/tasks/139").text
    assert 'data-terminal data-recording="/api/web/tasks/139/recordings/9f2c"' in text
    assert re.search(r"<button [^>]*data-term-play", text)
    assert 'href="/api/web/tasks/139/recordings/9f2c" download="task-139.cast"' in text
    assert re.search(r'<script src="/console/static/terminal\.[0-9a-f]+\.js"', text)


def test_a_gate_has_what_its_kind_takes_and_who_may_not_answer_is_told(
    client: TestClient[Litestar], monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = task_side.GATES[142]
    shown = client.get("/console/tasks/142").text
    assert re.findall(r'type="radio" name="choice" value="([^"]+)" required', shown) == list(choice.choices)
    monkeypatch.setitem(task_side.GATES, 142, replace(choice, kind="confirm", choices=()))
    shown = client.get("/console/tasks/142").text
    assert 'value="answer">Go on</button>' in shown
    assert 'type="radio"' not in shown
    monkeypatch.setitem(task_side.GATES, 142, replace(choice, kind="input", choices=()))
    assert 'name="value" rows="3" required' in client.get("/console/tasks/142").text
    refused = client.get("/console/tasks/138").text
    assert "You may not answer task #138" in refused
    assert 'name="deed"' not in refused


def test_an_answer_is_given_as_it_was_chosen(client: TestClient[Litestar], ports: Portside) -> None:
    ports.deeds.clear()
    headers = {"origin": "http://testserver.local"}
    for form in ({"choice": "blue", "deed": "answer"}, {"value": "Ada", "deed": "answer"}, {"deed": "reject"}):
        client.post("/console/tasks/142/answer", data={"stage": "2", **form}, headers=headers, follow_redirects=False)
    assert [deed[1:] for deed in ports.deeds] == [(142, 2, "blue"), (142, 2, "Ada"), (142, 2, None)]


def test_an_ended_task_has_no_way_to_speak_to_its_agent(
    client: TestClient[Litestar], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'name="content"' in client.get("/console/tasks/141").text
    for status in ENDED:
        monkeypatch.setitem(task_side.ALL, 141, replace(task_side.RUNS, state=(status, None)))
        assert 'name="content"' not in client.get("/console/tasks/141").text
