"""A private repository is fetched with a stored SSH credential that its source names."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from real.sshd import new_key, sshd

pytestmark = pytest.mark.sshd
GIT = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.test", "-c", "init.defaultBranch=main"]


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, tuple[str, str]]:
    """Public line and private text of two pairs."""
    made = {}
    for name in ("good", "other"):
        public = new_key(tmp_path / name)
        made[name] = public, (tmp_path / name).read_text()
    return made


@pytest.fixture
def locator(tmp_path: Path, keys):
    """A repository that only the holder of `good` may read."""
    place = tmp_path / "shop"
    place.mkdir()
    (place / "index.html").write_text("hello\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "First"]):
        subprocess.run([*GIT, *words], cwd=place, check=True)
    with sshd(authorized=[keys["good"][0]]) as server:
        yield f"ssh://{server.username}@127.0.0.1:{server.port}{place}"


async def credential(deck, private: str, name: str) -> str:
    body = {"name": name, "kind": "ssh-private-key", "privateKey": private}
    return (await deck.do("credentials.create-ssh", body))["id"]


def source(locator: str, key: str | None = None) -> dict:
    kept = {"kind": "git-deploy-key", "locator": locator}
    return {**kept, "metadata": {"sshCredentialId": key}} if key else kept


async def test_the_key_that_a_source_names_opens_its_repository_and_a_rotated_one_is_used_at_once(deck, keys, locator):
    good = await credential(deck, keys["good"][1], "Good")
    place, there = await deck.place(), await deck.server()
    resource = await deck.resource(place, source=source(locator, good))
    asked = {"projectId": place[0], "environmentId": place[1], "resourceId": resource, "serverId": there}
    planned = await deck.do("deployments.plan", query=asked)
    assert planned["readiness"]["ready"], planned
    await deck.do(
        "credentials.rotate-ssh",
        {"confirmation": {"credentialId": good}, "privateKey": keys["other"][1]},
        credentialId=good,
    )
    await deck.refused(400, "source_auth_failed", "deployments.plan", query=asked)
    await deck.do("resources.configure-source", {"source": source(locator)}, resourceId=resource)
    await deck.refused(400, "source_auth_failed", "deployments.plan", query=asked)
    marks = [line for _, private in keys.values() for line in private.splitlines()[1:-1]]
    assert not [mark for mark in marks if mark in "\n".join(deck.heard)]


async def test_only_who_may_say_where_sources_are_may_name_a_key_of_the_organization(deck, keys, locator):
    good = await credential(deck, keys["good"][1], "Good")
    developer, stranger = await deck.member("developer"), await deck.member("owner", "org_elsewhere")
    place = await deck.place()
    body = {"projectId": place[0], "environmentId": place[1], "name": "Web", "source": source(locator, good)}
    await deck.refused(403, "product_auth_forbidden", "resources.create", body, token=developer)
    theirs = await deck.place(token=stranger)
    body = {"projectId": theirs[0], "environmentId": theirs[1], "name": "Web", "source": source(locator, good)}
    await deck.refused(404, "not_found", "resources.create", body, token=stranger)
    made = await deck.resource(theirs, token=stranger)
    body = {"source": source(locator, good)}
    await deck.refused(404, "not_found", "resources.configure-source", body, resourceId=made, token=stranger)


async def test_a_key_that_a_source_names_is_not_deleted(deck, keys, locator):
    good = await credential(deck, keys["good"][1], "Good")
    resource = await deck.resource(await deck.place(), source=source(locator, good))
    confirmed = {"confirmation": {"credentialId": good}}
    told = await deck.refused(409, "credential_in_use", "credentials.delete-ssh", confirmed, credentialId=good)
    assert "1 resource" in told["message"]
    await deck.do("resources.configure-source", {"source": source(locator)}, resourceId=resource)
    await deck.do("credentials.delete-ssh", confirmed, credentialId=good)
