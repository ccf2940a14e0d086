"""Settings of the tasks surface: one flat object, changed in parts."""

from __future__ import annotations

from quarterdeck.tasks.settings.defaults import DEFAULTS

SETTINGS = "/api/admin/settings"
STAGE = {"name": "develop", "command": "/develop {description}", "timeout": 60}


async def test_settings_are_the_defaults_until_somebody_chooses(crew):
    shown = await crew.ok("GET", SETTINGS)
    assert shown == DEFAULTS
    changed = await crew.once("task-settings.changed", "PUT", SETTINGS, {"tunnelTtlHours": 8, "webUrl": "https://a.b"})
    assert changed == {**DEFAULTS, "tunnelTtlHours": 8, "webUrl": "https://a.b"}
    assert await crew.ok("GET", SETTINGS) == changed
    before = len(await crew.told())
    assert await crew.ok("PUT", SETTINGS, {"tunnelTtlHours": 8}) == changed
    assert await crew.ok("PUT", SETTINGS, {}) == changed
    assert len(await crew.told()) == before
    back = await crew.once("task-settings.changed", "PUT", SETTINGS, {"tunnelTtlHours": 4, "webUrl": None})
    assert back == DEFAULTS


async def test_a_pipeline_is_kept_as_it_was_given(crew):
    pipeline = [{**STAGE, "confirm": True}, {"name": "ship", "command": "/ship {choice}", "choices": ["now", "later"]}]
    assert (await crew.ok("PUT", SETTINGS, {"defaultPipeline": pipeline}))["defaultPipeline"] == pipeline
    assert (await crew.ok("GET", SETTINGS))["defaultPipeline"] == pipeline


async def test_a_wrong_pipeline_is_told_by_the_path_of_what_is_wrong(crew):
    for stages, place in (
        ([], "defaultPipeline:"),
        ([STAGE] * 51, "defaultPipeline:"),
        ([STAGE, STAGE], "defaultPipeline[1].name"),
        ([{**STAGE, "name": "a b"}], "defaultPipeline[0].name"),
        ([{**STAGE, "command": " "}], "defaultPipeline[0].command"),
        ([{**STAGE, "confirm": True, "input": True}], "defaultPipeline[0]:"),
        ([{**STAGE, "choices": []}], "defaultPipeline[0].choices"),
        ([{**STAGE, "choices": ["a", ""]}], "defaultPipeline[0].choices"),
        ([{**STAGE, "timeout": 0}], "defaultPipeline[0].timeout"),
        ([{**STAGE, "timeout": 86_401}], "defaultPipeline[0].timeout"),
    ):
        told = await crew.refused(400, "PIPELINE_INVALID", "PUT", SETTINGS, {"defaultPipeline": stages})
        assert told["message"].startswith(place), told["message"]
    assert (await crew.ok("GET", SETTINGS)) == DEFAULTS


async def test_what_is_no_setting_or_no_value_of_it_is_refused(crew):
    for body in (
        {"nothing": 1},
        {"tunnelTtlHours": 25},
        {"tunnelTtlHours": "4"},
        {"tunnelTtlHours": None},
        {"bootReconcile": "later"},
        {"degradeRecoverSec": {"unknown": 1}},
        {"degradeRecoverSec": {"auth_failure": 1, "rate_limit": 1, "unknown": 1, "more": 1}},
        {"defaultPipeline": {}},
        {"defaultPipeline": [{"name": "a"}]},
        {"defaultPipeline": [{**STAGE, "surprise": 1}]},
        {"loadThresholdPercent": 10**30},
        [],
    ):
        await crew.refused(400, "VALIDATION_ERROR", "PUT", SETTINGS, body)
    await crew.refused(400, "SETTING_INVALID", "PUT", SETTINGS, {"heartbeatTimeoutSec": 30})
    await crew.refused(400, "SETTING_INVALID", "PUT", SETTINGS, {"defaultAgentType": "vim"})
    await crew.refused(400, "SETTING_INVALID", "PUT", SETTINGS, {"webUrl": "javascript:alert(1)"})
    for name, value in (("accessTokenTtlSec", 60), ("refreshTokenTtlSec", 60), ("requireTotp", True)):
        told = await crew.refused(400, "SETTING_FIXED", "PUT", SETTINGS, {name: value})
        assert name in told["message"]
    assert await crew.ok("PUT", SETTINGS, {"accessTokenTtlSec": 900, "requireTotp": False}) == DEFAULTS


async def test_each_organization_has_its_own(crew):
    _, token = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    await crew.ok("PUT", SETTINGS, {"tunnelTtlHours": 9}, token=token)
    assert (await crew.ok("GET", SETTINGS))["tunnelTtlHours"] == 4
    assert (await crew.ok("GET", SETTINGS, token=token))["tunnelTtlHours"] == 9
