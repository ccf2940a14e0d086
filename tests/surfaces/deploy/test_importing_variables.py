"""A `.env` file over the API: all of it or nothing, secrets sealed, and every line accounted for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from quarterdeck.kernel import events
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.errors import Invalid
from quarterdeck.workspace import dotenv

KEY = "resources.import-variables"
FILE = """# settings

LOG_LEVEL=info
export OLD='new'
DB_PASSWORD="s3cret # no comment"
LOG_LEVEL=debug   # the last one wins
EMPTY=
COLOUR=#fff
SIGNING=abc
PUBLIC_TOKEN_HINT=see the wiki
"""


async def owned(deck, resource):
    found = await deck.do("resources.effective-config", resourceId=resource)
    return {entry["key"]: entry["value"] for entry in found["ownedEntries"]}


async def test_a_file_is_imported_with_every_line_accounted_for(deck):
    resource = await deck.resource()
    await deck.do("resources.set-variable", {"key": "OLD", "value": "1", "exposure": "runtime"}, resourceId=resource)
    body = {
        "content": FILE, "exposure": "runtime", "secretKeys": ["SIGNING"], "plainKeys": ["PUBLIC_TOKEN_HINT"],
    }  # fmt: skip
    done = await deck.do(KEY, body, resourceId=resource)
    told = {
        one["key"]: (one["value"], one["action"], one["isSecret"], one["sourceLine"]) for one in done["importedEntries"]
    }
    assert told == {
        "OLD": ("new", "replaced", False, 4),
        "DB_PASSWORD": ("****", "created", True, 5),
        "LOG_LEVEL": ("debug", "created", False, 6),
        "EMPTY": ("", "created", False, 7),
        "COLOUR": ("#fff", "created", False, 8),
        "SIGNING": ("****", "created", True, 9),
        "PUBLIC_TOKEN_HINT": ("see the wiki", "created", False, 10),
    }
    assert done["duplicateOverrides"] == [
        {"key": "LOG_LEVEL", "exposure": "runtime", "firstLine": 3, "lastLine": 6, "rule": "last-wins"}
    ]
    assert [one["key"] for one in done["existingOverrides"]] == ["OLD"]
    assert (await owned(deck, resource)) == {key: value for key, (value, *_) in told.items()}
    assert not any("s3cret" in text for text in deck.heard)

    def trail(tx):
        told = [event for event in events.read(tx, f"resource:{resource}", 0, 50) if "imported" in event.type]
        acts = tx.execute(select(audit_events.c.action, audit_events.c.detail)).all()
        return told, [str(detail) for action, detail in acts if action == "resource.variables-imported"]

    (event,), (detail,) = await deck.instance.db.read(trail)
    assert event.type == "resource-variables-imported"
    assert "s3cret" not in str(event.data) + detail


@pytest.mark.parametrize("wrong", ["B", "=1", "1A=2", "A B=1", 'B="open', "B='open", 'B="a" b', "B-C=1"])
async def test_one_malformed_line_refuses_all_and_shows_nothing_of_itself(deck, wrong):
    resource = await deck.resource()
    body = {"content": f"A=1\n{wrong}\nC=3", "exposure": "runtime"}
    refused = await deck.refused(400, "validation_error", KEY, body, resourceId=resource)
    assert "line 2" in refused["message"]
    assert refused["error"]["details"]["phase"] == "resource-env-import-parse"
    assert refused["error"]["details"]["lines"] == [2]
    assert await owned(deck, resource) == {}


@pytest.mark.parametrize(
    "body",
    [
        {"content": "A=1", "secretKeys": ["A"], "plainKeys": ["A"]},
        {"content": "# nothing\n\n"},
        {"content": "PUBLIC_A=1\nB=2", "exposure": "build-time"},
        {"content": "PUBLIC_API_KEY=1", "exposure": "build-time"},
        {"content": "A=" + "x" * 200_000},
    ],
)
async def test_what_is_wrong_with_one_variable_refuses_all(deck, body):
    resource = await deck.resource()
    body = {"exposure": "runtime", **body}
    await deck.refused(400, "validation_error", KEY, body, resourceId=resource)
    assert await owned(deck, resource) == {}


async def test_an_import_keeps_to_the_rules_of_its_resource(deck):
    resource = await deck.resource()
    body = {"content": "A=1", "exposure": "runtime"}
    stranger = await deck.member("owner", "org_other")
    await deck.refused(404, "not_found", KEY, body, resourceId=resource, token=stranger)
    await deck.malformed(KEY, {"content": "A=1"}, resourceId=resource)
    await deck.malformed(KEY, {"content": "", "exposure": "runtime"}, resourceId=resource)
    await deck.do(KEY, {"content": "PUBLIC_A=1", "exposure": "build-time"}, resourceId=resource)
    await deck.do("resources.archive", {}, resourceId=resource)
    await deck.refused(409, "resource_archived", KEY, body, resourceId=resource)


KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\"'\\", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_quoted_values_come_back_as_they_were_written(values):
    for quote in ("'", '"'):
        content = "\n".join(f"{key}={quote}{value}{quote}" for key, value in values.items())
        assert {entry.key: entry.value for entry in dotenv.parse(content)} == values


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text):
    try:
        entries = dotenv.parse(text)
    except Invalid as problem:
        assert problem.details["lines"]  # noqa: PT017 - either end is right
    else:
        assert len({entry.key for entry in entries}) == len(entries)
