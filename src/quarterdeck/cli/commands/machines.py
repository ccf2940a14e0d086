"""`qd machine`: the machines that work on agent tasks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter, validators

from quarterdeck.cli import states, tasks
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.states import Shown
from quarterdeck.cli.tasks import Row, about

COMMON, CHANGING, DESTROYING = Common(), Changing(), Destroying()
Status = Literal["online", "offline", "draining", "decommissioned"]
NOBODY_ELSE = "Ask somebody who is lead or administrator: qd user ls"
machine = App(name="machine", help="Enrol the machines that work on agent tasks, see them, and take them out of use.")


def _shown(row: Row) -> Shown:
    return states.machine(str(row["status"]), degraded=bool(row.get("degraded")))


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} %"


def ls(*, status: Annotated[Status | None, Parameter()] = None, common: Common = COMMON) -> None:
    """List the machines that dial in, with what is free on them and the agents that they have.

    qd machine list
    qd machine list --status online -o json

    Parameters
    ----------
    status
        Only machines in this state.
    """
    with session(common) as opened:
        items = opened.api.pages("machines.list", {"status": status}, 1000)
        terminal = opened.terminal
        if not items and status is None and terminal.format == "text":
            terminal.say(
                "No machine works on tasks yet.\n"
                "Try:   qd machine token create   (and on the machine itself: qd worker --help)"
            )
            return
        rows = [
            [
                str(row["name"]),
                terminal.state(_shown(row)),
                f"{row.get('usedSlots', 0)} of {row.get('maxSlots', 0)}",
                *(_percent(row.get(key)) for key in ("cpuPercent", "memPercent", "diskPercent")),
                tasks.ago(row.get("lastHeartbeatAt")),
                " ".join(row.get("capabilities") or []),
            ]
            for row in items
        ]
        columns = ["MACHINE", "STATE", "SLOTS", "CPU", "MEMORY", "DISK", "SEEN", "AGENTS"]
        terminal.table(items, columns, rows, names=[str(row["id"]) for row in items])


def show(name: str, /, *, common: Common = COMMON) -> None:
    """Show a machine: its hardware, how full it is, its agents, and what it works on.

    qd machine show ant-1

    Parameters
    ----------
    name
        Its name or id.
    """
    with session(common) as opened, about(not_found="qd machine list"):
        found = tasks.machine(opened.api, name)
        row: Row = opened.api.read("machines.show", machineId=str(found["id"]))
        terminal = opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(row, name=str(row["id"]), text="")
            return
        live = "assigned,running,suspended"
        works: list[Row] = opened.api.pages("machines.tasks", {"status": live}, 100, machineId=str(found["id"]))
        for line in _lines(opened, row, works):
            terminal.line(line)


def _lines(opened: Session, row: Row, works: list[Row]) -> list[str]:
    terminal = opened.terminal
    hardware: Row = row.get("hardware") or {}
    cpu = f"{hardware['cpuCores']} cores" if hardware.get("cpuCores") else ""
    load = [
        f"{word} {_percent(row.get(key))}"
        for word, key in (("cpu", "cpuPercent"), ("memory", "memPercent"), ("disk", "diskPercent"))
        if row.get(key) is not None
    ]
    memory = f"{hardware['memoryMb'] / 1024:.0f} GiB" if hardware.get("memoryMb") else ""
    facts: list[tuple[str, Any]] = [
        ("host", " ".join(str(hardware[key]) for key in ("hostname", "os", "arch") if hardware.get(key))),
        ("hardware", ", ".join(part for part in (hardware.get("cpuModel"), cpu, memory) if part)),
        ("load", ", ".join(load)),
        ("slots", f"{row.get('usedSlots', 0)} of {row.get('maxSlots', 0)} in use"),
        ("agents", _agents(row)),
        ("drained", row.get("drainReason")),
        *(("", f"{one['agent']}: {one['reason']}{_until(one)}") for one in row.get("degraded") or []),
        ("projects", " ".join(row.get("projectsCached") or [])),
        ("version", row.get("workerVersion")),
        ("seen", tasks.local(row.get("lastHeartbeatAt"))),
    ]
    lines = [f"{terminal.plain(row['name'])}   {terminal.state(_shown(row))}   {row['id']}"]
    lines += [f"  {label:<11} {terminal.plain(value)}" for label, value in facts if value]
    lines += [
        f"  #{one['id']}  {terminal.state(tasks.shown(one))}  {terminal.plain(one['projectKey'] or 'no project')}  "
        f"{terminal.plain(one['description'])[:80]}"
        for one in works
    ]
    return lines


def _agents(row: Row) -> str:
    found = {one["type"]: one.get("version") for one in row.get("agents") or []}
    words = [f"{word} {found[word]}" if found.get(word) else str(word) for word in row.get("capabilities") or []]
    return ", ".join(words) or "none"


def _until(one: Row) -> str:
    return f", until {tasks.local(one['until'])}" if one.get("until") else ""


def drain(name: str, /, *, reason: str | None = None, changing: Changing = CHANGING) -> None:
    """Give a machine no new tasks; those that it has are finished.

    qd machine drain ant-1 --reason "new disk on Friday"

    Parameters
    ----------
    name
        Its name or id.
    reason
        One line for those who wonder.
    """
    with session(changing) as opened, _about():
        found = tasks.machine(opened.api, name)
        body = {"reason": reason} if reason else {}
        answer: Row = opened.api.change("machines.drain", body, machineId=str(found["id"]))
        text = f"{found['name']} takes no new tasks. Back into use: qd machine undrain {found['name']}"
        opened.done(answer, name=str(found["id"]), text=text)


def undrain(name: str, /, *, changing: Changing = CHANGING) -> None:
    """Give a drained machine tasks again.

    qd machine undrain ant-1

    Parameters
    ----------
    name
        Its name or id.
    """
    with session(changing) as opened, _about():
        found = tasks.machine(opened.api, name)
        answer: Row = opened.api.change("machines.undrain", machineId=str(found["id"]))
        opened.done(answer, name=str(found["id"]), text=f"{found['name']} takes tasks again.")


def change(
    name: str,
    /,
    *,
    rename: str | None = None,
    slots: Annotated[int | None, Parameter(validator=validators.Number(gte=0, lte=64))] = None,
    changing: Changing = CHANGING,
) -> None:
    """Call a machine something else, or bound how many tasks it is given at a time.

    qd machine set ant-1 --rename forge
    qd machine set forge --slots 4

    Parameters
    ----------
    name
        Its name or id.
    rename
        What it is called from now on.
    slots
        Tasks at a time, 0 to 64; never more than its worker offers.
    """
    body: Row = ({"name": rename} if rename is not None else {}) | ({"maxSlots": slots} if slots is not None else {})
    if not body:
        raise usage("Say what to change.", f"qd machine set {name} --slots 4")
    with session(changing) as opened, _about():
        found = tasks.machine(opened.api, name)
        answer: Row = opened.api.change("machines.change", body, machineId=str(found["id"]))
        opened.done(answer, name=str(found["id"]), text=f"Changed {rename or found['name']}.")


def decommission(name: str, /, *, destroying: Destroying = DESTROYING) -> None:
    """Take a machine out of use for good: its tasks that have not begun go elsewhere, those that run fail.

    qd machine decommission ant-1
    qd machine decommission ant-1 --confirm ant-1

    Parameters
    ----------
    name
        Its name or id.
    """
    with session(destroying) as opened, _about():
        found = tasks.machine(opened.api, name)
        known = str(found["name"])
        lost = f"{known} is out of use for good, and what it runs fails ({found.get('usedSlots', 0)} slots in use)."
        opened.terminal.confirm_typed(lost, known, destroying.confirm)
        answer = opened.api.change("machines.decommission", machineId=str(found["id"]))
        document = answer or {"id": found["id"], "status": "decommissioned"}
        opened.done(document, name=str(found["id"]), text=f"Took {known} out of use.")


def _about() -> Any:
    return about(not_found="qd machine list", conflict="qd machine list", not_allowed=NOBODY_ELSE)


for _command in (show, drain, undrain, decommission):
    machine.command(_command)
machine.command(change, name="set")
machine.command(ls, name="list")
