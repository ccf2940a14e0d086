"""What agent programs tell over their hooks, and who is not heard."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shlex
import subprocess
import tomllib

import pytest

from quarterdeck.tasks.orders import MOST_DOLLARS, MOST_TOKENS, UsageReport
from quarterdeck.tasks.running import calls, hook
from quarterdeck.tasks.running.calls import Call, HookSocket
from quarterdeck.tasks.running.stage import MOST_SESSIONS, Tally


@pytest.fixture
async def heard():
    said: list[Call] = []
    socket = HookSocket(None, "secret", said.append)
    await socket.open()
    yield socket, said
    await socket.close()
    assert not socket.directory.exists()


async def call(socket, *arguments, stdin="", token=None):
    environment = socket.environment(os.environ["PATH"])
    if token is not None:
        environment[hook.TOKEN] = token
    argv = [*shlex.split(environment[hook.COMMAND]), *arguments]
    done = await asyncio.to_thread(subprocess.run, argv, input=stdin.encode(), env=environment, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), "a hook never stops its agent"


async def test_claude_code_tells_its_turns_its_session_and_what_it_used(heard, tmp_path):
    socket, said = heard
    transcript = tmp_path / "session.jsonl"
    used = {"input_tokens": 10, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 1, "output_tokens": 3}
    entries = [
        {"type": "user", "message": {"content": "hello"}},
        {"type": "assistant", "message": {"id": "m1", "usage": {**used, "output_tokens": 1}}},
        {"type": "assistant", "message": {"id": "m1", "usage": used}},
        {"type": "assistant", "message": {"id": "m2", "usage": used}},
    ]
    transcript.write_text("".join(json.dumps(one) + "\n" for one in entries) + 'half "usage"')
    base = {"session_id": "s1", "transcript_path": str(transcript)}
    await call(socket, "claude", stdin=json.dumps({**base, "hook_event_name": "UserPromptSubmit"}))
    await call(socket, "claude", stdin=json.dumps({**base, "hook_event_name": "Stop"}))
    note = {**base, "hook_event_name": "Notification", "message": "may I?", "notification_type": "permission_prompt"}
    await call(socket, "claude", stdin=json.dumps(note))
    assert [(one.event, one.session) for one in said] == [
        ("prompt", "s1"),
        ("turn-ended", "s1"),
        ("notification", "s1"),
    ]
    assert said[1].usage == calls.Used(input_tokens=32, output_tokens=6)
    assert said[2].asks
    assert said[2].text == "may I?"


async def test_codex_tells_its_turns(heard):
    socket, said = heard
    event = {"type": "agent-turn-complete", "thread-id": "t1", "turn-id": "1", "last-assistant-message": "done"}
    await call(socket, json.dumps(event))
    assert [(one.event, one.session, one.text) for one in said] == [("turn-ended", "t1", "done")]


async def test_nobody_is_heard_without_the_token_or_with_nonsense(heard):
    socket, said = heard
    await call(socket, "turn-ended", token="guessed")
    await call(socket, '{"event": "take-over"}')
    await call(socket, '{"event": "usage", "usage": {"inputTokens": "many"}}')
    await call(socket, "claude", stdin="{")
    reader, writer = await asyncio.open_unix_connection(socket.directory / "socket")
    writer.write(b"x" * (calls.MOST + 10) + b"\n")
    assert await reader.read() == b""
    writer.close()
    assert said == []


async def test_the_settings_for_claude_code_name_the_hook_for_each_event(heard):
    socket, said = heard
    written = socket.directory / "settings.json"
    assert socket.claude_settings(os.environ["PATH"]) == str(written)
    settings = json.loads(written.read_text())["hooks"]
    assert settings.keys() == {"Stop", "UserPromptSubmit", "SessionStart", "Notification"}
    command = settings["Stop"][0]["hooks"][0]["command"]
    environment = socket.environment(os.environ["PATH"])
    stdin = json.dumps({"hook_event_name": "Stop", "session_id": "x"}).encode()
    argv = ["/bin/sh", "-c", command]
    await asyncio.to_thread(subprocess.run, argv, input=stdin, env=environment, check=True)
    assert said[0].event == "turn-ended"


async def test_the_setting_for_codex_is_a_list_of_toml(heard):
    socket, _ = heard
    argv = tomllib.loads(f"notify = {socket.codex_notify(os.environ['PATH'])}")["notify"]
    assert argv[-1].endswith("/hook.py")


def test_an_event_without_a_name_is_the_one_that_was_given():
    assert hook.told(["turn-ended"], io.StringIO()) == {"event": "turn-ended"}


@pytest.mark.parametrize(
    "session", ["--dangerously-bypass-approvals", "-c", "", ".hidden", "a b", "a\n", "a\x00b", "a/../b", "x" * 129, "é"]
)
async def test_a_session_that_could_be_an_option_or_a_path_is_none(heard, session):
    socket, said = heard
    await call(socket, json.dumps({"event": "turn-ended", "session": session, "text": "y" * 30_000, "kind": "k" * 500}))
    assert [(one.event, one.session, len(one.text), len(one.kind or "")) for one in said] == [
        ("turn-ended", None, hook.TEXT, calls.LONGEST_KIND)
    ]


@pytest.mark.parametrize(
    "used",
    ['"costUsd": -1', '"costUsd": 1e9', '"inputTokens": -1', f'"inputTokens": {10**30}', f'"outputTokens": {10**16}'],
)
async def test_figures_beyond_what_can_be_are_not_heard(heard, used):
    socket, said = heard
    await call(socket, f'{{"event": "usage", "usage": {{{used}}}}}')
    assert said == []


async def test_a_flood_of_calls_waits(heard, monkeypatch):
    socket, said = heard
    monkeypatch.setattr(calls, "A_SECOND", 0.001)
    socket._left = 2.0

    async def one() -> bytes:
        reader, writer = await asyncio.open_unix_connection(socket.directory / "socket")
        writer.write(b'{"event": "session", "token": "secret", "session": "s"}\n')
        try:
            return await asyncio.wait_for(reader.read(16), 1)
        except TimeoutError:
            return b"waits"
        finally:
            writer.close()

    assert [await one() for _ in range(3)] == [b"heard\n", b"heard\n", b"waits"]
    assert len(said) == 2


def test_what_was_used_never_falls_and_has_an_end():
    tally = Tally({})
    assert tally.take("a", calls.Used(input_tokens=10, cost_usd=4.0))
    assert not tally.take("a", calls.Used(input_tokens=1, cost_usd=0.0))
    assert tally.take("b", calls.Used(input_tokens=MOST_TOKENS, cost_usd=MOST_DOLLARS))
    assert tally.report("a") == UsageReport(session="a", input_tokens=10, cost_usd=4.0)
    assert tally.report("b") == UsageReport(session="b", input_tokens=MOST_TOKENS, cost_usd=MOST_DOLLARS)
    news = [tally.take(f"s{number}", calls.Used(output_tokens=1)) for number in range(1000)]
    assert (len(tally.of), sum(news)) == (MOST_SESSIONS, MOST_SESSIONS - 2)
