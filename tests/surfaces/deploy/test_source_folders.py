"""Who may make a source of a folder of the server's machine."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.deploy.deployments import ordering
from quarterdeck.deploy.deployments.model import Deployment
from support.deck import running, signed_in

CODE = "source_folder_refused"


def folder(path) -> dict:
    return {"kind": "local-folder", "locator": str(path)}


@pytest.fixture
def places(tmp_path):
    for name in ("roots/shop", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "index.html").write_text(name)
    (tmp_path / "roots/way").symlink_to(tmp_path / "elsewhere")
    return tmp_path


@pytest.fixture
async def bounded(places, database_address):
    """An installation whose operator allows one directory."""
    async with running(places, database_address, source_roots=[places / "roots"]) as deck:
        yield await signed_in(deck)


async def test_administrators_may_use_any_folder_unless_the_operator_names_some(deck, places):
    place = await deck.place()
    await deck.resource(place, source=folder(places / "elsewhere"))
    second = await deck.member("admin")
    await deck.resource(place, second, name="Second", source=folder(places / "roots/way"))


async def test_an_administrator_of_another_organization_may_use_none(deck, places):
    stranger = await deck.member("owner", "org_elsewhere")
    project, environment = await deck.place(token=stranger)
    body = {"projectId": project, "environmentId": environment, "name": "Web"}
    for source in (
        folder(places / "elsewhere"),
        {"kind": "local-git", "locator": str(places / "elsewhere")},
        {"kind": "remote-git", "locator": f"file://{places}/elsewhere"},
        folder("/nothing/here"),
    ):
        told = await deck.refused(403, CODE, "resources.create", {**body, "source": source}, token=stranger)
        assert "QUARTERDECK_SOURCE_ROOTS" in told["error"]["details"]["hint"]
    made = await deck.resource((project, environment), stranger)
    for path in (places / "elsewhere", "/etc"):
        await deck.refused(
            403, CODE, "resources.configure-source", {"source": folder(path)}, resourceId=made, token=stranger
        )
    assert (await deck.do("resources.count", token=stranger)) == {"count": 1}
    await deck.do(
        "resources.configure-source",
        {"source": {"kind": "git-public", "locator": "https://host.example/a.git"}},
        resourceId=made,
        token=stranger,
    )


async def test_named_folders_bind_everybody_and_open_them_to_everybody(bounded, places):
    place = await bounded.place()
    body = {"projectId": place[0], "environmentId": place[1], "name": "Web"}
    for path in (places / "elsewhere", places / "roots/way", places / "roots/../elsewhere", places, "/"):
        answer = await bounded.request("resources.create", {**body, "source": folder(path)})
        assert (answer.status_code, answer.json()["error"]["code"]) in {(403, CODE), (400, "source_locator_invalid")}
    await bounded.resource(place, source=folder(places / "roots/shop"))
    stranger = await bounded.member("owner", "org_elsewhere")
    theirs = await bounded.place(token=stranger)
    await bounded.resource(theirs, stranger, source=folder(places / "roots/shop"))


async def test_a_folder_swapped_for_a_link_since_is_refused_at_admission_and_the_bounds_travel(bounded, places):
    instance = bounded.instance
    place = await bounded.place()
    there = await bounded.server()
    resource = await bounded.resource(place, source=folder(places / "roots/shop"))
    asked = {"projectId": place[0], "environmentId": place[1], "resourceId": resource, "serverId": there}
    await bounded.do("deployments.create", asked)

    def travelling(tx):
        deployment = tx.first(select(Deployment).order_by(Deployment.id.desc()))
        return ordering.order(tx, instance.placement, deployment).source_within

    assert await instance.db.read(travelling) == [str(places / "roots")]
    (places / "roots/shop").rename(places / "roots/gone")
    (places / "roots/shop").symlink_to(places / "elsewhere")
    await bounded.refused(403, CODE, "deployments.create", asked)
    await bounded.refused(403, CODE, "deployments.plan", query=asked)
    assert await bounded.do("deployments.count", query={"resourceId": resource}) == {"count": 1}
