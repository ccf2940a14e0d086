"""Merge requests at each kind of forge: opened, found, updated, and what a forge that fails does."""

from __future__ import annotations

import pytest

from fakes.forges.gitea import Gitea
from fakes.forges.github import GitHub
from fakes.forges.gitlab import GitLab
from fakes.forges.serving import serving
from quarterdeck.fleet.git import locators
from quarterdeck.kernel.errors import Problem
from quarterdeck.tasks.orders import AgentChoice, Person, Repository, TaskOrder
from quarterdeck.tasks.workspaces.forges.detection import detect
from quarterdeck.tasks.workspaces.forges.opening import merge_request
from quarterdeck.tasks.workspaces.forges.requests import wanted

MARK = "<!-- quarterdeck:task:42 -->"


def order(kind, url: str, token: str | None, api: str | None = None, branch: str = "overlord/42-login") -> TaskOrder:
    return TaskOrder(
        task_id=42,
        attempt=1,
        organization="org",
        project_key="WEB",
        description="Let people sign in.\nWith their e-mail address.",
        pipeline=(),
        branch=branch,
        base_branch="main",
        repository=Repository(url=url, default_branch="main", token=token, forge=kind, forge_url=api),
        developer=Person(name="Ada", email="ada@example.test"),
        agent=AgentChoice(type="custom"),
        stage_seconds=60,
        gate_seconds=60,
    )


@pytest.fixture(params=["github", "gitlab", "gitea"])
def forge(request):
    made = {"github": GitHub, "gitlab": GitLab, "gitea": Gitea}[request.param]("team/shop")
    with serving(made) as running:
        running.kind = request.param
        yield running
        assert running.refused == []


def opened(forge) -> list[dict]:
    return forge.merge_requests if isinstance(forge, GitLab) else forge.pulls


def text_of(forge, number: int = 0) -> str:
    return opened(forge)[number]["description" if isinstance(forge, GitLab) else "body"]


def address_of(forge, number: int = 0) -> str:
    return opened(forge)[number]["web_url" if isinstance(forge, GitLab) else "html_url"]


async def ask(forge, message: str, token: str | None = None) -> str:
    given = order(forge.kind, f"{forge.url}/team/shop.git", token or forge.token, forge.url)
    return await merge_request(given, locators.parse(given.repository.url), message)


def existing(forge, text: str, *, state: str | None = None, elsewhere: bool = False) -> dict:
    if isinstance(forge, GitLab):
        made = forge.request("overlord/42-login", "main", description=text)
        made.update({"source_project_id": 9} if elsewhere else {})
    elif isinstance(forge, Gitea):
        made = forge.pull("overlord/42-login", "main", fork=elsewhere, body=text)
    else:
        made = forge.pull("overlord/42-login", "main", body=text)
        if elsewhere:
            made["head"]["label"] = "somebody:overlord/42-login"
    made.update({"state": state} if state else {})
    return made


async def test_a_merge_request_is_opened_once_and_updated_by_later_attempts(forge):
    assert await ask(forge, "Add a sign-in form\n\nIt asks for the address.") == address_of(forge)
    (made,) = opened(forge)
    assert made["title"] == "Add a sign-in form"
    assert text_of(forge) == f"It asks for the address.\n\n{MARK}"
    assert await ask(forge, "Add a sign-in form\n\nNow with a test.") == address_of(forge)
    assert len(opened(forge)) == 1
    assert text_of(forge) == f"Now with a test.\n\n{MARK}"
    before = len(forge.requests)
    await ask(forge, "Add a sign-in form\n\nNow with a test.")
    assert [one.method for one in forge.requests[before:]] == ["GET"]


async def test_what_a_person_wrote_stays(forge):
    existing(forge, "My own words.")
    assert await ask(forge, "Another title") == address_of(forge)
    assert (len(opened(forge)), text_of(forge)) == (1, "My own words.")


async def test_neither_a_closed_one_nor_that_of_a_fork_is_taken_for_ours(forge):
    existing(forge, "Old.", state="closed")
    existing(forge, "Of a fork.", elsewhere=True)
    assert await ask(forge, "Title") == address_of(forge, 2)


async def test_one_that_somebody_opens_meanwhile_is_found(forge):
    forge.before_creating = lambda: (setattr(forge, "before_creating", None), existing(forge, "Quicker."))
    assert await ask(forge, "Title") == address_of(forge)
    assert (len(opened(forge)), text_of(forge)) == (1, "Quicker.")


