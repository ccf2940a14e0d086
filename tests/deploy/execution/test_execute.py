"""An order carried out on a real machine, with and without an engine: what is there when it ended well, or badly."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import msgspec
import pytest

from quarterdeck.deploy.execution.order import Limits, RuntimeOrder
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.routes import Route
from quarterdeck.kernel.errors import Problem
from support.yard import Ledger, Yard, again, container, execute, folder, given_back, program, site

pytestmark = pytest.mark.edge
KINDS = ["files", "process"]


def application(yard: Yard, kind: str, text: str, **more: object) -> object:
    if kind == "files":
        return yard.order(site(yard.root, text), **more)
    if kind == "process":
        return yard.order(**program(yard.root, text, **more))
    return yard.order(**container(text, **more))


async def refused(ledger: Ledger, order: object) -> Problem:
    with pytest.raises(Problem) as caught:
        await execute(ledger, order)
    return caught.value


async def untouched(yard: Yard, text: str) -> None:
    """What served before serves still, alone."""
    assert yard.serving is not None
    assert (await yard.ask())[1].strip() == text
    kind = yard.serving.runtime["kind"]
    assert await yard.running() == ([] if kind == "static" else [yard.serving.deployment])
    assert yard.leftovers() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_an_application_answers_at_its_address(host: Yard, kind: str) -> None:
    ledger = Ledger()
    await host.deploy(application(host, kind, "hello"), ledger)
    assert await host.ask() == (200, "hello")
    assert [phase for phase, status in ledger.records if status == "succeeded"] == [
        "detect", "plan", "package", "deploy", "verify", "cut-over",
    ]  # fmt: skip
    assert host.leftovers() == []


async def test_a_container_answers_at_its_address(dock: Yard) -> None:
    await dock.deploy(application(dock, "container", "hello"))
    assert await dock.ask() == (200, "hello\n")
    assert dock.leftovers() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_an_order_carried_out_twice_leaves_one_runtime(host: Yard, kind: str) -> None:
    order = application(host, kind, "once")
    first = await host.deploy(order)
    host.serving = None
    assert await host.deploy(order) == first
    assert await host.ask() == (200, "once")
    assert host.routes() == [order.resource]
    assert await host.running() == ([] if kind == "files" else [order.deployment])


async def test_a_container_order_carried_out_twice_leaves_one_container(dock: Yard) -> None:
    order = application(dock, "container", "once")
    ledger = Ledger()
    first = await dock.deploy(order, ledger)
    dock.serving = None
    assert await dock.deploy(again(order, ledger)) == first
    assert await dock.running() == [order.deployment]


async def test_what_was_packaged_is_neither_fetched_nor_built_again(host: Yard) -> None:
    order, ledger = application(host, "process", "kept"), Ledger()
    await host.deploy(order, ledger)
    retried = Ledger()
    await host.deploy(again(order, ledger), retried)
    assert [phase for phase, _ in retried.records] == ["package"] * 2 + ["deploy"] * 2 + ["verify"] * 2 + [
        "cut-over"
    ] * 2


async def test_the_log_of_a_resumed_attempt_says_so_and_that_of_a_first_one_does_not(host: Yard) -> None:
    order, ledger = application(host, "process", "kept"), Ledger()
    await host.deploy(order, ledger)
    assert not any("Resumed" in line for line in ledger.lines)
    resumed = Ledger()
    await host.deploy(msgspec.structs.replace(again(order, ledger), resumed="package"), resumed)
    assert resumed.lines[0] == "Resumed: the execution before this one was interrupted in the phase package."


async def test_a_source_that_cannot_be_planned_says_each_sentence_once(host: Yard) -> None:
    await host.deploy(application(host, "files", "good"))
    ledger = Ledger()
    source = folder(host.root, "unplanned", app__py="print('x')")
    problem = await refused(ledger, host.order(source))
    assert problem.message.endswith("nothing in it says how its server is started, though it may be python app.py.")
    told = [sentence for line in ledger.lines for sentence in line.split(". ")]
    assert ledger.lines[-2:] == [problem.message, 'Set the start command: --start-command "python app.py"']
    assert len(told) == len(set(told))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_failure_before_the_cut_over_leaves_the_running_version_answering(host: Yard, kind: str) -> None:
    await host.deploy(application(host, kind, "good"))
    bad = host.order(**program(host.root, "bad"))
    runtime = {**bad.runtime, "startCommand": "python3 -c 'raise SystemExit(3)'"}
    problem = await refused(Ledger(), msgspec.structs.replace(bad, runtime=runtime))
    assert problem.code == "runtime_exited"
    assert "exit code 3" in problem.message
    assert "The version before keeps serving." in problem.message
    await untouched(host, "good")


async def test_a_failed_first_deployment_leaves_no_route(host: Yard) -> None:
    bad = host.order(**program(host.root, "bad"))
    runtime = {**bad.runtime, "startCommand": "python3 -c 'raise SystemExit(3)'"}
    await refused(Ledger(), msgspec.structs.replace(bad, runtime=runtime))
    assert host.routes() == []
    assert await host.running() == []
    assert (await host.ask())[0] == 404


async def test_a_failure_while_the_route_is_being_put_leaves_no_route(
    host: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quarterdeck.deploy.execution import packaging

    begun, put = asyncio.Event(), Edge.put_route

    async def told(edge: Edge, route: Route) -> bool:
        begun.set()
        return await put(edge, route)

    async def fails(*_: object) -> None:
        await begun.wait()
        raise Problem("Nobody gives the image out.", code="image_unavailable")

    monkeypatch.setattr(Edge, "put_route", told)
    monkeypatch.setattr(packaging, "package", fails)
    assert (await refused(Ledger(), host.order(**program(host.root, "bad")))).code == "image_unavailable"
    await asyncio.sleep(1)  # what was left behind would be there by then
    assert host.routes() == []


@pytest.mark.parametrize(("before", "after"), [("files", "process"), ("process", "files"), ("process", "process")])
async def test_a_failed_public_check_leads_back(
    host: Yard, before: str, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quarterdeck.deploy.execution import cutting_over

    async def fails(*_: object) -> None:
        raise Problem("Nobody answers.", code="public_access_failed")

    await host.deploy(application(host, before, "good"))
    monkeypatch.setattr(cutting_over, "_public_check", fails)
    ledger = Ledger()
    assert (await refused(ledger, application(host, after, "new"))).code == "public_access_failed"
    assert ledger.records[-1] == ("cut-over", "failed")
    await untouched(host, "good")


async def test_a_failed_public_check_of_the_first_deployment_leaves_nothing(
    host: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quarterdeck.deploy.execution import cutting_over

    async def fails(*_: object) -> None:
        raise Problem("Nobody answers.", code="public_access_failed")

    monkeypatch.setattr(cutting_over, "_public_check", fails)
    await refused(Ledger(), application(host, "process", "new"))
    assert (host.routes(), await host.running(), host.leftovers()) == ([], [], [])


async def test_an_application_that_dies_behind_the_edge_fails_the_public_check(
    host: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quarterdeck.fleet.processes.runtime import Processes

    await host.deploy(application(host, "files", "good"))
    order = application(host, "process", "new")
    switch = Edge.switch

    async def switch_and_kill(edge: Edge, route: str, upstream: str) -> str | None:
        answer = await switch(edge, route, upstream)
        if not upstream.startswith("/"):
            await Processes(host.root).stop(order.deployment, 0)
        return answer

    monkeypatch.setattr(Edge, "switch", switch_and_kill)
    problem = await refused(Ledger(), order)
    assert problem.code == "public_access_failed"
    assert "502" in problem.message
    await untouched(host, "good")


async def test_a_new_host_name_is_not_served_before_the_cut_over(host: Yard) -> None:
    await host.deploy(application(host, "process", "good"))
    route = msgspec.structs.replace(host.serving.route, hostnames=["other.localhost"])
    bad = host.order(**program(host.root, "bad", route=route, limits=Limits()))
    runtime = {**bad.runtime, "startCommand": "python3 -c 'raise SystemExit(3)'"}
    await refused(Ledger(), msgspec.structs.replace(bad, runtime=runtime))
    await untouched(host, "good")
    good = host.order(**program(host.root, "better", route=route))
    await host.deploy(good)
    assert (await host.ask())[0] == 404
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{host.port}/", headers={"Host": "other.localhost"})
    assert answer.text == "better"


async def test_a_version_without_a_route_takes_the_old_route_away(host: Yard) -> None:
    await host.deploy(application(host, "process", "public"))
    await host.deploy(application(host, "process", "private", route=None))
    assert host.routes() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_version_without_a_route_that_cannot_be_settled_leaves_the_old_one_answering(
    host: Yard, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quarterdeck.deploy.execution import cutting_over

    removed: list[str] = []

    async def away(*_: object) -> None:
        raise Problem("Nobody answers.", code="docker_unavailable")

    async def told(edge: Edge, route_id: str) -> bool:
        removed.append(route_id)
        return False

    await host.deploy(application(host, kind, "good"))
    monkeypatch.setattr(cutting_over, "settle", away)
    monkeypatch.setattr(Edge, "remove_route", told)
    assert (await refused(Ledger(), application(host, "process", "private", route=None))).code == "docker_unavailable"
    assert removed == []
    await untouched(host, "good")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_way_that_a_failed_attempt_took_away_is_there_again(
    host: Yard, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quarterdeck.deploy.execution import execute as executing

    clear = executing._clear

    async def full(*args: object) -> None:
        monkeypatch.setattr(executing, "_clear", clear)
        assert host.routes() == []
        raise OSError("No space left on device")

    await host.deploy(application(host, kind, "good"))
    monkeypatch.setattr(executing, "_clear", full)
    with pytest.raises(OSError, match="No space"):
        await execute(Ledger(), application(host, "process", "private", route=None))
    await untouched(host, "good")


async def test_cleaning_puts_the_way_again_that_an_attempt_took_away(host: Yard) -> None:
    await host.deploy(application(host, "process", "good"))
    bad = application(host, "process", "private", route=None)
    await execute(Ledger(), bad)
    assert host.routes() == []
    cleaning = RuntimeOrder("clean", bad.deployment, bad.resource, host.target, {}, serving=host.serving)
    for _ in range(2):
        await host.operate(cleaning)
        await untouched(host, "good")
    stopped = msgspec.structs.replace(host.serving, stopped=True)
    async with Edge(host.root) as edge:
        await edge.remove_route(bad.resource)
    await host.operate(msgspec.structs.replace(cleaning, serving=stopped))
    assert host.routes() == [bad.resource]
    assert (await host.ask())[0] == 503


async def test_a_stop_during_the_build_is_heard_at_once(host: Yard) -> None:
    await host.deploy(application(host, "files", "good"))
    slow = host.order(**program(host.root, "slow"))
    order = msgspec.structs.replace(slow, runtime={**slow.runtime, "installCommand": "sleep 60"})
    ledger = Ledger()
    task = asyncio.create_task(execute(ledger, order))
    while not any("sleep" in line or "install" in line.lower() for line in ledger.lines):
        await asyncio.sleep(0.05)
    ledger.canceled.set()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task
    await untouched(host, "good")


@pytest.mark.parametrize("phase", ["detect", "plan", "package", "deploy", "verify"])
async def test_a_stop_before_the_cut_over_undoes_the_attempt(host: Yard, phase: str) -> None:
    await host.deploy(application(host, "process", "good"))

    class Stops(Ledger):
        async def record(self, kind: str, data: object) -> object:
            answer = await super().record(kind, data)
            if kind == "phase" and data["phase"] == phase and data["status"] == "succeeded":
                self.canceled.set()
            return answer

    with pytest.raises((asyncio.CancelledError, Problem)):
        await execute(Stops(), application(host, "process", "stopped"))
    await untouched(host, "good")


async def test_a_stop_within_the_cut_over_comes_too_late(host: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    await host.deploy(application(host, "process", "good"))
    ledger = Ledger()
    switch = Edge.switch
    task: list[asyncio.Task[object]] = []

    async def switch_and_stop(edge: Edge, route: str, upstream: str) -> str | None:
        ledger.canceled.set()
        task[0].cancel()
        return await switch(edge, route, upstream)

    monkeypatch.setattr(Edge, "switch", switch_and_stop)
    order = application(host, "process", "new")
    task.append(asyncio.create_task(execute(ledger, order)))
    answer = await task[0]
    assert answer["runtime"]["instance"] == order.deployment
    assert (await host.ask())[1] == "new"
    assert host.leftovers() == []


async def test_who_lost_the_lease_touches_nothing(host: Yard) -> None:
    order = application(host, "process", "moved")

    class Loses(Ledger):
        async def record(self, kind: str, data: object) -> object:
            if kind == "phase" and data["phase"] == "verify":
                self.lost = True
                raise Problem("Another attempt may run.", code="job_fenced")
            return await super().record(kind, data)

    await refused(Loses(), order)
    assert await host.running() == [order.deployment]
    await host.deploy(order)
    assert await host.running() == [order.deployment]
    assert (await host.ask())[1] == "moved"


async def test_two_executions_of_one_attempt_take_turns(host: Yard) -> None:
    order = application(host, "process", "both")
    answers = await asyncio.gather(execute(Ledger(), order), execute(Ledger(), order))
    assert answers[0] == answers[1]
    assert await host.running() == [order.deployment]


async def test_a_rollback_starts_what_was_kept_when_its_source_is_gone(host: Yard) -> None:
    import shutil

    order, ledger = application(host, "process", "old"), Ledger()
    await host.deploy(order, ledger)
    await host.deploy(application(host, "process", "new"))
    shutil.rmtree(host.root.parent / "sources")
    back = given_back(host, order, ledger)
    await host.deploy(back)
    assert (await host.ask())[1] == "old"


async def test_a_rollback_to_what_is_gone_is_refused_and_changes_nothing(host: Yard) -> None:
    order, ledger = application(host, "process", "old"), Ledger()
    await host.deploy(order, ledger)
    (host.root / "releases" / order.deployment / ".quarterdeck-complete").unlink()
    problem = await refused(Ledger(), given_back(host, order, ledger))
    assert problem.code == "runtime_artifact_missing"
    await untouched(host, "old")


async def test_names_that_utf8_cannot_hold_do_not_stop_a_deployment(host: Yard) -> None:
    source = folder(host.root, "odd", index__html="odd")
    with contextlib.suppress(OSError):
        (host.root.parent / "sources" / "odd").joinpath("caf\udce9.txt").write_text("x")
    await host.deploy(host.order(source))
    assert (await host.ask())[1] == "odd"


async def test_output_that_no_store_can_hold_is_told_all_the_same(host: Yard) -> None:
    bad = host.order(**program(host.root, "bytes"))
    script = r"import sys,os;os.write(1,b'\x00\xff\xfe end\n');sys.exit(4)"
    order = msgspec.structs.replace(bad, runtime={**bad.runtime, "installCommand": f'python3 -c "{script}"'})
    ledger = Ledger()
    problem = await refused(ledger, order)
    assert problem.code == "build_failed"
    assert len([line for line in ledger.lines if line.endswith(" end")]) == 1, "told as it came, and not again"
    assert not any("\x00" in line for line in ledger.lines)
