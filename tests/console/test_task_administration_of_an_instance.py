"""Administering tasks in the console of a real instance: what the pages ask for is done, and refused at its place."""

from __future__ import annotations

import html
import re

import pytest

from quarterdeck.kernel.vault import Secret
from support.crew import Crew
from support.deck import running, signed_in

HERE = {"origin": "http://localhost"}
WEB, PIPELINE, ENROL = "/console/tasks/projects/WEB", "/console/tasks/pipelines/WEB", "/console/tasks/machines/enrol"


@pytest.fixture
async def crew(tmp_path, database_address):
    async with running(tmp_path, database_address) as deck:
        made = Crew(await signed_in(deck))
        body = {"key": "WEB", "name": "Shop", "repoUrl": "https://git.example.com/a.git", "agentType": "claude"}
        await made.ok("POST", "/api/admin/projects", body, status=201)
        yield made


def enter(crew: Crew, token: str | None = None) -> None:
    crew.deck.client.cookies.set("qd_session", crew.deck.instance.signer.sign(Secret(token or crew.deck.token)))


async def page(crew: Crew, path: str) -> str:
    answer = await crew.deck.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def post(crew: Crew, path: str, status: int = 303, **form: str) -> str:
    answer = await crew.deck.client.post(path, data=form, headers=HERE)
    assert answer.status_code == status, answer.text
    return answer.text


def version(text: str) -> str:
    return re.search(r'name="version" value="(\w+)"', text)[1]


def stage(number: int, name: str, **more: str) -> dict[str, str]:
    fields = {"name": name, "command": f"/{name}", **more}
    return {f"stage-{number}-{key}": value for key, value in fields.items()}


async def test_a_pipeline_is_saved_by_the_rules_and_never_over_that_of_another(crew):
    enter(crew)
    text = await page(crew, PIPELINE)
    assert "that of the settings; saving gives the project its own" in text
    first = version(text)
    wrong = stage(0, "plan") | stage(1, "plan", kind="choices", choices="red\nblue")
    told = await post(crew, PIPELINE, 400, deed="save", version=first, **wrong)
    assert re.search(r'name="stage-1-name"[^>]* aria-invalid="true"', told)
    assert "pipeline[1].name: a name is 1 to 64" in told
    good = stage(0, "plan", timeout="900") | stage(1, "ship", kind="choices", choices="red\nblue")
    await post(crew, PIPELINE, deed="save", version=first, **good)
    shown = (await crew.ok("GET", "/api/web/projects/WEB"))["pipeline"]
    assert shown == [
        {"name": "plan", "command": "/plan", "timeout": 900},
        {"name": "ship", "command": "/ship", "choices": ["red", "blue"]},
    ]
    assert "Somebody has saved this pipeline" in await post(crew, PIPELINE, 409, deed="save", version=first, **good)
    json = '[{"name": "a", "command": "/a", "confirm": "soon"}]'
    told = html.unescape(await post(crew, PIPELINE, 400, deed="save", version=version(await page(crew, PIPELINE)),
                                    json=json))  # fmt: skip
    assert "pipeline[0].confirm: Expected `bool`" in told
    await post(crew, PIPELINE, deed="default", version=version(await page(crew, PIPELINE)))
    assert (await crew.ok("GET", "/api/web/projects/WEB"))["defaults"] == ["pipeline"]
    default = "/console/tasks/pipelines/-"
    await post(crew, default, deed="save", version=version(await page(crew, default)), **stage(0, "own"))
    assert [one["name"] for one in (await crew.ok("GET", "/api/web/projects/WEB"))["pipeline"]] == ["own"]
    _, developer = await crew.person("dora", "tasks:developer")
    enter(crew, developer)
    assert (await crew.deck.client.get(default)).status_code == 403
    assert (await crew.deck.client.get(PIPELINE)).status_code == 404
    assert (await crew.deck.client.get(ENROL)).status_code == 403


