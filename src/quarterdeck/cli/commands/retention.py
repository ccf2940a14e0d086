"""`qd retention`: how long things of each category stay."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter, validators

from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import session

Row = dict[str, Any]
COMMON, CHANGING = Common(), Changing()
Category = Literal[
    "audit-rows",
    "deployment-logs",
    "domain-event-streams",
    "process-attempts",
    "provider-job-logs",
    "resource-runtime-log-archives",
    "runtime-monitoring-samples",
]

retention = App(name="retention", help="Say how long things stay; housekeeping carries it out by itself, or now.")


def ls(*, common: Common = COMMON) -> None:
    """List the defaults that somebody has set, of your organization and of the whole installation, and how long the
    program keeps the rest.

    qd retention ls
    """
    with session(common) as opened:
        answer = opened.api.read("retention-defaults.list")
        items: list[Row] = answer["items"]
        rows = [[one["category"], one["scope"], _days(one), _does(one), one["updatedAt"]] for one in items]
        said = {one["category"] for one in items if one["enabled"]}
        own: list[Row] = [one for one in answer.get("ownChoice", []) if one["category"] not in said]
        rows += [[one["category"], "what nobody set", *_by_itself(one["retentionDays"]), "never"] for one in own]
        opened.terminal.table(
            items,
            ["CATEGORY", "FOR", "STAYS", "HOUSEKEEPING", "SET"],
            rows,
            names=[one["category"] for one in items],
            document=answer,
        )
        if not items:
            opened.terminal.say("Nobody has set one, so everything stays as long as the program says.")


def show(category: Category, /, *, everywhere: bool = False, common: Common = COMMON) -> None:
    """Show what is set for one category in your organization.

    qd retention show audit-rows
    qd retention show audit-rows --everywhere

    Parameters
    ----------
    category
        What it is about.
    everywhere
        What holds where no organization says otherwise.
    """
    with session(common) as opened:
        scope = "system" if everywhere else "organization"
        answer = opened.api.read("retention-defaults.show", {"scope": scope}, category=category)
        one: Row | None = answer["policy"]
        where = "the whole installation" if everywhere else "your organization"
        text = f"{category}: nothing is set for {where}." if one is None else f"{category}: {_days(one)}, {_does(one)}."
        opened.terminal.answer(answer, name=category, text=text)


def set_default(
    category: Category,
    /,
    *,
    days: Annotated[int, Parameter(validator=validators.Number(gte=1))],
    remove: bool = False,
    off: bool = False,
    everywhere: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Say how many days things of a category stay. Without --remove nothing goes sooner by it than before.

    qd retention set audit-rows --days 3650
    qd retention set deployment-logs --days 90 --remove
    qd retention set deployment-logs --days 90 --off

    Parameters
    ----------
    category
        What it is about.
    days
        How many days they stay at least; with --remove, then they go.
    remove
        Housekeeping also removes what is older. Without, it only counts what would go.
    off
        Keep the setting and do nothing by it.
    everywhere
        For every organization that says nothing else. Administrators of the first organization may.
    """
    body = {
        "scope": "system" if everywhere else "organization",
        "category": category,
        "retentionDays": days,
        "destructiveSchedulingEnabled": remove,
        "enabled": not off,
    }
    with session(changing) as opened:
        answer = opened.api.change("retention-defaults.configure", body)
        opened.sent()
        told = {**body, "dryRunSchedulingEnabled": True}
        opened.terminal.answer(answer, name=answer["id"], text=f"{category}: {_days(told)}, {_does(told)}.")


def run(category: Category | None = None, /, *, everywhere: bool = False, changing: Changing = CHANGING) -> None:
    """Carry out now what housekeeping does by itself in time. Without --yes it only says what would go.

    qd retention run
    qd retention run audit-rows --yes
    qd retention run --everywhere --yes

    Parameters
    ----------
    category
        Only this one; else every category that a default can be set for.
    everywhere
        Of every organization. Administrators of the first organization may.
    """
    body: Row = {"scope": "system" if everywhere else "organization", "dryRun": not changing.yes}
    if category is not None:
        body["categories"] = [category]
    with session(changing) as opened:
        answer = opened.api.ours("retention.run", "POST", "/api/retention-runs", body)
        opened.sent()
        items: list[Row] = answer["items"]
        keys = ("removes", "onlyCounts") if answer["dryRun"] else ("workId",)
        rows = [[one["category"], *(str(one[key]) for key in keys)] for one in items]
        columns = ["CATEGORY", "WOULD GO", "ONLY COUNTED"] if answer["dryRun"] else ["CATEGORY", "WORK"]
        names = [one["category" if answer["dryRun"] else "workId"] for one in items]
        opened.terminal.table(items, columns, rows, names=names, document=answer)
        if not items:
            opened.terminal.say(f"Nothing of {category} is stored yet, so nothing can go.")
        elif answer["dryRun"]:
            opened.terminal.say("Nothing was removed. Add --yes to remove what would go.")
        else:
            opened.terminal.say(f"Started. What went is told by: qd work show {items[0]['workId']}")


def _days(one: Row) -> str:
    return f"{one['retentionDays']:.0f} days"


def _by_itself(days: int | None) -> tuple[str, str]:
    """How long the program keeps what nobody has said anything about, and what it does then."""
    return ("for ever", "keeps") if days is None else (f"{days} days", "removes what is older")


def _does(one: Row) -> str:
    if not one["enabled"]:
        return "switched off"
    if one["destructiveSchedulingEnabled"]:
        return "removes what is older"
    return "counts what is older" if one["dryRunSchedulingEnabled"] else "keeps, and does not count"


retention.command(ls)
retention.command(show)
retention.command(set_default, name="set")
retention.command(run)
