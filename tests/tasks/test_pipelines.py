"""The rules of a pipeline, value by value."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks import pipelines

STAGE = {"name": "develop", "command": "/develop {description}"}


def choosing(**given):
    return {**STAGE, "choices": ["now", "later"], **given}


@pytest.mark.parametrize(
    ("stages", "place"),
    [
        ([], "pipeline:"),
        ([{**STAGE, "name": f"s{number}"} for number in range(51)], "pipeline:"),
        ([STAGE, STAGE], "pipeline[1].name:"),
        ([{**STAGE, "name": ""}], "pipeline[0].name:"),
        ([{**STAGE, "name": "a b"}], "pipeline[0].name:"),
        ([{**STAGE, "name": "a" * 65}], "pipeline[0].name:"),
        ([{**STAGE, "name": "é"}], "pipeline[0].name:"),
        ([{**STAGE, "command": "\n "}], "pipeline[0].command:"),
        ([{**STAGE, "command": "x" * 10_001}], "pipeline[0].command:"),
        ([{**STAGE, "timeout": 0}], "pipeline[0].timeout:"),
        ([{**STAGE, "timeout": 86_401}], "pipeline[0].timeout:"),
        ([STAGE, {**STAGE, "name": "b", "confirmTimeout": -1}], "pipeline[1].confirmTimeout:"),
        ([{**STAGE, "confirm": True, "input": True}], "pipeline[0]:"),
        ([choosing(confirm=True)], "pipeline[0]:"),
        ([choosing(input=True)], "pipeline[0]:"),
        ([choosing(choices=[])], "pipeline[0].choices:"),
        ([choosing(choices=["a", " "])], "pipeline[0].choices:"),
        ([choosing(choices=["a", "a"])], "pipeline[0].choices:"),
        ([choosing(choices=[f"c{number}" for number in range(21)])], "pipeline[0].choices:"),
        ([{**STAGE, "onTimeout": "fallback", "fallbackResult": "x"}], "pipeline[0].onTimeout:"),
        ([{**STAGE, "input": True, "onTimeout": "fallback"}], "pipeline[0].fallbackResult:"),
        ([{**STAGE, "input": True, "onTimeout": "fallback", "fallbackResult": " "}], "pipeline[0].fallbackResult:"),
        ([{**STAGE, "input": True, "fallbackResult": "x"}], "pipeline[0].fallbackResult:"),
        ([{**STAGE, "input": True, "onTimeout": "fail", "fallbackResult": "x"}], "pipeline[0].fallbackResult:"),
        ([choosing(onTimeout="fallback", fallbackResult="never")], "pipeline[0].fallbackResult:"),
        (
            [{**STAGE, "confirm": True, "onTimeout": "fallback", "fallbackResult": "maybe"}],
            "pipeline[0].fallbackResult:",
        ),
        ([{**STAGE, "retries": -1}], "pipeline[0].retries:"),
        ([{**STAGE, "retries": 11}], "pipeline[0].retries:"),
        ([{**STAGE, "agentType": "Claude Code"}], "pipeline[0].agentType:"),
        ([{**STAGE, "agentType": "custom:"}], "pipeline[0].agentType:"),
        ([{**STAGE, "agentType": "cladue"}], "pipeline[0].agentType:"),
        ([{**STAGE, "command": "/develop {nope}"}], "pipeline[0].command:"),
        ([{**STAGE, "command": "{description} {desc}"}], "pipeline[0].command:"),
        ([{**STAGE, "marker": " "}], "pipeline[0].marker:"),
        ([{**STAGE, "marker": "two\nlines"}], "pipeline[0].marker:"),
        ([{**STAGE, "marker": "x" * 201}], "pipeline[0].marker:"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(stages, place):
    with pytest.raises(Invalid) as raised:
        pipelines.check(stages, "pipeline")
    assert raised.value.code == "pipeline_invalid"
    assert raised.value.message.startswith(place)
    assert raised.value.details["field"] == place.rstrip(":")


def test_every_field_reaches_the_worker_and_null_says_nothing():
    given = [
        {
            **STAGE, "timeout": 60, "choices": ["a", "b"], "confirmTimeout": 5, "onTimeout": "fallback",
            "fallbackResult": "b", "retries": 2, "continueOnError": True, "agentType": "custom:reviewer",
            "marker": "[[DONE]]", "input": None,
        },
        {**STAGE, "name": "ship", "confirm": True, "choices": None, "onTimeout": "fallback"},
        {**STAGE, "name": "ask", "input": True},
    ]  # fmt: skip
    pipelines.check(given, "pipeline")
    stored = pipelines.kept(given)
    assert "input" not in stored[0]
    first, second, third = pipelines.stages(stored)
    assert (first.gate, second.gate, third.gate) == ("choice", "confirm", "input")
    assert (first.timeout, first.confirm_timeout, first.retries, first.continue_on_error) == (60, 5, 2, True)
    assert (first.on_timeout, first.fallback_result, first.agent_type) == ("fallback", "b", "custom:reviewer")
    assert first.marker == "[[DONE]]"
    assert (second.on_timeout, second.fallback_result) == ("fallback", None)
    assert (third.timeout, third.on_timeout, third.retries) == (None, "fail", 0)


@pytest.mark.parametrize(
    "command",
    ["/x {description} {branch} {project} {choice} {input}", "echo ${home} {{word}} {} { a } {A} {1} {'a': 1}", "a{"],
)
def test_braces_that_name_no_variable_stay(command):
    pipelines.check([{**STAGE, "command": command}], "pipeline")


def test_agents_that_nobody_knows_are_refused_with_those_that_there_are():
    with pytest.raises(Invalid, match="an agent is claude, codex, cursor, gemini, custom, or custom:NAME"):
        pipelines.check([{**STAGE, "agentType": "vim"}], "pipeline")
    assert [pipelines.is_agent(one) for one in ("claude", "custom", "custom:house", "vim", "custom:", "")] == [
        True, True, True, False, False, False
    ]  # fmt: skip