async def test_machines_projects_settings_and_bots_are_administered(crew):
    enter(crew)
    made = await post(crew, ENROL, 200, label="forge", ends="24")
    secret = re.search(r"<code>(ovw_\d+_[\w-]+)</code>", made)[1]
    assert secret not in await page(crew, ENROL)
    (row,) = (await crew.ok("GET", "/api/admin/worker-tokens"))["items"]
    assert (row["label"], row["status"]) == ("forge", "unused")
    await post(crew, f"{ENROL}/{row['id']}/revoke")
    assert (await crew.ok("GET", "/api/admin/worker-tokens"))["items"][0]["status"] == "revoked"

    await post(crew, f"{WEB}/git-token", token="glpat-0123456789")
    await post(crew, WEB, name="Shop", repoUrl="https://git.example.com/a.git", maxTasks="3", budgetUsd="2.5")
    project = await crew.ok("GET", "/api/web/projects/WEB")
    assert (project["hasGitToken"], project["maxTasks"], project["budgetUsd"]) == (True, 3, 2.5)
    assert 'id="f-maxTasks-e"' in await post(crew, WEB, 400, name="Shop", maxTasks="many")
    await post(crew, f"{WEB}/git-token", deed="remove")
    assert not (await crew.ok("GET", "/api/web/projects/WEB"))["hasGitToken"]

    settings = "/console/tasks/settings"
    await post(crew, settings, **await values(crew, heartbeatTimeoutSec="90"))
    assert (await crew.ok("GET", "/api/admin/settings"))["heartbeatTimeoutSec"] == 90
    for wrong in ("soon", "5"):  # no number; shorter than the heartbeat
        told = await post(crew, settings, 400, **await values(crew, heartbeatTimeoutSec=wrong))
        assert re.search(r'name="heartbeatTimeoutSec"[^>]* aria-invalid="true"', told)

    bot = {"platform": "slack", "name": "Deck", "appId": "A1", "appSecret": "xoxb-1", "webhookToken": "signing"}
    await post(crew, "/console/tasks/bots", **bot)
    number = (await crew.ok("GET", "/api/admin/bots"))["items"][0]["id"]
    await post(crew, f"/console/tasks/bots/{number}", deed="bind", chat="C1", project="web")
    assert (await crew.ok("GET", "/api/admin/bots/all-bindings"))["items"][0]["projectKey"] == "WEB"
    assert "Send a test to C1" in await page(crew, "/console/tasks/bots")
    await post(crew, f"/console/tasks/bots/{number}/remove")

    await crew.ok("POST", "/api/web/tasks", {"projectKey": "WEB", "description": "x"}, status=201)
    await post(crew, "/console/tasks/1/budget", budget="7")
    assert (await crew.ok("GET", "/api/web/tasks/1"))["budgetUsd"] == 7
    assert "Not all tasks of WEB have ended" in await post(crew, f"{WEB}/delete", 409, confirmation="WEB")
    await post(crew, f"{WEB}/delete", confirmation="WEB", force="yes")
    await crew.ok("GET", "/api/web/projects/WEB", status=404)


async def test_the_agent_custom_is_described_in_the_forms_and_refused_at_its_field(crew):
    enter(crew)
    form = {"name": "Own", "repoUrl": "https://git.example.com/a.git", "agentType": "custom"}
    new = "/console/tasks/projects/new"
    for typed in ("", "[]", '{"argv": []}', '{"argv": ["a"], "paste": "flut"}', '{"argv": ["a"], "readyPattern": "("}'):
        told = await post(crew, new, 400, **form, key="OWN", customAgent=typed)
        assert re.search(r'<textarea[^>]* name="customAgent"[^>]* aria-invalid="true"', told), typed
        assert html.escape(typed, quote=False) in told.replace("&#34;", '"')
    await post(crew, new, **form, key="OWN", customAgent='{"argv": ["house-agent"]}')
    own = "/console/tasks/projects/OWN"
    assert "&#34;house-agent&#34;" in await page(crew, own)
    await post(crew, own, **form, customAgent='{"argv": ["b"], "oneShot": true}')
    assert (await crew.ok("GET", "/api/web/projects/OWN"))["customAgent"] == {"argv": ["b"], "oneShot": True}
    assert 'id="f-customAgent-e"' in await post(crew, own, 400, **form, customAgent="")
    await post(crew, own, **{**form, "agentType": "claude"}, customAgent="")
    assert (await crew.ok("GET", "/api/web/projects/OWN"))["customAgent"] is None


async def values(crew: Crew, **more: str) -> dict[str, str]:
    """What the form of the settings holds."""
    text = await page(crew, "/console/tasks/settings")
    found = dict(re.findall(r'<input class="in"[^>]* name="(\w+)" type="text" value="([^"]*)"', text))
    return {**found, "bootReconcile": "grace", "machinesVisibleToDevelopers": "yes", **more}
