"""Environments and their variables over the API."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.workspace.model import Environment

PLAIN = {"kind": "plain-config", "exposure": "runtime"}


async def test_an_environment_is_created_listed_and_shown(deck):
    project, environment = await deck.place()
    other = await deck.place("Other")
    child = {"projectId": project, "name": "preview", "kind": "preview", "parentEnvironmentId": environment}
    made = await deck.do("environments.create", child)
    shown = await deck.do("environments.show", environmentId=made["id"])
    assert (shown["kind"], shown["parentEnvironmentId"]) == ("preview", environment)
    listed = await deck.do("environments.list", query={"projectId": project})
    assert [row["id"] for row in listed["items"]] == [made["id"], environment]
    assert await deck.do("environments.count") == {"count": 3}
    assert await deck.do("environments.count", query={"projectId": other[0]}) == {"count": 1}
    taken = {"projectId": project, "name": "PREVIEW", "kind": "test"}
    await deck.refused(409, "conflict", "environments.create", taken)
    foreign = {**taken, "name": "x", "parentEnvironmentId": other[1]}
    await deck.refused(409, "conflict", "environments.create", foreign)
    await deck.malformed("environments.create", {**taken, "kind": "moon"})
    await deck.refused(404, "not_found", "environments.create", {**taken, "projectId": "prj_000000000000"})


async def test_variables_are_set_masked_and_unset(deck):
    _, environment = await deck.place()
    for key, kind in (("PLAIN", "plain-config"), ("SECRET", "secret")):
        body = {"key": key, "value": f"value of {key}", "kind": kind, "exposure": "runtime"}
        await deck.do("environments.set-variable", body, environmentId=environment)
    shown = await deck.do("environments.show", environmentId=environment)
    assert {row["key"]: (row["value"], row["isSecret"]) for row in shown["maskedVariables"]} == {
        "PLAIN": ("value of PLAIN", False),
        "SECRET": ("****", True),
    }
    unset = {"exposure": "runtime"}
    await deck.do("environments.unset-variable", unset, environmentId=environment, key="PLAIN")
    again = {"environmentId": environment, "key": "PLAIN"}
    await deck.refused(404, "not_found", "environments.unset-variable", unset, **again)


async def test_a_later_scope_wins(deck):
    _, environment = await deck.place()
    for scope in ("environment", "defaults", "deployment", "system"):
        body = {"key": "A", "value": scope, "scope": scope, **PLAIN}
        await deck.do("environments.set-variable", body, environmentId=environment)
    found = await deck.do("environments.effective-precedence", environmentId=environment)
    assert [(row["value"], row["scope"]) for row in found["effectiveEntries"]] == [("deployment", "deployment")]
    assert [row["scope"] for row in found["ownedEntries"]] == ["defaults", "system", "environment", "deployment"]
    assert found["precedence"] == [
        "defaults",
        "system",
        "organization",
        "project",
        "environment",
        "resource",
        "deployment",
    ]


@pytest.mark.parametrize(
    ("lifecycle", "code"), [("locked", "environment_locked"), ("archived", "environment_archived")]
)
async def test_a_closed_environment_is_read_but_not_changed(deck, lifecycle, code):
    project, environment = await deck.place()

    def close(tx):
        row = tx.first(select(Environment).where(Environment.ref == environment))
        row.lifecycle = lifecycle
        row.locked_at = row.archived_at = tx.now

    await deck.instance.db.write(close)
    variable = {"key": "A", "value": "1", **PLAIN}
    await deck.refused(409, code, "environments.set-variable", variable, environmentId=environment)
    named = {"environmentId": environment, "key": "A"}
    await deck.refused(409, code, "environments.unset-variable", {"exposure": "runtime"}, **named)
    resource = {"projectId": project, "environmentId": environment, "name": "Web"}
    await deck.refused(409, code, "resources.create", resource)
    assert (await deck.do("environments.show", environmentId=environment))["lifecycleStatus"] == lifecycle


@pytest.mark.parametrize(
    "body",
    [
        {"key": "A B", "value": "1", **PLAIN},
        {"key": "é", "value": "1", **PLAIN},
        {"key": "A" * 201, "value": "1", **PLAIN},
        {"key": "A", "value": "1", "kind": "plain-config", "exposure": "build-time"},
        {"key": "VITE_A", "value": "1", "kind": "secret", "exposure": "build-time"},
        {"key": "A", "value": "\x00", **PLAIN},
        {"key": "A", "value": "1", "kind": "plain-config", "exposure": "never"},
        {"key": "A", "value": "1", "exposure": "runtime", "kind": "other"},
        {"key": "A", "value": "1", "scope": "galaxy", **PLAIN},
    ],
)
async def test_a_wrong_variable_is_refused_whole(deck, body):
    _, environment = await deck.place()
    answer = await deck.request("environments.set-variable", body, environmentId=environment)
    assert answer.status_code == 400, answer.text
    assert (await deck.do("environments.show", environmentId=environment))["maskedVariables"] == []


async def test_an_environment_is_renamed_locked_and_unlocked(deck):
    project, environment = await deck.place()
    await deck.do("environments.create", {"projectId": project, "name": "staging", "kind": "staging"})
    here = {"environmentId": environment}
    await deck.do("environments.rename", {"name": "live"}, **here)
    await deck.refused(409, "conflict", "environments.rename", {"name": "STAGING"}, **here)
    await deck.do("environments.lock", {"reason": "a freeze"}, **here)
    await deck.do("environments.lock", {}, **here)
    shown = await deck.do("environments.show", **here)
    assert (shown["name"], shown["lifecycleStatus"], shown["lockReason"]) == ("live", "locked", "a freeze")
    body = {"key": "A", "value": "1", **PLAIN}
    await deck.refused(409, "environment_locked", "environments.set-variable", body, **here)
    await deck.refused(409, "environment_locked", "environments.rename", {"name": "x"}, **here)
    await deck.do("environments.unlock", **here)
    await deck.do("environments.set-variable", body, **here)
    assert "lockReason" not in await deck.do("environments.show", **here)


async def test_archiving_is_final_and_keeps_what_can_be_read(deck):
    project, environment = await deck.place()
    here = {"environmentId": environment}
    await deck.do("environments.lock", {}, **here)
    await deck.do("environments.archive", {"reason": "not needed"}, **here)
    await deck.do("environments.archive", {"reason": "again"}, **here)
    shown = await deck.do("environments.show", **here)
    assert (shown["lifecycleStatus"], shown["archiveReason"]) == ("archived", "not needed")
    for key, body in (("environments.unlock", None), ("environments.lock", {}), ("environments.rename", {"name": "x"}),
                      ("environments.clone", {"targetName": "y"})):  # fmt: skip
        await deck.refused(409, "environment_archived", key, body, **here)
    resource = {"projectId": project, "environmentId": environment, "name": "web"}
    await deck.refused(409, "environment_archived", "resources.create", resource)
    await deck.refused(400, "validation_error", "environments.archive", {"reason": "two\nlines"}, **here)


async def test_a_copy_has_the_variables_and_the_difference_is_told_without_secrets(deck):
    _, environment = await deck.place()
    for key, kind, value in (("PLAIN", "plain-config", "one"), ("SECRET", "secret", "hush"), ("GONE", "secret", "x")):
        body = {"key": key, "value": value, "kind": kind, "exposure": "runtime"}
        await deck.do("environments.set-variable", body, environmentId=environment)
    made = (await deck.do("environments.clone", {"targetName": "copy"}, environmentId=environment))["id"]
    shown = await deck.do("environments.show", environmentId=made)
    assert (shown["kind"], shown["parentEnvironmentId"]) == ("production", environment)
    for key, value in (("PLAIN", "two"), ("SECRET", "hush"), ("NEW", "n")):
        kind = "secret" if key == "SECRET" else "plain-config"
        body = {"key": key, "value": value, "kind": kind, "exposure": "runtime"}
        await deck.do("environments.set-variable", body, environmentId=made)
    await deck.do("environments.unset-variable", {"exposure": "runtime"}, environmentId=made, key="GONE")
    found = await deck.do("environments.diff", environmentId=environment, otherEnvironmentId=made)
    assert {one["key"]: one["change"] for one in found} == {
        "PLAIN": "changed", "SECRET": "unchanged", "GONE": "removed", "NEW": "added",
    }  # fmt: skip
    assert "hush" not in str(found)
    up = {"targetName": "preview", "targetKind": "preview"}
    promoted = (await deck.do("environments.promote", up, environmentId=made))["id"]
    same = await deck.do("environments.diff", environmentId=made, otherEnvironmentId=promoted)
    assert {one["change"] for one in same} == {"unchanged"}
    await deck.refused(409, "conflict", "environments.clone", {"targetName": "COPY"}, environmentId=environment)
    await deck.refused(404, "not_found", "environments.diff", environmentId=environment, otherEnvironmentId="env_x")
