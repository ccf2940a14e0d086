"""Finding the zones, specs, runners, jobs and cloud identities that a person means."""

from __future__ import annotations

import re
from typing import Any

from quarterdeck.cli import infra_states, names
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import usage
from quarterdeck.cli.infra_choosing import Choice, choose
from quarterdeck.cli.names import Row, counted
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import ago

IDENTITY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ANY = "any"
PAGE = 100
MOST, MANY = 500, 10_000
"""Rows of a list that is shown, and of one that a name is looked for in."""


def whole(
    api: Api,
    key: str,
    rows: str,
    *,
    cursor: str = "next",
    query: Row | None = None,
    most: int = MOST,
    **parameters: str,
) -> list[Row]:
    """A list of the infra surface, page by page, newest first; at most a little more than `most` of it."""
    found: list[Row] = []
    before = None
    while True:
        page = api.read(key, {**(query or {}), "before": before}, **parameters)
        found += page[rows]
        before = page.get(cursor)
        if before is None or len(found) >= most:
            return found


def zones(api: Api) -> list[Row]:
    return whole(api, "zones.list", "zones", most=MANY)


def specs(api: Api) -> list[Row]:
    return whole(api, "specs.list", "configurations", most=MANY)


def runners(api: Api) -> list[Row]:
    return whole(api, "runners.list", "workers", most=MANY)


def zone(opened: Session, text: str | None, *, option: str = "--zone-id") -> Row:
    """The zone that goes by this id or name; without one a person chooses. Raises `Failure`."""
    rows = zones(opened.api)
    if text is None:
        choices = [Choice(f"{row['name']}   {len(row.get('specs') or [])} specs", row["name"]) for row in rows]
        return rows[choose(opened.terminal, "zone", choices, option=option, empty="qd zone create payments")]
    found = names.pick(rows, text)
    if found is None:
        raise names.missing("zone", text, [str(row["name"]) for row in rows], "qd zone list")
    return found


def spec(
    opened: Session, text: str | None, *, option: str = "--spec-id", only: bool = True, zone_text: str | None = None
) -> Row:
    """The spec that goes by this id, this project name, or ZONE/NAME. Without one: the only one there is (`only`, and
    a person could be asked), else a person chooses. Raises `Failure`, with the ids where several have the name.
    """
    rows = specs(opened.api)
    known = {str(row["id"]): str(row["name"]) for row in zones(opened.api)} if len(rows) > 1 or zone_text else {}
    if zone_text is not None:
        chosen = zone(opened, zone_text)
        rows = [row for row in rows if row.get("zone_id") == chosen["id"]]
    if text is None:
        if only and len(rows) == 1 and not opened.terminal.no_input:
            return rows[0]
        return _chosen_spec(opened, rows, known, option)
    matches = [row for row in rows if row["id"] == text] or [row for row in rows if row["project_name"] == text]
    owner, slash, own = text.rpartition("/")
    if not matches and slash:
        places = {identity for identity, name in known.items() if owner in {identity, name}}
        matches = [row for row in rows if row.get("zone_id") in places and own in {row["project_name"], row["id"]}]
    return _one_of(opened, text, matches, rows, known, option=option, only=only)


def _one_of(
    opened: Session, text: str, matches: list[Row], rows: list[Row], known: dict[str, str], *, option: str, only: bool
) -> Row:
    """The one that a name means: where several have it, the only one with resources, but for what loses something."""
    if not matches:
        raise names.missing("spec", text, [str(row["project_name"]) for row in rows], "qd spec list")
    if len(matches) > 1:
        held = {str(row["id"]): _resources(opened, row) for row in matches[:5]}
        standing = [row for row in matches if held.get(str(row["id"]))]
        if only and len(matches) <= len(held) and len(standing) == 1:
            meant = standing[0]["id"]
            opened.terminal.say(f"  {len(matches)} specs are called {text}; {meant} is the one with resources.")
            return standing[0]
        told = ", ".join(
            f"{row['id']} ({_where(row, known)}, {counted(held[str(row['id'])], 'resource')})" for row in matches[:5]
        )
        raise usage(
            f"{text} is the name of {len(matches)} specs: {told}.",
            f"Use the id: {option} {matches[0]['id']}",
            code="spec_ambiguous",
        )
    return matches[0]


def _resources(opened: Session, row: Row) -> int:
    return int(opened.api.read("specs.show", specId=str(row["id"]))["configuration"].get("resources") or 0)


def _chosen_spec(opened: Session, rows: list[Row], known: dict[str, str], option: str) -> Row:
    if opened.terminal.asks and len({row.get("zone_id") for row in rows}) > 1:
        places: list[Any] = list(dict.fromkeys(row.get("zone_id") for row in rows))
        choices = [Choice(known.get(str(place), "in no zone"), known.get(str(place), "-")) for place in places]
        chosen = places[choose(opened.terminal, "zone", choices, option="--zone-id", empty="qd zone create payments")]
        rows = [row for row in rows if row.get("zone_id") == chosen]
    terminal = opened.terminal
    labels = [
        Choice(f"{row['project_name']} ({_where(row, known)})   {infra_states.spec(row).word}", _sayable(row, rows))
        for row in rows
    ]
    return rows[choose(terminal, "spec", labels, option=option, empty="qd spec create NAME --template local")]


