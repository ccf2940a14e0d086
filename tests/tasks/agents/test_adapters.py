"""Agent programs as data: the table, descriptions, what a worker changes, what is there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.agents import configuration, probing
from quarterdeck.tasks.agents.configuration import Configuration
from quarterdeck.tasks.agents.custom import described
from quarterdeck.tasks.agents.limits import seconds_until
from quarterdeck.tasks.agents.table import ADAPTERS
from quarterdeck.tasks.orders import AgentChoice
from quarterdeck.tasks.running.markers import bare

NOW = datetime(2026, 3, 13, 14, 0, tzinfo=UTC)


def sign(kind, line):
    return next((one for one in ADAPTERS[kind].signs if one.pattern.match(bare(line))), None)


@pytest.mark.parametrize(
    ("kind", "line", "code"),
    [
        ("claude", "  ⎿  Invalid API key · Please run /login", "agent_auth"),
        ("codex", "  Finish signing in via your browser", "agent_auth"),
        ("codex", "■ Missing environment variable: `OPENAI_API_KEY`.", "agent_auth"),
        ("claude", "Claude usage limit reached. Your limit will reset at 3pm (UTC).", "rate_limited"),
        ("claude", "  ⎿ You've hit your session limit · resets 3:45pm", "rate_limited"),
        ("codex", "> Sign in with ChatGPT to use Codex", "agent_auth"),
        ("codex", "■ You've hit your usage limit. Try again in 3 days 4 hours.", "rate_limited"),
        ("cursor", "Press any key to log in...", "agent_auth"),
        ("cursor", "⚠ Workspace Trust Required", "agent_auth"),
        ("gemini", "│ ● How would you like to authenticate for this project? │", "agent_auth"),
        ("gemini", "✗ You have exhausted your daily quota", "rate_limited"),
    ],
)
def test_lines_that_programs_show_are_known(kind, line, code):
    found = sign(kind, line)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("claude", "│ Do you trust the files in this folder? │"),
        ("claude", " Quick safety check: Is this a project you created or one you trust?"),
        (
            "codex",
            "  Trust this folder? Codex can read, edit, and run files here, subject to your permission settings.",
        ),
        ("gemini", "│ Do you trust the files in this folder?                              │"),
    ],
)
def test_a_worktree_is_trusted_by_who_asks_for_it(kind, line):
    found = sign(kind, line)
    assert found is not None
    assert (found.code, found.keys) == (None, "\r")


def test_lines_about_such_things_are_not():
    assert sign("claude", "● The page shows: Invalid API key when the token is old") is None
    assert sign("codex", "the rate limit reached the client") is None


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("3pm (UTC)", 3600), ("15:30", 5400), ("1pm", 23 * 3600), ("in 2 hours 5 minutes", 7500), ("45s", 45),
        ("in 3 days", 3 * 86_400), (None, 60), ("soon", 60), ("99:99", 60), ("in 400 days", 8 * 86_400), ("5", 60),
    ],
)  # fmt: skip
def test_when_a_limit_ends(told, seconds):
    assert seconds_until(told, NOW) == seconds


def test_the_reset_of_a_limit_is_read_from_its_line():
    found = sign("claude", "You've hit your session limit · resets 3:45pm")
    assert found is not None
    match = found.pattern.match("You've hit your session limit · resets 3:45pm")
    assert seconds_until(match["reset"], NOW) == 6300


def test_every_adapter_says_how_it_is_started_and_names_no_secret():
    for adapter in ADAPTERS.values():
        assert adapter.argv[0] in adapter.programs
        assert adapter.names_session == any("{session}" in one for one in adapter.argv)
        assert adapter.resume is None or "{session}" in adapter.resume
        assert "--dangerously-skip-permissions" not in adapter.argv
        assert (adapter.hook == "claude-settings") == ("{settings}" in adapter.argv)


def test_a_description_changes_what_it_names():
    adapter = described({"argv": ["fake", "--x"], "submitKey": "\n", "readyPattern": "^>", "env": {"A": "1"}})
    assert (adapter.type, adapter.programs, adapter.argv) == ("custom", ("fake",), ("fake", "--x"))
    assert (adapter.submit, adapter.extra_environment, adapter.paste) == ("\n", {"A": "1"}, "bracketed")


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ({}, "names no program"),
        ({"argv": []}, "names no program"),
        ({"argv": "fake"}, "argv"),
        ({"argv": ["a"], "shell": True}, "shell"),
        ({"argv": ["a"], "readyPattern": "("}, "no regular expression"),
        ({"argv": ["a"], "readyPattern": "x" * 501}, "500 characters"),
    ],
)
def test_a_description_that_is_wrong_says_what(about, what):
    with pytest.raises(Invalid) as refused:
        described(about)
    assert refused.value.code == "agent_description_invalid"
    assert what in refused.value.message


def test_a_worker_changes_programs_and_has_its_own(tmp_path):
    (tmp_path / "agents.toml").write_text(
        '[run]\nmemory = 1000\n[agents.claude]\nargv = ["claude", "--yes"]\n[agents.claude.dialogs]\n'
        '"Do you trust" = "\\r"\n[agents."custom:house"]\nargv = ["house-agent"]\n'
        "[agents.custom]\nsettleSeconds = 2.0\n"
    )
    found = configuration.load(tmp_path)
    claude = found.adapter(AgentChoice(type="claude"))
    assert (claude.argv, claude.programs, claude.hook) == (("claude", "--yes"), ("claude",), "claude-settings")
    assert claude.signs[0].keys == "\r"
    assert found.adapter(AgentChoice(type="custom:house")).type == "custom:house"
    assert found.adapter(AgentChoice(type="custom", custom={"argv": ["x"]})).settle == 2.0
    assert (found.run.memory, found.types()) == (1000, [*ADAPTERS, "custom:house", "custom"])


@pytest.mark.parametrize("text", ["[run", "[run]\nmemory = 'much'", "[other]", "[agents.codex]\nargv = 3"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, text):
    (tmp_path / "agents.toml").write_text(text)
    with pytest.raises(Invalid):
        configuration.load(tmp_path)


async def test_what_is_there_is_found_with_its_version(tmp_path):
    programs = {
        "claude": "echo '2.1.3 (Claude Code)'", "codex": "echo codex-cli 0.80.0", "gemini": "exit 1",
        "cursor-agent": "echo 2026.02.01-abc",
    }  # fmt: skip
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    own = Configuration(agents={"custom:house": {"argv": ["no-such-program"]}})
    found = await probing.probe_all(own, str(tmp_path))
    assert {(one.type, one.version) for one in found} == {
        ("claude", "2.1.3"), ("codex", "0.80.0"), ("cursor", "2026.02.01-abc"),
    }  # fmt: skip
    assert probing.capabilities(found) == {"agent:custom", "agent:claude", "agent:codex", "agent:cursor"}


async def test_a_program_that_does_not_answer_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "SECONDS", 0.3)
    (tmp_path / "claude").write_text("#!/bin/sh\nsleep 60\n")
    (tmp_path / "claude").chmod(0o755)
    assert await probing.probe_all(Configuration(), str(tmp_path)) == []
