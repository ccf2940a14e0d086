"""`qd state`: what Terraform knows of what a spec has made, and every version of it."""

from __future__ import annotations

import json
import shlex
from typing import Annotated, Any

from cyclopts import App, Parameter, validators

from quarterdeck.cli import infra_documents, infra_naming
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.infra_losing import sure
from quarterdeck.cli.infra_options import Version, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.names import Row, counted
from quarterdeck.cli.options import Common, Losing, Words
from quarterdeck.cli.session import Session
from quarterdeck.cli.states import Tone
from quarterdeck.cli.tasks import ago, local
from quarterdeck.kernel.text import several

COMMON, LOSING = Common(), Losing()
SpecId = Annotated[str | None, Parameter(name=["--spec-id", "--id"])]
Number = Annotated[int | None, Parameter(name="--version", validator=validators.Number(gte=1))]
SIGNS = {"create": "+", "delete": "-", "update": "~"}
BACK = {"delete": "{} forgotten, not removed", "update": "{} as it was then", "create": "{} known again"}
"""What going back does to resources, by how the version differs from that of now."""
TONES: dict[str, Tone] = {"+": "good", "-": "bad", "~": "run"}
state = App(name="state", help="See the state of a spec, its versions and its lock; go back to one, and free it.")


def show(spec: str | None = None, /, *, spec_id: SpecId = None, common: Common = COMMON) -> None:
    """Show the state of a spec: its serial, how many resources it has, and who holds its lock.

    qd state show ledger

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
    spec_id
        The same, by name.
    """
    with session(common) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"))
        answer = opened.api.read("states.show", specId=str(found["id"]))
        row: Row = answer["state"] or {"version": 0}
        terminal = opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(answer, name=str(row["version"]), text="")
            return
        if not row["version"]:
            terminal.line(f"{terminal.plain(found['project_name'])} has no state yet: nothing was applied.")
        else:
            terminal.line(f"{terminal.plain(found['project_name'])}   version {row['version']}")
        facts: list[tuple[str, Any]] = [
            ("serial", row.get("serial")),
            ("lineage", row.get("lineage")),
            ("resources", row.get("resources") if row["version"] else None),
            ("written", local(row.get("updated_at"))),
            ("lock", _holder(row["lock"]) if row.get("lock") else "nobody holds it"),
        ]
        for label, value in facts:
            if value is not None and value != "":
                terminal.line(f"  {label:<10} {terminal.plain(value)}")


def _holder(lock: Row) -> str:
    who = lock["who"] or "somebody"
    what = f" for {lock['operation']}" if lock["operation"] else ""
    job = f", job {lock['job_id']}" if lock["job_id"] else ""
    since = f", {ago(lock['locked_at'])}" if lock["locked_at"] else ""
    return f"{who}{what}{job}{since} (id {lock['id']})"