def _where(row: Row, known: dict[str, str]) -> str:
    place = known.get(str(row.get("zone_id")))
    return f"{row['environment_stage']}, {place}" if place else str(row["environment_stage"])


def _sayable(row: Row, rows: list[Row]) -> str:
    """The name where it says enough, else the id."""
    same = [one for one in rows if one["project_name"] == row["project_name"]]
    return str(row["project_name"] if len(same) == 1 else row["id"])


def runner(opened: Session, text: str | None, *, option: str = "--runner-id") -> Row:
    """The runner that goes by this id or name; without one a person chooses. Raises `Failure`."""
    rows = runners(opened.api)
    if text is None:
        choices = [Choice(_runner_label(row), str(row["name"])) for row in rows]
        return rows[choose(opened.terminal, "runner", choices, option=option, empty="qd runner register NAME")]
    return _runner(rows, text)


def _runner(rows: list[Row], text: str) -> Row:
    found = names.pick(rows, text)
    if found is None:
        raise names.missing("runner", text, [str(row["name"]) for row in rows], "qd runner list")
    return found


def _runner_label(row: Row) -> str:
    kind = "cloud" if row["mode"] == "cloud-hosted" else "self"
    default = "   default" if row.get("is_default") else ""
    return f"{row['name']} ({kind})   {infra_states.runner(row).word}{default}"


def pinned(opened: Session, text: str | None, *, ask: bool = False) -> str | None:
    """The id of the runner that alone may do it; None for any, which is what "any" and nothing say. With `ask` a person
    at a terminal chooses where nothing was said; the default runner is preselected while it is there.
    """
    if text is not None and text.lower() == ANY:
        return None
    if text is not None:
        return str(_runner(runners(opened.api), text)["id"])
    if not ask or not opened.terminal.asks:
        return None
    rows = runners(opened.api)
    if not rows:
        return None
    choices = [Choice("Any available", ANY), *(Choice(_runner_label(row), str(row["name"])) for row in rows)]
    online = [index for index, row in enumerate(rows, 1) if row.get("is_default") and row["status"] == "ONLINE"]
    chosen = choose(
        opened.terminal, "runner", choices, option="--runner-id", empty="", preselected=online[0] if online else 0
    )
    return None if chosen == 0 else str(rows[chosen - 1]["id"])


def jobs(api: Api, limit: int, **query: Any) -> list[Row]:
    """The newest jobs, at most `limit`, page by page."""
    rows: list[Row] = []
    while len(rows) < limit:
        asked = {"surface": "infra", **query, "limit": min(limit - len(rows), PAGE), "offset": len(rows) or None}
        page: list[Row] = api.read("infra-jobs.list", asked)["jobs"]
        rows += page
        if len(page) < asked["limit"]:
            break
    return rows


def job(opened: Session, text: str | None, *, option: str = "--id", kind: str | None = None) -> str:
    """The id of the job; without one a person chooses of the newest (of this type). Raises `Failure`."""
    if text is not None:
        if IDENTITY.fullmatch(text) is None:
            raise usage(f"{text} is not the id of a job.", "qd jobs list   (then: qd jobs show ID)", code="job_id")
        return text.lower()
    noun = "plan" if kind else "job"
    if not opened.terminal.asks:
        raise usage(f"Say which {noun}.", f"{option} ID   (qd jobs list)", code="input_required")
    rows = [row for row in jobs(opened.api, PAGE) if kind is None or row["job_type"] == kind][:20]
    choices = [Choice(_job_label(row), str(row["id"])) for row in rows]
    return str(rows[choose(opened.terminal, noun, choices, option=option, empty="qd plan SPEC")]["id"])


def _job_label(row: Row) -> str:
    told = [row["job_type"], row.get("spec_name") or "", infra_states.job(row).word, ago(row["created_at"])]
    return "   ".join(told)


def identity(opened: Session, text: str | None, *, option: str = "--cloud-identity-id", unproved: bool = False) -> Row:
    """The cloud identity that goes by this id, label, or by its provider where only one has it; `unproved` means those,
    too, that no runner has proved. Raises `Failure`.
    """
    query = {"all": True} if unproved else None
    known = whole(opened.api, "connectors.list", "cloud_identities", query=query, most=MANY)
    rows: list[Row] = [{**row, "name": row["label"]} for row in known]
    if text is None:
        choices = [Choice(f"{row['label']}   {row['provider']}", str(row["id"])) for row in rows]
        return rows[choose(opened.terminal, "cloud identity", choices, option=option, empty="qd connector aws")]
    found = names.pick(rows, text) or names.pick([{**row, "name": row["provider"]} for row in rows], text)
    if found is None:
        raise names.missing("cloud identity", text, [str(row["label"]) for row in rows], "qd connector list")
    return found
