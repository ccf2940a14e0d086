"""Compose stacks on a real engine: brought up in order, replaced service by service, put back, given back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from quarterdeck.deploy.execution.order import DeploymentOrder, Retained, RuntimeOrder
from quarterdeck.kernel.errors import Problem
from support.stacks import COMPOSE, alive, stack
from support.yard import Ledger, Yard, folder, given_back

pytestmark = pytest.mark.edge


def operation(yard: Yard, word: str, order: DeploymentOrder, runtime: dict[str, Any], ledger: Ledger) -> RuntimeOrder:
    kept = Retained(order.deployment, ledger.done["package"], ledger.done["plan"])
    return RuntimeOrder(
        word,
        order.deployment,
        order.resource,
        yard.target,
        runtime,
        grace_seconds=1,
        route=order.route,
        again=msgspec.structs.replace(order, retained=kept),
        serving=yard.serving,
        in_containers=True,
    )


@pytest.fixture
async def first(dock: Yard) -> tuple[DeploymentOrder, Ledger, dict[str, Any]]:
    """A stack that serves."""
    order, ledger = stack(dock, "one"), Ledger()
    runtime = await dock.deploy(order, ledger)
    return order, ledger, runtime


First = tuple[DeploymentOrder, Ledger, dict[str, Any]]


async def test_a_stack_comes_up_in_order_with_its_variables_and_its_volume(dock: Yard, first: First) -> None:
    order, ledger, runtime = first
    assert (await dock.ask())[1].split() == ["one", "hidden", "x"]
    there = await dock.services()
    assert {name: [(by, state) for _, by, state in rows] for name, rows in there.items()} == {
        "prepare": [(order.deployment, "exited")],
        "store": [(order.deployment, "running")],
        "worker": [(order.deployment, "running")],
    }
    assert await dock.running() == [order.deployment]
    assert runtime["target"] == "web"
    names = [one["service"] for one in runtime["services"]]
    assert names.index("store") < names.index("prepare")
    told = await dock.inside(there["worker"][0][0], "wget", "-qO-", "http://store:5432/starts")
    assert await dock.inside(there["worker"][0][0], "cat", "/etc/words") == "kept\n"
    assert told.strip() == "x", "the worker does not find the store by its name"
    assert "hidden" not in str(ledger.done), "a secret is kept in what is recorded"
    assert dock.leftovers() == []


async def test_what_is_unchanged_goes_on_untouched_and_the_old_version_is_taken_away(dock: Yard, first: First) -> None:
    before = await dock.services()
    replaced = dock.serving
    assert replaced is not None
    second = stack(dock, "two")
    await dock.deploy(second)
    assert await dock.services() == before
    assert (await dock.ask())[1].split() == ["two", "hidden", "x"]
    retire = RuntimeOrder(
        "retire", replaced.deployment, second.resource, dock.target, replaced.runtime, 1, serving=dock.serving,
        in_containers=True,
    )  # fmt: skip
    await dock.operate(retire)
    await dock.operate(retire)
    assert await dock.services() == before
    assert await dock.running() == [second.deployment]


async def test_a_changed_service_is_replaced_and_its_volume_goes_on(dock: Yard, first: First) -> None:
    before = await dock.services()
    replaced = dock.serving
    assert replaced is not None
    second = stack(dock, "two", store="2")
    await dock.deploy(second)
    assert (await dock.ask())[1].split() == ["two", "hidden", "xx"]
    there = await dock.services()
    assert [(by, state) for _, by, state in there["store"] if state == "running"] == [(second.deployment, "running")]
    assert there["worker"] == before["worker"]
    await dock.operate(
        RuntimeOrder(
            "retire",
            replaced.deployment,
            second.resource,
            dock.target,
            replaced.runtime,
            1,
            serving=dock.serving,
            in_containers=True,
        )
    )
    assert [by for _, by, _ in (await dock.services())["store"]] == [second.deployment]


async def test_a_failure_before_the_cut_over_puts_the_services_back(dock: Yard, first: First) -> None:
    before = await dock.services()
    broken = COMPOSE.replace("build: .", "build: .\n    command: sh -c 'exit 3'")
    with pytest.raises(Problem, match="exit code 3"):
        await dock.deploy(stack(dock, "broken", store="2", compose=broken))
    assert await dock.services() == before
    assert (await dock.ask())[1].split() == ["one", "hidden", "x"]
    assert dock.leftovers() == []
    store = before["store"][0][0]
    assert (await dock.inside(store, "cat", "/data/starts")).strip() == "xxx", "it was not started again on its volume"


async def test_a_service_that_fails_is_named_with_its_last_lines(dock: Yard, first: First) -> None:
    before = await dock.services()
    broken = COMPOSE.replace("command: sh /loop", "command: sh -c 'echo oh; exit 7'")
    ledger = Ledger()
    with pytest.raises(Problem, match="The service worker ended with exit code 7"):
        await dock.deploy(stack(dock, "sick", compose=broken), ledger)
    assert "oh" in ledger.lines
    assert await dock.services() == before
    assert (await dock.ask())[0] == 200


async def test_a_version_is_given_back_without_its_source(dock: Yard, first: First) -> None:
    order, ledger, runtime = first
    await dock.deploy(stack(dock, "two", store="2"))
    back = given_back(dock, order, ledger)
    back = msgspec.structs.replace(back, source={**back.source, "locator": "/nonexistent"})
    given = await dock.deploy(back)
    assert (await dock.ask())[1].split() == ["one", "hidden", "xxx"]
    assert await dock.images_of(str(given["container"])) == await dock.images_of(str(runtime["container"]))


async def test_a_stack_stops_and_starts_and_a_service_that_is_gone_is_made_anew(dock: Yard, first: First) -> None:
    order, ledger, runtime = first
    await dock.operate(operation(dock, "stop", order, runtime, ledger))
    assert (await dock.ask())[0] == 503
    assert [rows for rows in (await alive(dock)).values() if rows] == []
    started = (await dock.operate(operation(dock, "start", order, runtime, ledger)))["runtime"]
    assert (await dock.ask())[1].split() == ["one", "hidden", "xx"]
    assert started["container"] == runtime["container"], "it was made anew though it was there"
    await dock.remove((await dock.services())["worker"][0][0])
    revived = (await dock.operate(operation(dock, "revive", order, started, ledger)))["runtime"]
    there = await alive(dock)
    assert [row[0] for row in there["worker"]] == [
        one["container"] for one in revived["services"] if one["service"] == "worker"
    ]
    assert (await dock.ask())[0] == 200


async def test_taking_everything_away_leaves_the_volume_alone(dock: Yard, first: First) -> None:
    order, ledger, runtime = first
    clean = RuntimeOrder(
        "clean", order.deployment, order.resource, dock.target, runtime, route=order.route,
        artifact=ledger.done["package"], in_containers=True,
    )  # fmt: skip
    await dock.operate(clean)
    await dock.operate(clean)
    assert (await dock.services(), await dock.running(), dock.routes()) == ({}, [], [])
    assert await dock.volumes() == [f"quarterdeck-{dock.instance[-8:]}-res-{dock.instance}-data"]


async def test_a_worker_without_a_door_is_a_stack_as_well(dock: Yard) -> None:
    text = "services:\n  a: {image: busybox, command: sleep 100}\n  b: {image: busybox, command: sleep 100}\n"
    order = dock.order(
        folder(dock.root, "doorless", compose__yml=text),
        resource_kind="compose-stack",
        route=None,
        network={"internalPort": None, "upstreamProtocol": "http", "exposureMode": "none"},
    )
    await dock.deploy(order)
    assert {name: len(rows) for name, rows in (await alive(dock)).items()} == {"a": 1, "b": 1}
