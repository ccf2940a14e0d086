"""Kept lines, and the server that builds, in the console of a real instance."""

from __future__ import annotations

import re

import pytest

from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.vault import Secret
from support.deck import running, signed_in
from support.served import SOURCE


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        made.client.cookies.set("qd_session", made.instance.signer.sign(Secret(made.token)))
        made.client.headers["origin"] = "http://localhost"
        yield made


async def page_of(deck, resource):
    """The address of a resource's page, as a reader finds it."""
    projects = (await deck.client.get("/console/projects")).text
    project = re.search(r'href="(/console/projects/(?!new")[a-z0-9-]+)"', projects)[1]
    slug = (await deck.do("resources.show", resourceId=resource))["resource"]["slug"]
    return re.search(rf'href="({project}/[a-z0-9-]+/{slug})"', (await deck.client.get(project)).text)[1]


async def test_lines_are_kept_shown_and_deleted(deck):
    place = await deck.place()
    resource = await deck.resource(place, source=SOURCE)
    now = deck.instance.db.clock.now()
    lines = [Line(now, "application", "stdout", None, "info", f"said <{number}>") for number in range(150)]
    await deck.instance.logs.store(f"runtime:{resource}", lines)
    there = await page_of(deck, resource)
    assert "Keep these lines" in (await deck.client.get(f"{there}/logs")).text
    typed = {"lines": "100", "reason": "the failed sale", "service": ""}
    kept = await deck.client.post(f"{there}/logs/keep", data=typed, follow_redirects=True)
    assert kept.status_code == 200
    assert "100 lines" in kept.text
    assert "said &lt;149&gt;" in kept.text
    assert "said &lt;49&gt;" not in kept.text
    (archive,) = (await deck.do("resources.runtime-log-archives.list", query={"resourceId": resource}))["items"]
    assert (archive["lineCount"], archive["reason"]) == (100, "the failed sale")
    raw = await deck.client.get(f"{there}/logs/kept/{archive['archiveId']}/raw")
    assert len(raw.text.splitlines()) == 100
    for change in ({"lines": "0"}, {"lines": "5000"}, {"service": "nobody"}, {"reason": "x" * 300}):
        refused = await deck.client.post(f"{there}/logs/keep", data={**typed, **change})
        assert refused.status_code == 400, change
    other = await page_of(deck, await deck.resource(place, name="Api", source=SOURCE))
    assert other != there
    assert (await deck.client.get(f"{other}/logs/kept/{archive['archiveId']}")).status_code == 404
    assert "Nothing was kept before then." in (await deck.client.get(f"{there}/logs/delete-kept?days=90")).text
    slug = there.rpartition("/")[2]
    wrong = await deck.client.post(f"{there}/logs/delete-kept", data={"days": "0", "confirmation": "else"})
    assert wrong.status_code == 400
    await deck.client.post(f"{there}/logs/delete-kept", data={"days": "0", "confirmation": slug})
    assert (await deck.do("resources.runtime-log-archives.list", query={"resourceId": resource}))["items"] == []


async def test_the_server_that_builds_is_chosen_kept_and_refused_when_it_is_out_of_use(deck):
    await deck.server()
    builder, idle = await deck.server(name="Builder"), await deck.server(name="Idle")
    resource = await deck.resource(source=SOURCE)
    there = await page_of(deck, resource)
    settings = (await deck.client.get(f"{there}/settings")).text
    assert f'<option value="{builder}">Builder</option>' in settings
    (version,) = set(re.findall(r'name="version" value="(\d+)"', settings))
    source = {"kind": SOURCE["kind"], "locator": SOURCE["locator"], "form": "source", "version": version}
    saved = await deck.client.post(f"{there}/settings", data={**source, "buildServerId": builder})
    assert saved.status_code == 303, saved.text
    settings = (await deck.client.get(f"{there}/settings")).text
    assert f'<option value="{builder}" selected>Builder</option>' in settings
    assert "built on Builder" in (await deck.client.get(there)).text
    assert "It builds the images of 1 resource." in (await deck.client.get(f"/console/fleet/servers/{builder}")).text
    await deck.do("servers.deactivate", {}, serverId=idle)
    refused = await deck.client.post(
        f"{there}/settings", data={**source, "version": str(int(version) + 1), "buildServerId": idle}
    )
    assert refused.status_code == 409
    assert "which builds the images, is out of use" in refused.text
