"""`qd repository`: what somebody's own account of a git host shows, and where its token stays."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.infra import infra_api
from cli.infra.infra_api import InfraApi, Refusal
from quarterdeck.cli import profiles
from quarterdeck.cli.profiles import Profile

Command = Callable[..., Result]
SECRET = "ghp_4Kx9secret"


@pytest.fixture
def host(infra: InfraApi) -> InfraApi:
    infra.add_repository("acme/ledger")
    infra.add_repository("acme/site", private=False)
    infra.add_repository("ada/notes")
    return infra


@pytest.fixture
def profile(infra: InfraApi, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Profile]:
    """Signed in by a profile that is kept, and a look at it."""
    monkeypatch.delenv("QUARTERDECK_URL")
    monkeypatch.delenv("QUARTERDECK_TOKEN")
    with profiles.changing() as store:
        store.current = "here"
        store.profiles["here"] = Profile(infra.url, infra_api.TOKEN, refresh="again", user="ada")
    return lambda: profiles.load().profiles["here"]


def test_repositories_are_listed_in_every_form(qd: Command, host: InfraApi, written: Callable[[str, str], str]) -> None:
    token = ("--token", "@" + written("token", f"{SECRET}\n"))
    lines = qd("repository", "list", "github", *token).out.splitlines()
    assert lines[0].split() == ["REPOSITORY", "BRANCH", "ADDRESS"]
    assert lines[2].split() == ["acme/site", "public", "main", "https://git.example/acme/site"]
    assert host.git_tokens == [SECRET]
    told = json.loads(qd("repositories", "ls", "gitlab", "--token", "-", "-o", "json", stdin=SECRET).out)
    assert {key: told[key] for key in ("total", "page", "limit", "truncated")} == {
        "total": 3, "page": 1, "limit": 100, "truncated": False,
    }  # fmt: skip
    assert told["repositories"][0]["provider"] == "gitlab"
    assert qd("repository", "list", "github", *token, "--search", "LED", "-o", "name").out.endswith("/acme/ledger\n")
    assert len(qd("repository", "list", "bitbucket", *token, "-o", "csv").out.splitlines()) == 4


def test_long_lists_are_read_page_by_page_and_say_what_is_left_out(
    qd: Command, host: InfraApi, written: Callable[[str, str], str]
) -> None:
    words = ("repository", "list", "github", "--token", "@" + written("token", SECRET))
    first = qd(*words, "-n", "2")
    assert len(first.out.splitlines()) == 3
    assert "2 of 3; more with --page 2" in first.err
    second = qd(*words, "-n", "2", "--page", "2", "-o", "json")
    assert [row["full_name"] for row in json.loads(second.out)["repositories"]] == ["ada/notes"]
    beyond = qd(*words, "--page", "9")
    assert (beyond.code, beyond.out) == (0, "")
    assert "There is no page 9." in beyond.err
    assert qd(*words, "--search", "nothing").err == "GitHub shows none.\n"
    host.cut = True
    assert "GitHub has more than the server reads" in qd(*words).err
    for wrong in (("--page", "0"), ("-n", "0"), ("-n", "5001")):
        assert qd(*words, *wrong).code == 2


def test_a_token_is_kept_once_the_host_took_it_and_forgotten_when_told(
    qd: Command, host: InfraApi, profile: Callable[[], Profile], attended: Callable[..., list[str]]
) -> None:
    failed(qd("repository", "list"), 2, "No git host is connected.", "qd repository connect github")
    failed(qd("repository", "list", "gitlab"), 2, "GitLab is not connected.", "qd repository connect gitlab")
    assert host.git_tokens == []
    result = qd("repository", "connect", "gitlab", "--token", "-", stdin=f"{SECRET}\n")
    assert (result.code, result.out) == (0, "Connected GitLab; it shows 3.\n")
    assert profile().git_tokens == {"gitlab": SECRET}
    assert stat.S_IMODE(profiles.file().stat().st_mode) == 0o600
    assert SECRET not in repr(profile()) + result.err
    assert len(qd("repository", "list", "-o", "name").out.split()) == 3
    assert attended(SECRET) == []
    assert qd("repository", "connect", "github").code == 0
    failed(qd("repository", "list"), 2, "Say which git host: github, gitlab.")
    assert qd("repository", "disconnect", "gitlab").out == "Forgot the token of GitLab.\n"
    failed(qd("repository", "disconnect", "gitlab"), 5, "GitLab is not connected.")
    assert profile().git_tokens == {"github": SECRET}


def test_who_signs_out_leaves_no_token_behind(
    qd: Command, host: InfraApi, profile: Callable[[], Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    qd("repository", "connect", "gitlab", "--token", "-", stdin=SECRET)
    with profiles.changing() as store:
        store.profiles["here"].token = None
    assert qd("logout").code == 0
    assert profile().git_tokens == {}


@pytest.mark.parametrize(("status", "exits"), [(401, 4), (403, 4), (404, 1), (429, 1), (502, 1), (503, 1)])
def test_what_a_git_host_refuses_is_no_end_of_the_session_here(
    qd: Command, host: InfraApi, profile: Callable[[], Profile], status: int, exits: int
) -> None:
    def refuse(_: str) -> None:
        raise Refusal(status, f"GitHub API error: {status} Bad credentials", code="git_host_refused", hint="Log in.")

    host.before["repositories"] = refuse
    refused = qd("repository", "connect", "github", "--token", "-", stdin=SECRET)
    failed(refused, exits, f"GitHub API error: {status} Bad credentials", "qd repository connect github")
    assert "Try:   qd repository connect github --token @FILE\n" in refused.err
    assert SECRET not in refused.err
    assert (profile().git_tokens, profile().token) == ({}, infra_api.TOKEN)
    assert len(host.calls) == 1


def test_no_token_is_a_word_and_none_is_sent_that_cannot_be_one(
    qd: Command, host: InfraApi, profile: Callable[[], Profile]
) -> None:
    refused = qd("repository", "list", "github", "--token", SECRET)
    failed(refused, 2, "--token takes a file or stdin")
    assert SECRET not in refused.err
    for odd in ("a b", "a\x7f", "schlüssel"):
        failed(qd("repository", "list", "github", "--token", "-", stdin=odd), 2, "characters that no token has")
    failed(qd("repository", "list", "--token", "-", stdin=SECRET), 2, "Say which git host")
    failed(qd("repository", "connect", "github", "--no-input"), 2, "--token @FILE")
    assert qd("repository", "list", "sourcehut").code == 2
    assert host.calls == []


def test_where_the_server_comes_from_the_environment_nothing_is_kept(qd: Command, host: InfraApi) -> None:
    failed(qd("repository", "connect", "github", "--token", "-", stdin=SECRET), 2, "No profile for", "--token @FILE")
    assert not profiles.file().exists()