def versions(spec: str | None = None, /, *, spec_id: SpecId = None, common: Common = COMMON) -> None:
    """List the versions of a state, newest first.

    qd state versions ledger

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
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
                str(row["author"] or row["job_id"] or ""),
                local(row["created_at"]),
                str(row.get("reason") or ""),
            ]
            for row in rows
        ]
        columns = ["VERSION", "SERIAL", "RESOURCES", "SIZE", "CAUSE", "BY", "WRITTEN", "REASON"]
        numbers = [str(row["number"]) for row in rows]
        opened.terminal.table(rows, columns, cells, names=numbers, document={"versions": rows})


def _versions(opened: Session, identity: str) -> list[Row]:
    """The versions of a state, newest first; none where nothing was written yet."""
    query = {"limit": 100}
    try:
        return infra_naming.whole(
            opened.api, "states.versions", "versions", cursor="next_before", query=query, specId=identity
        )
    except Failure as failure:
        if failure.exit is Exit.NOT_FOUND:
            return []
        raise


def diff(
    spec: str | None = None,
    first: Version | None = None,
    last: Version | None = None,
    /,
    *,
    spec_id: SpecId = None,
    before: Annotated[int | None, Parameter(name="--from")] = None,
    after: Annotated[int | None, Parameter(name="--to")] = None,
    values: bool = False,
    common: Common = COMMON,
) -> None:
    """Show which resources and attributes differ between two versions of a state.

    qd state diff ledger 3 5
    qd state diff ledger --values

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
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
    values
        Also what they are and were, for who may read states; what is sensitive is never shown.
    """
    with session(common) as opened:
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"))
        query = {
            "from": before if first is None else first,
            "to": after if last is None else last,
            "values": True if values else None,
        }
        with about(not_found=f"qd state versions {found['project_name']}"):
            answer = opened.api.read("states.diff", query, specId=str(found["id"]))
        _differences(opened, answer, values=values)


def _differences(opened: Session, answer: Row, *, values: bool) -> None:
    terminal, found = opened.terminal, answer["changes"]
    if terminal.format != "text":
        rows = [[str(one["action"]), str(one["address"])] for one in found]
        addresses = [str(one["address"]) for one in found]
        terminal.table(found, ["ACTION", "ADDRESS"], rows, names=addresses, document=answer)
        return
    if not found:
        one, other = answer["from"], answer["to"]
        terminal.say(f"There is one version, {one}." if one == other else f"Versions {one} and {other} are alike.")
    for one in found:
        sign = SIGNS[one["action"]]
        terminal.line(f"{terminal.paint(sign, TONES[sign])} {terminal.plain(one['address'])}")
        if sign == "~" or values:
            for each in one["attributes"]:
                terminal.line(terminal.plain(f"    {each['path']}{_sides(each, terminal.ascii)}"))
    if answer["left_out"]:
        terminal.say(f"{answer['left_out']} more differ.")


def _sides(one: Row, plain: bool) -> str:
    if one["sensitive"]:
        return "  (sensitive)"
    sides = [json.dumps(one[side], ensure_ascii=False) for side in ("before", "after") if side in one]
    return f"  {(' -> ' if plain else ' → ').join(sides)}" if sides else ""


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
        meant = _quoted(spec, spec_id)
        raise usage("Say which version.", f'qd state rollback {meant} 4 --reason "why"   (qd state versions {meant})')
    told = _reason(reason, f"qd state rollback {_quoted(spec, spec_id)} {wanted}")
    with session(losing) as opened:
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"), only=False)
        name = str(found["project_name"])
        with about(not_found=f"qd state versions {name}"):
            lost = f"Of {name} counts what version {wanted} says. {_forgotten(opened, str(found['id']), wanted)}"
        sure(opened, lost, name, losing)
        body = {"version": wanted, "reason": told}
        with about(conflict=f"qd state show {name}", not_found=f"qd state versions {name}"):
            answer = opened.api.change("states.rollback", body, specId=str(found["id"]))
        opened.done(answer, name=name, text=f"The state of {name} is as it was in version {wanted}.")
        opened.terminal.say(f"Try:   qd plan {name} --wait   shows what is different now")


def _forgotten(opened: Session, identity: str, wanted: int) -> str:
    """What going back to a version does to what the state says now, by the addresses."""
    state = opened.api.read("states.show", specId=identity)["state"] or {"version": 0}
    if not state["version"]:
        return "Nothing was written yet."
    query = {"from": state["version"], "to": wanted}
    answer = opened.api.read("states.diff", query, specId=identity)
    told = []
    for action, said in BACK.items():
        some = [opened.terminal.plain(one["address"]) for one in answer["changes"] if one["action"] == action]
        if some:
            told.append(f"{said.format(counted(len(some), 'resource'))}: {several(some)}.")
    if answer["left_out"]:
        told.append(f"{answer['left_out']} more differ.")
    if not told:
        return "It says the same as now."
    return " ".join([*told, f"All of it: qd state diff --spec-id {identity} --from {state['version']} --to {wanted}"])


def _quoted(given: str | None, named: str | None) -> str:
    """The spec as it was given, for a command that can be typed."""
    return shlex.quote(given or named or "NAME")


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
    told = _reason(reason, f"qd state unlock {_quoted(spec, spec_id)}")
    with session(losing) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"), only=False)
        name, identity = str(found["project_name"]), str(found["id"])
        lock = (opened.api.read("states.show", specId=identity)["state"] or {}).get("lock")
        if not lock:
            raise Failure(
                f"Nobody holds the lock of {name}.",
                exit=Exit.CONFLICT,
                code="state_not_locked",
                hint=f"qd state show {name}",
            )
        if lock_id is not None and lock_id != lock["id"]:
            raise Failure(
                f"The lock of {name} is {lock['id']} now, not {lock_id}. It was not taken.",
                exit=Exit.CONFLICT,
                code="state_lock_other",
                hint=f"qd state show {name}",
            )
        sure(opened, f"{_holder(lock)} loses the lock of {name}, and may be in the middle of an apply.", name, losing)
        body = {"reason": told, "lock_id": lock["id"]}
        with about(conflict=f"qd state show {name}"):
            answer = opened.api.change("states.unlock", body, specId=identity)
        opened.done(answer, name=name, text=f"The state of {name} is free.")


def push(
    file: Words | None = None,
    spec: str | None = None,
    /,
    *,
    spec_id: SpecId = None,
    named: Annotated[str | None, Parameter(name=["--file", "-f"])] = None,
    reason: str | None = None,
    losing: Losing = LOSING,
) -> None:
    """Give a spec a state that was made elsewhere, as a new version. It asks for the name of the spec.

    qd state push ledger.tfstate ledger --reason "moved from a bucket"
    terraform state pull | qd state push - --spec-id ledger --reason "moved from a bucket" --yes

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
    reason
        Why; kept in the audit trail.
    """
    place = one_of(file, named, "--file")
    if place is None:
        raise usage("Say which file.", "qd state push ledger.tfstate ledger")
    told, text = (
        _reason(reason, f"qd state push {shlex.quote(place)} {_quoted(spec, spec_id)}"),
        infra_documents.state(place),
    )
    with session(losing) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"), only=False)
        name, identity = str(found["project_name"]), str(found["id"])
        sure(opened, f"What {place} says becomes the state of {name}.", name, losing)
        if opened.api.planning:
            opened.api.change("states.push", {"reason": told, "content": ""}, specId=identity)
        opened.sent()
        document = f'{{"reason": {json.dumps(told)}, "state": {text}}}'
        with about(conflict=f"qd state show {name}"):
            answer = opened.api.call("POST", f"/api/cli/configurations/{identity}/state/push", document=document)
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
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
    number
        An earlier version. Default: the one that counts.
    spec_id
        The spec, by name.
    version
        The version, by name.
    reveal
        Print it on a terminal, too.
    """
    with session(common) as opened:
        terminal = opened.terminal
        if terminal.out.isatty() and not reveal:
            raise usage(
                "A state may hold secrets.",
                f"qd state pull {_quoted(spec, spec_id)} > current.tfstate   or add --reveal",
            )
        found = infra_naming.spec(opened, one_of(spec, spec_id, "--spec-id"))
        identity = str(found["id"])
        wanted = number if version is None else version
        with about(not_found=f"qd state versions {found['project_name']}"):
            answer = opened.api.read("states.pull", specId=identity, version=str(wanted or "current"))
        terminal.line(json.dumps(answer, indent=2, ensure_ascii=False))


for _command in (show, versions, diff, rollback, unlock, push, pull):
    state.command(_command)
