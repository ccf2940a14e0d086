"""`qd zone`: what specs are grouped by."""

from __future__ import annotations

import shlex
from typing import Annotated

from cyclopts import App, Parameter, validators

from quarterdeck.cli import infra_naming, infra_states
from quarterdeck.cli.failure import usage
from quarterdeck.cli.infra_options import Description, Id, Named, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.tasks import ago

COMMON, CHANGING = Common(), Changing()
People = Annotated[int | None, Parameter(validator=validators.Number(gte=0, lte=20))]
zone = App(name="zone", help="Group specs of infrastructure, and see them together.")


def ls(*, common: Common = COMMON) -> None:
    """List zones, newest first, with their specs.

    qd zone list
    """
    with session(common) as opened:
        found = infra_naming.zones(opened.api)
        if not found and opened.terminal.format == "text":
            opened.terminal.say("There is no zone yet.\nTry:   qd zone create payments")
            return
        rows = [
            [
                str(row["name"]),
                ", ".join(str(one["project_name"]) for one in row.get("specs") or []),
                ago(row["created_at"]),
                str(row["id"]),
                str(row.get("description") or ""),
            ]
            for row in found
        ]
        columns = ["ZONE", "SPECS", "CREATED", "ID", "DESCRIPTION"]
        identities = [str(row["id"]) for row in found]
        opened.terminal.table(found, columns, rows, names=identities, document={"zones": found})


def create(
    name: str | None = None,
    /,
    *,
    named: Named = None,
    description: Description = None,
    changing: Changing = CHANGING,
) -> None:
    """Make a zone.

    qd zone create payments
    qd zone create --name payments --description "what takes money"

    Parameters
    ----------
    name
        What it is called.
    named
        The same, by name.
    description
        What it is for.
    """
    given = one_of(name, named, "--name")
    if not (given or "").strip():
        raise usage("Say what the zone is called.", "qd zone create payments")
    with session(changing) as opened, about(conflict="qd zone list"):
        body = {"name": given} | ({"description": description} if description else {})
        answer = opened.api.change("zones.create", body, what="zone")
        opened.sent()
        made = answer["zone"]
        opened.terminal.answer(answer, name=str(made["id"]), text=f"Made zone {made['name']}.")
        opened.terminal.say(f"Try:   qd spec create NAME --template local --zone-id {shlex.quote(made['name'])}")


def show(zone: str | None = None, /, *, zone_id: Id = None, common: Common = COMMON) -> None:
    """Show a zone and its specs.

    qd zone show payments

    Parameters
    ----------
    zone
        Its name or id. Without one a person at a terminal chooses.
    zone_id
        The same, by name.
    """
    with session(common) as opened, about(not_found="qd zone list"):
        found = infra_naming.zone(opened, one_of(zone, zone_id), option="--id")
        answer = opened.api.read("zones.show", zoneId=str(found["id"]))
        row, terminal = answer["zone"], opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(answer, name=str(row["id"]), text="")
            return
        terminal.line(f"{terminal.plain(row['name'])}   {row['id']}")
        if row.get("description"):
            terminal.line(f"  {terminal.plain(row['description'])}")
        policy = [(row["approvals"], "apply"), (row["destroy_approvals"], "destroy")]
        told = ", ".join(f"{number} to {what}" for number, what in policy if number)
        terminal.line(f"  approvals: {told or 'none'}")
        for one in row.get("specs") or []:
            state = terminal.state(infra_states.spec(one))
            told = f"{one['project_name']} ({one['environment_stage']}, {one.get('region') or '-'})"
            terminal.line(f"  {state}   {terminal.plain(told)}   {one['id']}")


def change(
    zone: str | None = None,
    /,
    *,
    zone_id: Id = None,
    name: str | None = None,
    description: Description = None,
    approvals: People = None,
    destroy_approvals: People = None,
    changing: Changing = CHANGING,
) -> None:
    """Change what a zone is called, and how many people have to agree before something is applied or destroyed in it.

    qd zone change payments --approvals 1 --destroy-approvals 2
    qd zone change payments --name money

    Parameters
    ----------
    zone
        Its name or id. Without one a person at a terminal chooses.
    zone_id
        The same, by name.
    name
        Another name.
    description
        What it is for.
    approvals
        How many people have to agree to a plan before it is applied, none of them whoever asked for it.
    destroy_approvals
        How many people have to agree to a destruction.
    """
    given = {
        "name": name,
        "description": description,
        "approvals": approvals,
        "destroy_approvals": destroy_approvals,
    }
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise usage("Say what to change.", "qd zone change payments --approvals 1")
    with session(changing) as opened, about(not_found="qd zone list", conflict="qd zone list"):
        found = infra_naming.zone(opened, one_of(zone, zone_id), option="--id")
        answer = opened.api.change("zones.change", body, zoneId=str(found["id"]))
        opened.done(answer, name=str(found["id"]), text=f"Changed zone {found['name']}.")


def delete(zone: str | None = None, /, *, zone_id: Id = None, changing: Changing = CHANGING) -> None:
    """Delete a zone. Its specs stay, in no zone; nothing that they have made is touched.

    qd zone delete payments --yes

    Parameters
    ----------
    zone
        Its name or id. Without one a person at a terminal chooses.
    zone_id
        The same, by name.
    """
    with session(changing) as opened, about(not_found="qd zone list", conflict="qd zone show NAME"):
        found = infra_naming.zone(opened, one_of(zone, zone_id), option="--id")
        number = len(found.get("specs") or [])
        stay = (
            f" Its {number} specs stay, in no zone." if number > 1 else " Its spec stays, in no zone." if number else ""
        )
        opened.terminal.confirm(f"Delete zone {found['name']}?{stay}")
        answer = opened.api.change("zones.delete", zoneId=str(found["id"]))
        opened.done(answer, name=str(found["id"]), text=f"Deleted zone {found['name']}.")


for _command in (create, show, change, delete):
    zone.command(_command)
zone.command(ls, name="list")
