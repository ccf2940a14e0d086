"""The page New over a real instance: what it says of a source before anything is made."""

from __future__ import annotations

import re
import zipfile

import pytest

from quarterdeck.fleet.credentials.keys import new_pair
from quarterdeck.kernel.vault import Secret
from support.deck import running, signed_in


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        made.client.cookies.set("qd_session", made.instance.signer.sign(Secret(made.token)))
        made.client.headers["origin"] = "http://localhost"
        yield made


@pytest.mark.parametrize("what", ["absent", "file"])
async def test_what_is_no_folder_is_told_and_not_offered_for_deploying(deck, tmp_path, what):
    folder = tmp_path / what
    if what == "file":
        folder.write_text("x")
    page = await deck.client.get("/console/projects/new", params={"kind": "folder", "locator": str(folder)})
    assert f"There is no folder {folder} on this machine." in page.text
    assert ">Deploy</button>" not in page.text


async def test_a_zip_file_is_a_kind_of_source(deck, tmp_path):
    file = tmp_path / "shop.zip"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("index.html", "<h1>Shop</h1>")
    page = await deck.client.get("/console/projects/new", params={"kind": "archive", "locator": str(file)})
    assert '<option value="archive" selected>ZIP file</option>' in page.text
    assert "because of" in page.text or "Static files" in page.text
    assert "Deploy</button>" in page.text
    assert f"qd deploy {file}" in page.text


async def test_a_deploy_key_is_chosen_by_its_name_here_and_in_settings(deck):
    text = new_pair().private.reveal()
    body = {"name": "Shop key", "kind": "ssh-private-key", "privateKey": text}
    key = (await deck.do("credentials.create-ssh", body))["id"]
    choice = f'<option value="{key}"{{}}>Shop key</option>'
    assert choice.format("") in (await deck.client.get("/console/projects/new")).text
    asked = {"kind": "git", "locator": "git@git.invalid:team/shop.git", "key": key}
    page = await deck.client.get("/console/projects/new", params=asked)
    assert choice.format(" selected") in page.text
    refused = await deck.client.get("/console/projects/new", params={**asked, "kind": "image", "locator": "nginx"})
    assert "Only a git repository is fetched with a deploy key." in refused.text

    await deck.server()
    source = {"kind": "git-deploy-key", "locator": asked["locator"], "metadata": {"sshCredentialId": key}}
    resource = await deck.resource(source=source)
    settings = (await deck.client.get(f"{await page_of(deck, resource)}/settings")).text
    assert choice.format(" selected") in settings
    assert "sshcred_…" not in settings


async def test_a_public_repository_stays_what_it_is_when_its_settings_are_saved(deck):
    await deck.server()
    resource = await deck.resource(source={"kind": "git-public", "locator": "https://git.invalid/shop.git"})
    settings = (await deck.client.get(f"{await page_of(deck, resource)}/settings")).text
    assert '<option value="git-public" selected>Git repository</option>' in settings
    assert settings.count(">Git repository</option>") == 1


async def test_archiving_says_under_what_conditions_it_can_be_deleted_afterwards(deck):
    await deck.server()
    page = (await deck.client.get(f"{await page_of(deck, await deck.resource())}/archive")).text
    assert "It can be deleted once it is stopped and its deployments are archived and pruned." in page
    assert "cannot be deleted either" not in page


async def page_of(deck, resource):
    projects = (await deck.client.get("/console/projects")).text
    project = re.search(r'href="(/console/projects/(?!new")[a-z0-9-]+)"', projects)[1]
    shown = await deck.do("resources.show", resourceId=resource)
    environments = (await deck.client.get(project)).text
    slug = shown["resource"]["slug"]
    return re.search(rf'href="({project}/[a-z0-9-]+/{slug})"', environments)[1]
