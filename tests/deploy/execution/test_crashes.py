"""A crash between any two effects of an attempt, and the execution after it: exactly one runtime, one way to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.deploy.execution.order import DeploymentOrder, RuntimeOrder
from quarterdeck.kernel import faults
from support.run import sample
from support.stacks import stack
from support.yard import Ledger, Yard, again, container, execute, operate, program, site

pytestmark = pytest.mark.edge


WHOLE = {"store": ["running"], "worker": ["running"], "prepare": ["exited"]}


class Killed(BaseException):
    """The process ended here."""


class Passages:
    """Counts passages of fault points; ends the execution at the `end`-th, leaving all as a kill would."""

    def __init__(self, ledger: Ledger, end: int | None = None) -> None:
        self.names: list[str] = []
        self._ledger, self._end = ledger, end

    def __call__(self, _: Path, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self._end:
            self._ledger.lost = True  # nothing is undone by a process that is dead
            raise Killed(name)


async def attempt(monkeypatch: pytest.MonkeyPatch, order: DeploymentOrder, end: int | None) -> tuple[Passages, Ledger]:
    ledger = Ledger()
    passages = Passages(ledger, end)
    monkeypatch.setattr(faults, "_DIRECTORY", Path("/"))
    monkeypatch.setattr(faults, "_pass", passages)
    try:
        await execute(ledger, order)
    except Killed:
        pass
    finally:
        monkeypatch.undo()
    return passages, ledger


def application(yard: Yard, kind: str, text: str) -> DeploymentOrder:
    if kind == "files":
        return yard.order(site(yard.root, text))
    if kind == "process":
        return yard.order(**program(yard.root, text))
    if kind == "stack":
        return stack(yard, text, store=text)  # each version replaces the service with the volume
    return yard.order(**container(text))


def traces(yard: Yard, order: DeploymentOrder, kind: str) -> list[str]:
    return [] if kind == "files" else [order.deployment]


async def goes_on(yard: Yard, kind: str, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Crash at a sample of all points of one attempt, first without and then with a version that serves."""
    first = application(yard, kind, "whole")
    whole, _ = await attempt(monkeypatch, first, None)
    await operate(Ledger(), retire(yard, first.deployment, {}))
    for end in sample(range(1, len(whole.names) + 1), count, f"execution-{kind}"):
        order = application(yard, kind, f"version{end}")
        passages, ledger = await attempt(monkeypatch, order, end)
        served = yard.serving
        if served is not None and "upstream.switched" not in passages.names:
            name = passages.names[-1]
            assert name.startswith("file.") or (await yard.ask())[0] == 200, name
        await yard.deploy(again(order, ledger))
        status, text = await yard.ask()
        assert (status, text.split()[:1]) == (200, [f"version{end}"]), passages.names[-1]
        assert yard.routes() == [order.resource]
        assert yard.leftovers() == []
        if served is not None:
            await operate(Ledger(), retire(yard, served.deployment, served.runtime))
        assert await yard.running() == traces(yard, order, kind), passages.names[-1]
        if kind == "stack":
            left = {name: [state for _, _, state in rows] for name, rows in (await yard.services()).items()}
            assert left == WHOLE, passages.names[-1]


def retire(yard: Yard, deployment: str, runtime: dict[str, object]) -> RuntimeOrder:
    return RuntimeOrder(
        "retire", deployment, f"res_{yard.instance}", yard.target, runtime, grace_seconds=1, serving=yard.serving
    )


async def undone(yard: Yard, kind: str, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Crash at a sample of all points, then give up: the cleaning leaves what served, and nothing else."""
    first = application(yard, kind, "whole")
    whole, _ = await attempt(monkeypatch, first, None)
    await operate(Ledger(), retire(yard, first.deployment, {}))
    good = application(yard, kind, "good")
    await yard.deploy(good)
    before = await yard.services() if kind == "stack" else {}
    for end in sample(range(1, len(whole.names) + 1), count, f"cleaning-{kind}"):
        order = application(yard, kind, f"version{end}")
        passages, ledger = await attempt(monkeypatch, order, end)
        runtime = ledger.done.get("deploy", {})
        cleaning = RuntimeOrder(
            "clean", order.deployment, order.resource, yard.target, runtime, route=order.route,
            artifact=ledger.done.get("package", {}), serving=yard.serving, in_containers=kind in {"container", "stack"},
        )  # fmt: skip
        await operate(Ledger(), cleaning)
        await operate(Ledger(), cleaning)
        status, text = await yard.ask()
        assert (status, text.split()[:1]) == (200, ["good"]), passages.names[-1]
        assert order.deployment not in await yard.running(), passages.names[-1]
        assert good.deployment in [*await yard.running(), *([good.deployment] if kind == "files" else [])]
        assert not (yard.root / "releases" / order.deployment).exists()
        if kind == "stack":
            assert await yard.services() == before, passages.names[-1]
        assert yard.leftovers() == []


@pytest.mark.parametrize("kind", ["files", "process"])
async def test_an_attempt_goes_on_after_a_crash_at_any_point(
    host: Yard, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await goes_on(host, kind, monkeypatch, 8)


async def test_a_container_attempt_goes_on_after_a_crash_at_any_point(
    dock: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    await goes_on(dock, "container", monkeypatch, 4)


@pytest.mark.parametrize("kind", ["files", "process"])
async def test_an_attempt_given_up_after_a_crash_leaves_what_served(
    host: Yard, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await undone(host, kind, monkeypatch, 8)


async def test_a_container_attempt_given_up_after_a_crash_leaves_what_served(
    dock: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    await undone(dock, "container", monkeypatch, 4)


async def test_a_stack_goes_on_after_a_crash_at_any_point(dock: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    await goes_on(dock, "stack", monkeypatch, 2)


async def test_a_stack_given_up_after_a_crash_leaves_what_served(dock: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    await undone(dock, "stack", monkeypatch, 2)
