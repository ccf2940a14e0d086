"""Repositories of git hosts, by the caller's own token, over the API."""

from __future__ import annotations

import socket

import pytest

from support.crew import Crew
from support.deck import running, signed_in
from support.git_hosts import TOKEN, git_hosts

HERE = "/api/cli/repositories"
WITH = {"x-provider-token": TOKEN}
PROVIDERS = ("github", "gitlab", "bitbucket")


@pytest.fixture
def hosts():
    with git_hosts() as found:
        yield found


@pytest.fixture
async def crew(tmp_path, database_address, hosts):
    places = {"github_api": hosts.url, "gitlab_url": hosts.url, "bitbucket_api": f"{hosts.url}/"}
    async with running(tmp_path, database_address, **places) as deck:
        yield Crew(await signed_in(deck))


async def refused(crew, status, path, headers=WITH):
    answer = await crew.send("GET", path, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() - {"hint"} == {"code", "error"}
    assert TOKEN not in answer.text
    return answer.json()["error"]


@pytest.mark.parametrize(
    ("provider", "first"),
    [
        ("github", {"id": "0", "url": "https://github.example/acme/r0", "default_branch": "main"}),
        ("gitlab", {"id": "0", "url": "https://gitlab.example/acme/r0", "default_branch": ""}),
        ("bitbucket", {"id": "00000000", "url": "https://bitbucket.example/acme/r0", "default_branch": ""}),
    ],
)
async def test_repositories_of_each_host_have_one_shape(crew, hosts, provider, first):
    found = await crew.ok("GET", f"{HERE}/{provider}", headers=WITH)
    assert found["truncated"] is False
    assert [one["private"] for one in found["repositories"]] == [True, False, True]
    assert found["repositories"][0] == {
        "name": "r0", "full_name": "acme/r0", "private": True, "provider": provider, **first,
    }  # fmt: skip
    assert len(hosts.calls) == 1
    assert hosts.unknown == []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("count", [0, 100, 101, 250])
async def test_every_page_is_read_and_at_the_host_that_is_set(crew, hosts, provider, count):
    hosts.count = count
    found = await crew.ok("GET", f"{HERE}/{provider}", headers=WITH)
    assert len({one["id"] for one in found["repositories"]}) == count
    assert hosts.unknown == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_listing_ends_at_five_thousand_and_says_so(crew, hosts, provider):
    hosts.count = 7000
    found = await crew.ok("GET", f"{HERE}/{provider}", headers=WITH)
    assert (len(found["repositories"]), found["truncated"]) == (5000, True)
    assert len(hosts.calls) <= 51


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_without_a_token_one_is_told_to_log_in_and_no_host_is_called(crew, hosts, provider):
    for headers in ({}, {"x-provider-token": " "}):
        assert "log in again" in await refused(crew, 400, f"{HERE}/{provider}", headers)
    for odd in ("a b", "a\tb", "x" * 5000, "schl\u00fcssel".encode()):
        await refused(crew, 400, f"{HERE}/{provider}", {"x-provider-token": odd})
    assert hosts.calls == []


@pytest.mark.parametrize(("provider", "name"), [("github", "GitHub"), ("gitlab", "GitLab"), ("bitbucket", "Bitbucket")])
async def test_what_a_host_refuses_is_passed_on_with_its_status(crew, hosts, provider, name):
    said = await refused(crew, 401, f"{HERE}/{provider}", {"x-provider-token": "another"})
    assert said == f'{name} API error: 401 {{"message":"Bad credentials"}}'
    for status in (403, 404, 429, 500, 503):
        hosts.instead = (status, {}, b"no: " + TOKEN.encode() + b"\x1b[31m" + b"x" * 9000)
        said = await refused(crew, status, f"{HERE}/{provider}")
        assert said.startswith(f"{name} API error: {status} no: ")
        assert len(said) < 600
        assert "\x1b" not in said


@pytest.mark.parametrize(
    "instead",
    [
        (302, {"Location": "https://elsewhere.example/"}, b""),
        (204, {}, b""),
        (200, {}, b"<html>"),
        (200, {}, b'{"message":"x"}'),
        (200, {}, b"[" * 100_000),
        (200, {}, b"[" + b"1," * (5 << 20) + b"1]"),
    ],
    ids=["redirect", "empty", "html", "object", "deep", "large"],
)
async def test_an_answer_that_is_no_list_is_a_bad_gateway(crew, hosts, instead):
    hosts.instead = instead
    assert "API error" in await refused(crew, 502, f"{HERE}/github")
    assert len(hosts.calls) == 1


async def test_entries_that_are_none_are_left_out(crew, hosts):
    hosts.instead = (200, {}, b'[null, 5, {"id": {"a": 1}, "name": true, "private": null}]')
    found = await crew.ok("GET", f"{HERE}/github", headers=WITH)
    assert [(one["id"], one["name"], one["private"]) for one in found["repositories"]] == [("", "", True)]


async def test_a_host_that_cannot_be_reached_is_a_500_that_says_so(tmp_path, database_address):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with running(tmp_path, database_address, github_api=address) as deck:
        crew = Crew(await signed_in(deck))
        assert "GitHub cannot be reached" in await refused(crew, 500, f"{HERE}/github")


async def test_other_hosts_and_people_without_the_permission_are_refused(crew, hosts):
    await refused(crew, 404, f"{HERE}/gitea")
    _, viewer = await crew.person("vera", "organization:viewer")
    assert (await crew.send("GET", f"{HERE}/github", headers=WITH, token=viewer)).status_code == 403
    assert (await crew.send("GET", f"{HERE}/github", headers=WITH, token=None)).status_code == 401
    assert hosts.calls == []
