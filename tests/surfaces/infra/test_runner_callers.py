"""Who is let in as a foreign runner, and where: by id and token, on its own routes alone."""

from __future__ import annotations

import pytest

from surfaces.infra.foreign_runner import ForeignRunner
from surfaces.infra.runner_yard import NOBODY, runner


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "Missing X-Worker-ID or X-Worker-Token"),
        ({"X-Worker-ID": "ID"}, "Missing X-Worker-ID or X-Worker-Token"),
        ({"X-Worker-Token": "TOKEN"}, "Missing X-Worker-ID or X-Worker-Token"),
        ({"X-Worker-ID": "", "X-Worker-Token": ""}, "Missing X-Worker-ID or X-Worker-Token"),
        ({"X-Worker-ID": "ID", "X-Worker-Token": "wrong"}, "Invalid worker ID or token"),
        ({"X-Worker-ID": NOBODY, "X-Worker-Token": "TOKEN"}, "Invalid worker ID or token"),
        ({"X-Worker-ID": "no id", "X-Worker-Token": "TOKEN"}, "Invalid worker ID or token"),
        ({"X-Runner-ID": "ID", "X-Runner-Token": "TOKENx"}, "Invalid worker ID or token"),
    ],
)
async def test_who_shows_no_id_and_token_that_belong_together_is_not_let_in(crew, headers, told):
    made = await runner(crew)
    shown = {key: value.replace("ID", made.id).replace("TOKEN", made.token) for key, value in headers.items()}
    for method, path in (
        ("POST", "/api/workers/heartbeat"), ("POST", "/api/jobs/claim"), ("PUT", f"/api/jobs/{NOBODY}/status"),
        ("POST", f"/api/jobs/{NOBODY}/logs"), ("POST", f"/api/jobs/{NOBODY}/git-token"), ("GET", "/api/runners/wake"),
        ("PATCH", f"/api/workers/{made.id}/metadata"), ("DELETE", f"/api/workers/{made.id}"),
    ):  # fmt: skip
        answer = await crew.send(method, path, None, token=None, headers=shown)
        assert (answer.status_code, answer.json()["error"]) == (401, told), (method, path)


async def test_a_person_is_no_runner_and_a_runner_no_person(crew):
    made = await runner(crew)
    answer = await crew.send("POST", "/api/jobs/claim")
    assert (answer.status_code, answer.json()["error"]) == (401, "Missing X-Worker-ID or X-Worker-Token")
    for method, path in (
        ("GET", "/api/cli/workers"), ("POST", "/api/jobs"), ("GET", "/api/projects"),
        ("GET", "/api/cli/configurations"), ("GET", "/api/v1/session"), ("GET", "/api/web/machines"),
        ("POST", "/api/workers/refresh-token"), ("GET", f"/api/jobs/{NOBODY}/state"),
    ):  # fmt: skip
        answer = await made.send(method, path)
        assert answer.status_code in {401, 404, 405}, (method, path, answer.text)


async def test_a_token_does_not_open_the_control_channel_of_workers(crew):
    made = await runner(crew)
    body = {"machineId": made.id, "recoverySecret": made.token}
    answer = await crew.send("POST", "/api/workers/recover", body, token=None)
    assert answer.status_code == 401


async def test_who_guesses_tokens_is_sent_away_and_the_runner_itself_is_not(crew):
    made = await runner(crew)
    await made.heartbeat()
    transport = crew.deck.client._transport
    transport.client = ("203.0.113.9", 4711)
    await made.heartbeat()
    for number in range(40):
        guess = ForeignRunner(crew.deck.client, made.id, f"{number:064x}")
        answer = await guess.send("POST", "/api/workers/heartbeat")
    assert answer.status_code == 429
    assert answer.json().keys() - {"hint"} == {"code", "error"}
    assert await made.heartbeat() == []
