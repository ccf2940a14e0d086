"""Enrolling machines, editing pipelines, settings of tasks and what a task changes, as their pages have them."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console import task_side
from console.portside import EVERYTHING, Portside
from console.task_admin_side import STAGES
from quarterdeck.console.views import diffs
from quarterdeck.console.views.pipelines import EXAMPLE
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.jobs import Jobs
from quarterdeck.tasks import pipelines

Client = TestClient[Litestar]
MACHINE = task_side.MACHINES[0]
ENROL, PIPELINE = "/console/tasks/machines/enrol", "/console/tasks/pipelines/WEB"
HERE = f"/console/tasks/machines/{MACHINE.uid}"
PROJECT, BOTS = "/console/tasks/projects/WEB", "/console/tasks/bots"
DEEDS: list[tuple[str, dict[str, str], tuple[Any, ...], str]] = [
    (f"{ENROL}/3/revoke", {}, ("revoke-enrolment", 3), ENROL),
    (HERE, {"name": "forge", "slots": "3"}, ("change-machine", MACHINE.uid, "forge", 3), HERE),
    (f"{HERE}/drain", {"reason": "new disk"}, ("drain-machine", MACHINE.uid, True, "new disk"), HERE),
    (f"{HERE}/drain", {"deed": "undrain"}, ("drain-machine", MACHINE.uid, False, ""), HERE),
    (f"{HERE}/decommission", {"confirmation": "build-1"}, ("decommission-machine", MACHINE.uid),
     "/console/tasks/machines"),
    (f"{PROJECT}/git-token", {"token": "glpat-1"}, ("keep-git-token", "WEB", "glpat-1"), PROJECT),
    (f"{PROJECT}/git-token", {"deed": "remove"}, ("keep-git-token", "WEB", None), PROJECT),
    (f"{PROJECT}/delete", {"confirmation": "WEB", "force": "yes"}, ("delete-task-project", "WEB", True),
     "/console/tasks/projects"),
    (f"{BOTS}/1", {"deed": "off"}, ("switch-bot", 1, False), BOTS),
    (f"{BOTS}/2", {"deed": "on"}, ("switch-bot", 2, True), BOTS),
    (f"{BOTS}/1", {"deed": "test-5"}, ("test-chat", 1, 5), BOTS),
    (f"{BOTS}/1", {"deed": "unbind-5"}, ("unbind-chat", 1, 5), BOTS),
    (f"{BOTS}/1", {"deed": "bind", "chat": "C9", "project": "WEB", "name": "#x"}, ("bind-chat", 1, "C9", "WEB", "#x"),
     BOTS),
    (f"{BOTS}/1/remove", {}, ("remove-bot", 1), BOTS),
    ("/console/tasks/140/budget", {"budget": "7.5"}, ("change-budget", 140, "7.5"), "/console/tasks/140"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "form", "deed", "leads"), DEEDS)
def test_a_form_does_its_deed_once_and_leads_to_where_it_is_seen(
    path: str, form: dict[str, str], deed: tuple[Any, ...], leads: str, client: Client, ports: Portside
) -> None:
    answer = client.post(path, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, leads)
    assert ports.deeds == [deed]


@pytest.mark.parametrize("path", [f"{HERE}/decommission", f"{PROJECT}/delete"])
def test_what_is_lost_goes_only_by_its_name(path: str, client: Client, ports: Portside) -> None:
    answer = client.post(path, data={"confirmation": "another"})
    assert answer.status_code == 400
    assert "Type it as it stands there." in answer.text
    assert ports.deeds == []


def test_a_token_is_shown_once_with_the_command_that_uses_it(client: Client, ports: Portside) -> None:
    made = client.post(ENROL, data={"label": "forge", "ends": "168"})
    assert ports.deeds == [("create-enrolment", "forge", 168)]
    assert made.headers["cache-control"] == "no-store"
    assert made.text.count("<code>ovw_4_0123456789abcdef</code>") == 1
    line = "qd worker --server http://deck.example --token @worker.token --capability tasks --slots 2"
    assert line in made.text
    shown = client.get(ENROL).text
    assert "ovw_" not in shown
    assert line in shown
    assert shown.count(">Revoke</a>") == 1, "only what can still be used"
    assert "&lt;b&gt;old&lt;/b&gt;" in shown
    assert client.post(ENROL, data={"label": "x", "ends": "999"}).status_code == 400
    assert "It is used already." in client.get(f"{ENROL}/2/revoke").text
    assert client.get(f"{ENROL}/9/revoke").status_code == 404


def test_administering_is_offered_to_who_may(client: Client, ports: Portside) -> None:
    assert f'href="{ENROL}"' in client.get("/console/tasks/machines").text
    assert f'action="{HERE}"' in client.get(HERE).text
    ports.permissions = EVERYTHING - {"tasks:machines.manage", "tasks:settings.manage", "tasks:projects.manage"}
    assert f'href="{ENROL}"' not in client.get("/console/tasks/machines").text
    assert f'action="{HERE}"' not in client.get(HERE).text
    assert "/console/tasks/settings" not in client.get("/console/tasks").text
    assert f'href="{PROJECT}/delete"' not in client.get(PROJECT).text


def form_of(text: str) -> dict[str, str]:
    """What the form of the editor holds, as a browser would send it."""
    fields = dict(re.findall(r'<input class="in"[^>]* name="(stage-[^"]+)"[^>]*? value="([^"]*)"', text))
    fields |= dict(re.findall(r'<textarea[^>]* name="(stage-[^"]+)"[^>]*>([^<]*)</textarea>', text))
    fields |= dict(re.findall(r'<select[^>]* name="(stage-[^"]+)".*?<option value="([^"]*)" selected>', text))
    fields |= dict.fromkeys(re.findall(r'type="checkbox" name="(stage-[^"]+)" value="yes" checked', text), "yes")
    fields |= dict(re.findall(r'<input type="hidden" name="(version)" value="([^"]*)"', text))
    return {name: html.unescape(value) for name, value in fields.items()}


def names(text: str) -> list[str]:
    return [value for name, value in sorted(form_of(text).items()) if name.endswith("-name")]


def test_a_pipeline_goes_through_its_form_as_it_was(client: Client, ports: Portside) -> None:
    form = form_of(client.get(PIPELINE).text)
    answer = client.post(PIPELINE, data=form | {"deed": "save"})
    assert (answer.status_code, answer.headers["location"]) == (303, PIPELINE)
    assert ports.deeds == [("save-pipeline", "WEB", [dict(one) for one in STAGES], "1")]


def test_stages_are_added_moved_and_removed_without_scripts_and_saved_at_last(client: Client, ports: Portside) -> None:
    def press(text: str, deed: str) -> str:
        answer = client.post(PIPELINE, data=form_of(text) | {"deed": deed})
        assert answer.status_code == 200
        assert "Not saved yet." in answer.text
        return answer.text

    text = client.get(PIPELINE).text
    assert names(text) == ["plan", "colour", "build"]
    text = press(text, "up-2")
    assert names(text) == ["plan", "build", "colour"]
    text = press(text, "down-0")
    assert names(text) == ["build", "plan", "colour"]
    text = press(text, "remove-0")
    assert names(text) == ["plan", "colour"]
    text = press(text, "add")
    assert names(text) == ["plan", "colour", ""]
    assert re.search(r'name="stage-2-name"[^>]* autofocus', text)
    assert ports.deeds == []
    form = form_of(text) | {"stage-2-name": "ship", "stage-2-command": "/ship", "stage-2-kind": "input"}
    client.post(PIPELINE, data=form | {"deed": "save"})
    assert ports.deeds == [
        ("save-pipeline", "WEB", [*(dict(one) for one in STAGES[:2]),
                                  {"name": "ship", "command": "/ship", "input": True}], "1")
    ]  # fmt: skip


def test_a_gate_is_added_that_can_be_saved_as_it_stands(client: Client, ports: Portside) -> None:
    text = client.get(PIPELINE).text
    assert "A stage that asks first is a gate" in text
    for _ in range(2):
        text = client.post(PIPELINE, data=form_of(text) | {"deed": "add-gate"}).text
    assert names(text) == ["plan", "colour", "build", "approved", "approved-2"]
    client.post(PIPELINE, data=form_of(text) | {"deed": "save"})
    ((_, _, saved, _),) = ports.deeds
    pipelines.check(saved[3:], "pipeline")
    assert [one["confirm"] for one in saved[3:]] == [True, True]


def test_the_example_of_a_pipeline_is_one(client: Client) -> None:
    shown = html.unescape(client.get(f"{PIPELINE}?as=json").text)
    assert EXAMPLE in shown
    stages = json.loads(EXAMPLE)
    pipelines.check(stages, "pipeline")
    assert [one.get("confirm") for one in stages] == [None, True]
    wrong = html.unescape(client.post(PIPELINE, data={"json": "{", "deed": "save", "version": "1"}).text)
    assert EXAMPLE in wrong


@pytest.mark.parametrize(
    ("place", "field"),
    [("pipeline[1].choices", "stage-1-choices"), ("pipeline[2].retries", "stage-2-retries"),
     ("pipeline[0].name", "stage-0-name"), ("pipeline[1].fallbackResult", "stage-1-fallbackResult")],
)  # fmt: skip
def test_a_wrong_value_is_told_at_its_field_by_its_path(
    place: str, field: str, client: Client, ports: Portside
) -> None:
    form = form_of(client.get(PIPELINE).text) | {"stage-0-command": "typed <b>anew</b>"}
    ports.problem = Invalid(f"{place}: it is wrong.", code="pipeline_invalid", hint="Change it.", field=place)
    answer = client.post(PIPELINE, data=form | {"deed": "save"})
    assert answer.status_code == 400
    assert re.search(rf'name="{field}"[^>]* aria-invalid="true"', answer.text)
    assert f'<p class="err" id="f-{field}-e">' in answer.text
    assert f"{place}: it is wrong." in answer.text
    assert "typed &lt;b&gt;anew&lt;/b&gt;" in answer.text, "what was typed is kept"


def test_a_number_that_is_none_and_a_whole_stage_are_told_in_their_places(client: Client, ports: Portside) -> None:
    form = form_of(client.get(PIPELINE).text)
    answer = client.post(PIPELINE, data=form | {"stage-0-timeout": "soon", "deed": "save"})
    assert "pipeline[0].timeout: &#39;soon&#39; is no whole number." in answer.text
    assert 'value="soon"' in answer.text
    for place in ("pipeline[2]", "pipeline"):
        ports.problem = Invalid(f"{place}: it is wrong.", code="pipeline_invalid", field=place, hint="Change it.")
        text = client.post(PIPELINE, data=form | {"deed": "save"}).text
        assert re.search(rf'<p class="err" role="alert">.*{re.escape(place)}: it is wrong.', text)


def test_a_pipeline_is_edited_as_json_and_back(client: Client, ports: Portside) -> None:
    form = form_of(client.get(PIPELINE).text)
    text = client.post(PIPELINE, data=form | {"deed": "as-json"}).text
    written = html.unescape(re.search(r'<textarea[^>]* name="json"[^>]*>([^<]*)</textarea>', text)[1])
    assert json.loads(written) == [dict(one) for one in STAGES]
    assert names(client.post(PIPELINE, data={"json": written, "version": "1", "deed": "as-form"}).text) == [
        "plan", "colour", "build",
    ]  # fmt: skip
    strange = '[{"name": ["a"], "command": 5, "choices": 7, "timeout": true, "retries": {}}, {}]'
    assert len(names(client.post(PIPELINE, data={"json": strange, "version": "1", "deed": "as-form"}).text)) == 2
    broken = client.post(PIPELINE, data={"json": '[{"name": ', "version": "1", "deed": "save"})
    assert broken.status_code == 400
    assert 'name="json"' in broken.text
    assert "This is no list of stages" in broken.text
    client.post(PIPELINE, data={"json": '[{"name": "a", "command": "/a"}]', "version": "1", "deed": "save"})
    assert ports.deeds == [("save-pipeline", "WEB", [{"name": "a", "command": "/a"}], "1")]


def test_who_was_slower_keeps_what_they_typed_and_who_only_reads_has_no_form(client: Client, ports: Portside) -> None:
    form = form_of(client.get(PIPELINE).text) | {"version": "0", "stage-0-name": "mine", "deed": "save"}
    ports.problem = Conflict("Somebody has saved this pipeline.", code="pipeline_changed", hint="Save it again.")
    answer = client.post(PIPELINE, data=form)
    assert answer.status_code == 409
    assert names(answer.text)[0] == "mine"
    assert form_of(answer.text)["version"] == "1", "saving once more is meant"
    assert 'name="deed"' not in client.get("/console/tasks/pipelines/DOCS").text


def test_the_settings_of_tasks_are_one_form(client: Client, ports: Portside) -> None:
    text = client.get("/console/tasks/settings").text
    assert 'name="heartbeatTimeoutSec" type="text" value="180"' in text
    assert f"qd worker beats every {Jobs.heartbeat_seconds:g} seconds while it works." in text
    client.post("/console/tasks/settings", data={"heartbeatTimeoutSec": "90", "machinesVisibleToDevelopers": "yes"})
    ((deed, values),) = ports.deeds
    assert (deed, values["heartbeatTimeoutSec"], values["machinesVisibleToDevelopers"]) == (
        "change-task-settings", "90", "yes",
    )  # fmt: skip
    ports.problem = Invalid("It is too short.", code="setting_invalid", field="heartbeatTimeoutSec", hint="Longer.")
    answer = client.post("/console/tasks/settings", data={"heartbeatTimeoutSec": "1"})
    assert re.search(r'name="heartbeatTimeoutSec"[^>]* aria-invalid="true"', answer.text)


def test_a_diff_is_shown_by_file_and_never_as_markup(client: Client) -> None:
    text = client.get("/console/tasks/139/diff").text
    assert "# &lt;b&gt;a minute&lt;/b&gt;" in text
    assert re.findall(r'<span class="addr">([^<]*)</span>', text) == [
        "shop/limits.py", "logo.png", "new name.py", "gone.txt",
    ]  # fmt: skip
    assert "Delivered as 9f2c1ab0d4e5" in text
    assert "Not all of it is shown." in client.get("/console/tasks/140/diff").text
    assert "Nothing is known yet" in client.get("/console/tasks/142/diff").text
    assert client.get("/console/tasks/1/diff").status_code == 404


def test_a_diff_is_read_by_what_git_says_of_each_file() -> None:
    files, left = diffs.files_of(task_side.PATCH)
    assert [(one.name, one.note, one.added, one.removed) for one in files] == [
        ("shop/limits.py", "", 2, 1),
        ("logo.png", "new, binary", 0, 0),
        ("new name.py", "was old name.py", 0, 0),
        ("gone.txt", "deleted", 1, 0),
    ]
    assert left == 0
    assert [kind for kind, _ in files[0].runs] == ["hunk", "", "was", "now", ""]
    long = "diff --git a/a b/a\n@@ -1 +1 @@\n" + "+x\n" * 5000
    (one,), left = diffs.files_of(long)
    assert (one.added, left) == (diffs.MOST_LINES - 2, 5002 - diffs.MOST_LINES)
    assert diffs.files_of("") == ((), 0)


def test_a_bot_is_registered_with_secrets_that_no_page_shows(client: Client, ports: Portside) -> None:
    form = {"platform": "slack", "name": "Deck", "appId": "A1", "appSecret": "xoxb-hidden", "webhookToken": "signing"}
    answer = client.post(BOTS, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, BOTS)
    assert ports.deeds == [("register-bot", {**form, "encryptKey": "", "apiUrl": ""})]
    ports.problem = Invalid("It is too long.", code="validation_error", field="name", hint="Shorter.")
    refused = client.post(BOTS, data=form)
    assert re.search(r'name="name"[^>]* aria-invalid="true"', refused.text)
    assert 'value="A1"' in refused.text
    assert "xoxb-hidden" not in refused.text
    assert client.post(BOTS, data=form | {"appSecret": ""}).status_code == 400
    assert client.post(f"{BOTS}/1", data={"deed": "explode"}).status_code == 400
    shown = client.get(BOTS).text
    assert "http://deck.example/webhook/slack/events" in shown
    assert "Deck &lt;bot&gt;" in shown