async def test_a_refusal_is_told_in_the_forges_words_and_never_shows_the_token(forge):
    with pytest.raises(Problem) as refused:
        await ask(forge, "Title", token="wr0ng-token")
    assert refused.value.code == "forge_failed"
    assert "answered 401" in refused.value.message
    assert "wr0ng-token" not in refused.value.message
    forge.failing = 503
    with pytest.raises(Problem, match="answered 503: Service says no"):
        await ask(forge, "Title")
    assert opened(forge) == []


async def test_a_forge_that_is_not_there_is_a_failure_with_a_name():
    given = order("gitea", "http://127.0.0.1:9/team/shop.git", "t", "http://127.0.0.1:9")
    with pytest.raises(Problem) as failed:
        await merge_request(given, locators.parse(given.repository.url), "Title")
    assert (failed.value.code, failed.value.message) == ("forge_failed", "Gitea cannot be reached (ConnectError).")


async def test_an_unknown_forge_and_a_missing_token_are_told():
    for url, kind, token, code in (
        ("https://code.example.test/team/shop.git", None, "t", "forge_unknown"),
        ("https://github.com/shop.git", None, "t", "forge_unknown"),
        ("https://github.com/team/shop.git", None, None, "forge_token_missing"),
    ):
        given = order(kind, url, token)
        with pytest.raises(Problem) as refused:
            await merge_request(given, locators.parse(url), "Title")
        assert refused.value.code == code


async def test_many_open_pull_requests_do_not_hide_ours_at_gitea():
    with serving(Gitea("team/shop")) as forge:
        for number in range(60):
            forge.pull(f"other-{number}", "main")
        existing(forge, "Mine.")
        forge.kind = "gitea"
        assert await ask(forge, "Title") == address_of(forge, 60)
        assert forge.refused == []


@pytest.mark.parametrize(
    ("url", "kind", "api", "found"),
    [
        ("https://github.com/team/shop.git", None, None, ("github", "https://api.github.com", "team/shop")),
        ("git@github.com:team/shop.git", None, None, ("github", "https://api.github.com", "team/shop")),
        ("ssh://git@ssh.github.com:443/team/shop", None, None, ("github", "https://api.github.com", "team/shop")),
        ("https://gitlab.com/a/b/shop.git", None, None, ("gitlab", "https://gitlab.com/api/v4", "a/b/shop")),
        (
            "https://gitlab.example.test:8443/a/shop",
            None,
            None,
            ("gitlab", "https://gitlab.example.test:8443/api/v4", "a/shop"),
        ),
        (
            "ssh://git@gitlab.example.test:2222/a/shop",
            None,
            None,
            ("gitlab", "https://gitlab.example.test/api/v4", "a/shop"),
        ),
        ("https://github.example.test/a/b", None, None, ("github", "https://github.example.test/api/v3", "a/b")),
        ("https://codeberg.org/a/b", None, None, ("gitea", "https://codeberg.org/api/v1", "a/b")),
        ("https://code.test/a/b", "gitea", None, ("gitea", "https://code.test/api/v1", "a/b")),
        ("https://code.test/a/b", "gitea", "http://x.test:3000/", ("gitea", "http://x.test:3000/api/v1", "a/b")),
        (
            "https://code.test/git/a/b",
            "gitlab",
            "https://code.test/git/api/v4",
            ("gitlab", "https://code.test/git/api/v4", "a/b"),
        ),
        ("https://code.test/a/b", "github", "https://api.github.com", ("github", "https://api.github.com", "a/b")),
        ("https://code.test/a/b", None, None, None),
        ("https://code.test/b", "gitea", None, None),
    ],
)
def test_the_forge_is_known_by_its_host_or_by_what_the_project_says(url, kind, api, found):
    forge = detect(locators.parse(url), kind, api)
    assert (forge and (forge.kind, forge.api, forge.repository)) == found


def test_a_title_is_one_line_of_a_bounded_length():
    made = wanted(42, "b", "main", "\n\n" + "x" * 500 + "\nmore", "Described.")
    assert (made.title, made.body) == ("x" * 200, f"more\n\n{MARK}")
    assert wanted(42, "b", "main", " ", "Described.\nAt length.").title == "Described."
    assert wanted(42, "b", "main", "Title", "Described.").body == f"Described.\n\n{MARK}"
