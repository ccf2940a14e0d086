"""`qd state`: what Terraform knows of what a spec has made, and every version of it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from cyclopts import App, Parameter

from quarterdeck.cli import infra_documents, infra_naming
from quarterdeck.cli.commands.infra_spec_documents import changes
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.infra_losing import sure
from quarterdeck.cli.infra_options import Version, one_of
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Common, Losing, Words
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.tasks import about, ago, local

COMMON, LOSING = Common(), Losing()
SpecId = Annotated[str | None, Parameter(name=["--spec-id", "--id"])]
Number = Annotated[int | None, Parameter(name="--version")]
state = App(name="state", help="See the state of a spec, its versions and its lock; go back to one, and free it.")


def show(spec: str | None = None, /, *, spec_id: SpecId = None, common: Common = COMMON) -> None:
    """Show the state of a spec: its serial, how many resources it has, and who holds its lock.

    qd state show ledger

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is, else a person at a terminal chooses.
    spec_id
        The same, by name.
    """
    with session(common) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"))
        answer = opened.api.read("states.show", specId=str(found["id"]))
        row, terminal = answer["state"], opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(answer, name=str(row.get("version") or 0), text="")
            return
        if not row.get("version"):
            terminal.line(f"{terminal.plain(found['project_name'])} has no state yet: nothing was applied.")
        else:
            terminal.line(f"{terminal.plain(found['project_name'])}   version {row['version']}")
        facts: list[tuple[str, Any]] = [
            ("serial", row.get("serial")),
            ("lineage", row.get("lineage")),
            ("resources", row.get("resources") if row.get("version") else None),
            ("written", local(row.get("updated_at")) if row.get("version") else None),
            ("lock", _holder(row["lock"]) if row.get("lock") else "nobody holds it"),
        ]
        for label, value in facts:
            if value is not None and value != "":
                terminal.line(f"  {label:<10} {terminal.plain(value)}")


def _holder(lock: Row) -> str:
    who = lock.get("Who") or lock.get("job_id") or "somebody"
    what = lock.get("Operation")
    since = f", {ago(lock['locked_at'])}" if lock.get("locked_at") else ""
    job = f", job {lock['job_id']}" if lock.get("job_id") else ""
    return f"{who}{f' for {what}' if what else ''}{job}{since}   (id {lock.get('ID')})"


def versions(spec: str | None = None, /, *, spec_id: SpecId = None, common: Common = COMMON) -> None:
    """List the versions of a state, newest first.

    qd state versions ledger

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is, else a person at a terminal chooses.
    spec_id
        The same, by name.
    """
    with session(common) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"))
        rows = _versions(opened, str(found["id"]))
        if not rows and opened.terminal.format == "text":
            opened.terminal.say(f"{found['project_name']} has no state yet.")
            return
        cells = [
            [
                str(row["number"]),
                str(row["serial"]),
                str(row["resources"]),
                f"{int(row['size']) / 1024:.1f} KiB",
                str(row["cause"]),
                str(row.get("author_name") or row.get("job_id") or ""),
                local(row["created_at"]),
                str(row.get("reason") or ""),
            ]
            for row in rows
        ]
        columns = ["VERSION", "SERIAL", "RESOURCES", "SIZE", "CAUSE", "BY", "WRITTEN", "REASON"]
        numbers = [str(row["number"]) for row in rows]
        opened.terminal.table(rows, columns, cells, names=numbers, document={"versions": rows})


def _versions(opened: Session, identity: str) -> list[Row]:
    rows: list[Row] = opened.api.read("states.versions", specId=identity)["versions"]
    return sorted(rows, key=lambda row: int(row["number"]), reverse=True)


def diff(
    spec: str | None = None,
    first: Version | None = None,
    last: Version | None = None,
    /,
    *,
    spec_id: SpecId = None,
    before: Annotated[int | None, Parameter(name="--from")] = None,
    after: Annotated[int | None, Parameter(name="--to")] = None,
    common: Common = COMMON,
) -> None:
    """Show which resources and attributes differ between two versions of a state. Sensitive values are not shown.

    qd state diff ledger 3 5
    qd state diff ledger

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is, else a person at a terminal chooses.
    first
        The earlier version, by its number. Default: the one before.
    last
        The later version. Default: the newest.
    spec_id
        The spec, by name.
    before
        The earlier version, by name.
    after
        The later version, by name.
    """
    with session(common) as opened, about(not_found="qd state versions NAME"):
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"))
        known = [int(row["number"]) for row in _versions(opened, str(found["id"]))]
        newer = (after if last is None else last) or (known[0] if known else 0)
        older = before if first is None else first
        older = newer - 1 if older is None else older
        if older < 1:
            opened.terminal.say(f"There are no two versions of the state of {found['project_name']} to compare.")
            return
        answer = opened.api.read("states.diff", {"from": older, "to": newer}, specId=str(found["id"]))
        changes(opened, answer, f"Versions {older} and {newer} are alike.")


def rollback(
    spec: str | None = None,
    number: Version | None = None,
    /,
    *,
    spec_id: SpecId = None,
    version: Number = None,
    reason: str | None = None,
    losing: Losing = LOSING,
) -> None:
    """Make an earlier version of a state the one that counts, as a new version. No resource is touched. It asks for the
    name of the spec.

    qd state rollback ledger 4 --reason "version 5 was written by a broken module"

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one a person at a terminal chooses.
    number
        The version to go back to.
    spec_id
        The spec, by name.
    version
        The version to go back to, by name.
    reason
        Why; kept in the audit trail.
    """
    wanted = number if version is None else version
    if wanted is None or (number is not None and version is not None and number != version):
        raise usage("Say which version.", 'qd state rollback NAME 4 --reason "why"   (qd state versions NAME)')
    told = _reason(reason, "qd state rollback NAME VERSION")
    with session(losing) as opened, about(not_found="qd state versions NAME", conflict="qd state show NAME"):
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"), only=False)
        name = str(found["project_name"])
        lost = f"Of {name} counts what version {wanted} says; what was made since is forgotten, not removed."
        sure(opened, lost, name, losing)
        body = {"version": wanted, "reason": told}
        answer = opened.api.change("states.rollback", body, specId=str(found["id"]))
        opened.done(answer, name=name, text=f"The state of {name} is as it was in version {wanted}.")
        opened.terminal.say(f"Try:   qd plan {name} --wait   shows what is different now")


def _reason(given: str | None, command: str) -> str:
    if not (given or "").strip():
        raise usage("Say why; it is kept in the audit trail.", f'{command} --reason "why"', code="reason_required")
    return str(given)


def unlock(
    spec: str | None = None,
    /,
    *,
    spec_id: SpecId = None,
    lock_id: str | None = None,
    reason: str | None = None,
    losing: Losing = LOSING,
) -> None:
    """Take the lock of a state from whoever holds it. What they write afterwards is refused. It asks for the name of
    the spec.

    qd state unlock ledger --reason "its runner is gone"

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one a person at a terminal chooses.
    spec_id
        The same, by name.
    lock_id
        Only this lock, by the id that qd state show gives.
    reason
        Why; kept in the audit trail.
    """
    told = _reason(reason, "qd state unlock NAME")
    with session(losing) as opened, about(not_found="qd spec list", conflict="qd state show NAME"):
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"), only=False)
        name, identity = str(found["project_name"]), str(found["id"])
        lock = opened.api.read("states.show", specId=identity)["state"].get("lock")
        if not lock:
            raise Failure(
                f"Nobody holds the lock of {name}.",
                exit=Exit.CONFLICT,
                code="state_not_locked",
                hint=f"qd state show {name}",
            )
        sure(opened, f"{_holder(lock)} loses the lock of {name}, and may be in the middle of an apply.", name, losing)
        body = {"reason": told, "lock_id": lock_id or lock.get("ID")}
        answer = opened.api.change("states.unlock", body, specId=identity)
        opened.done(answer, name=name, text=f"The state of {name} is free.")


def push(
    file: Words | None = None,
    spec: str | None = None,
    /,
    *,
    spec_id: SpecId = None,
    named: Annotated[str | None, Parameter(name=["--file", "-f"])] = None,
    losing: Losing = LOSING,
) -> None:
    """Give a spec a state that was made elsewhere, as a new version. It asks for the name of the spec.

    qd state push ledger.tfstate ledger
    terraform state pull | qd state push - --spec-id ledger --yes

    Parameters
    ----------
    file
        A state of Terraform, or - for stdin.
    spec
        Its project name, ZONE/NAME, or id. Without one a person at a terminal chooses.
    spec_id
        The spec, by name.
    named
        The file, by name.
    """
    place = one_of(file, named, "--file")
    if place is None:
        raise usage("Say which file.", "qd state push ledger.tfstate ledger")
    text = infra_documents.state(place)
    with session(losing) as opened, about(not_found="qd spec list", conflict="qd state show NAME"):
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"), only=False)
        name, identity = str(found["project_name"]), str(found["id"])
        sure(opened, f"What {place} says becomes the state of {name}.", name, losing)
        if opened.api.planning:
            opened.api.change("states.push", {"content": ""}, specId=identity)
        opened.sent()
        answer = opened.api.call("POST", f"/api/cli/configurations/{identity}/state/push", document=text)
        opened.done(answer, name=name, text=f"The state of {name} is the one of {place}.")


def pull(
    spec: str | None = None,
    number: Version | None = None,
    /,
    *,
    spec_id: SpecId = None,
    version: Number = None,
    reveal: bool = False,
    common: Common = COMMON,
) -> None:
    """Print a state as Terraform has it. It may hold secrets, so it goes to a file or a program, not to a terminal.

    qd state pull ledger > ledger.tfstate
    qd state pull ledger 4 | jq .serial

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is, else a person at a terminal chooses.
    number
        An earlier version. Default: the one that counts.
    spec_id
        The spec, by name.
    version
        The version, by name.
    reveal
        Print it on a terminal, too.
    """
    with session(common) as opened, about(not_found="qd state versions NAME"):
        terminal = opened.terminal
        if terminal.out.isatty() and not reveal:
            raise usage("A state may hold secrets.", "qd state pull NAME > NAME.tfstate, or add --reveal")
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"))
        identity = str(found["id"])
        wanted = number if version is None else version
        if wanted is None:
            wanted = int(opened.api.read("states.show", specId=identity)["state"].get("version") or 0)
        if not wanted:
            name = found["project_name"]
            raise Failure(f"{name} has no state yet.", exit=Exit.NOT_FOUND, code="no_state", hint=f"qd plan {name}")
        answer = opened.api.read("states.version", specId=identity, version=str(wanted))
        terminal.line(json.dumps(answer["state"], indent=2, ensure_ascii=False))


for _command in (show, versions, diff, rollback, unlock, push, pull):
    state.command(_command)
