"""What is sent to engine, edge and host, compared whole; and what execution may know."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from quarterdeck.deploy.execution.order import RouteOrder
from quarterdeck.deploy.execution.preparing import plan_for
from quarterdeck.deploy.execution.reporting import told
from quarterdeck.deploy.execution.starting import container_name, container_spec
from quarterdeck.deploy.execution.turns import interrupted_by, to_its_end, turn
from quarterdeck.deploy.execution.ways import route_value, said_in, way_of
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.fleet.edge.routes import ProxyRoute, StaticRoute
from quarterdeck.fleet.processes.listening import heard
from quarterdeck.kernel.errors import Problem, Unavailable
from quarterdeck.kernel.storable import storable
from support.yard import Yard, container, secret

ROUTE = RouteOrder("res_1", "organization-1", ["a.localhost", "b.example"], "/app")


def test_the_container_of_an_attempt_is_this_value(tmp_path: Path) -> None:
    yard = Yard(tmp_path, "unix:///x", 1, instance="abc")
    order = yard.order(**container("x", deployment="dep_1", variables=[secret("TOKEN", "hidden")]))
    spec = container_spec(order, plan_for(order, None, engine=True), "sha256:1", 8080, 21000)
    assert container_name(order) == "app-dep-1"
    assert spec == ContainerSpec(
        image="sha256:1",
        command=("/bin/sh", "-c", order.runtime["startCommand"]),
        env={"TOKEN": "hidden", "PORT": "8080"},
        labels={
            "quarterdeck.managed": "true",
            "quarterdeck.instance": "abc",
            "quarterdeck.deployment": "dep_1",
            "quarterdeck.resource": "res_abc",
            "quarterdeck.service": "",
            "quarterdeck.attempt": "",
        },
        internal_port=8080,
        host_port=21000,
        network="quarterdeck-abc-1",
        aliases=("app",),
        restart="no",
        init=spec.init,
    )


def test_an_order_never_prints_what_it_carries(tmp_path: Path) -> None:
    order = Yard(tmp_path, "unix:///x", 1).order(**container("x", variables=[secret("TOKEN", "hidden")]))
    assert "hidden" not in f"{order!r} {order.variables!r}"


def test_an_order_survives_its_journey(tmp_path: Path) -> None:
    order = Yard(tmp_path, "unix:///x", 1).order(**container("x", variables=[secret("TOKEN", "hidden")]))
    assert msgspec.json.decode(msgspec.json.encode(order), type=type(order)) == order


def test_routes_are_these_values() -> None:
    hosts = {"id": "res_1", "owner": "organization-1", "hostnames": ("a.localhost", "b.example"), "path_prefix": "/app"}
    assert route_value(ROUTE, "static") == StaticRoute(**hosts)
    assert route_value(ROUTE, "container") == route_value(ROUTE, "process") == ProxyRoute(**hosts)


def test_files_go_through_a_static_route_only_without_an_engine(tmp_path: Path) -> None:
    order = Yard(tmp_path, "unix:///x", 1).order(**container("x"))
    assert isinstance(way_of(ROUTE, plan_for(order, None, engine=True)), ProxyRoute)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":{"code":"edge_upstream_unavailable"}}', "edge_upstream_unavailable"),
        (b'{"error":{"code":"edge_unknown_host"}}', "edge_unknown_host"),
        (b'{"error":{"code":"my own"}}', None),
        (b'{"error":"text"}', None),
        (b"<html>", None),
    ],
)
def test_only_the_edges_own_words_are_taken_for_its_words(body: bytes, said: str | None) -> None:
    assert said_in(body) == said


def test_no_surrogate_and_no_nul_is_stored() -> None:
    value = storable({"a\udce9": ["x\x00y", {"n": 1}], "ok": None})
    assert msgspec.json.decode(msgspec.json.encode(value)) == {
        "a?": ["x\N{REPLACEMENT CHARACTER}y", {"n": 1}],
        "ok": None,
    }
    assert told(Problem("two\nlines\x00", hint="and\na hint")).message == "two lines\N{REPLACEMENT CHARACTER}"


def test_listening_sockets_are_read_from_the_kernels_table() -> None:
    table = "  sl  local_address rem_address   st tx rx tr tm->when retrnsmt   uid  timeout inode\n" + "\n".join(
        f"   {n}: {address} 00000000:0000 {state} 0:0 00:0 0 0 0 {inode} 1"
        for n, (address, state, inode) in enumerate(
            [("0100007F:1F90", "0A", "11"), ("00000000:0BB8", "0A", "12"), ("0B00007F:9999", "0A", "13"),
             ("00000000:0050", "01", "14")]
        )
    )  # fmt: skip
    assert heard(table) == {(8080, True), (3000, False)}
    assert heard(table, frozenset({"12"})) == {(3000, False)}


async def test_nothing_new_is_fetched_or_built_when_the_disk_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quarterdeck.kernel import disk
    from support.yard import NOBODY, Ledger, execute, program

    monkeypatch.setattr(disk, "free_share", lambda _: 0.04)
    yard = Yard(tmp_path, NOBODY, 1)
    ledger = Ledger()
    with pytest.raises(Unavailable) as caught:
        await execute(ledger, yard.order(**program(tmp_path, "x", route=None)))
    assert caught.value.code == "disk_low"
    assert ledger.records == []
    assert list((tmp_path / "deployments").iterdir()) == []


async def test_a_turn_is_had_by_one_at_a_time(tmp_path: Path) -> None:
    seen: list[str] = []

    async def work(name: str) -> None:
        async with turn(tmp_path, "dep_1"):
            seen.append(f"{name} begins")
            await asyncio.sleep(0.02)
            seen.append(f"{name} ends")

    await asyncio.gather(work("a"), work("b"), work("c"))
    assert all(seen[n].split()[0] == seen[n + 1].split()[0] for n in range(0, 6, 2))
    assert list((tmp_path / "locks").iterdir()) == []


async def test_an_interruption_leaves_the_block_and_not_what_must_end() -> None:
    stop, ended = asyncio.Event(), []

    async def last() -> str:
        await asyncio.sleep(0.05)
        ended.append(True)
        return "done"

    async def body() -> None:
        async with interrupted_by(stop):
            stop.set()
            await asyncio.sleep(5)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(body())
    task = asyncio.create_task(to_its_end(last()))
    await asyncio.sleep(0.01)
    task.cancel()
    assert await task == "done"
    assert ended == [True]


def test_a_worker_that_executes_loads_no_database_and_no_domain() -> None:
    script = (
        "import sys, pkgutil, importlib, quarterdeck.deploy.execution as e\n"
        "[importlib.import_module(f'{e.__name__}.{m.name}') for m in pkgutil.iter_modules(e.__path__)]\n"
        "bad = ('sqlalchemy', 'quarterdeck.kernel.db', 'quarterdeck.deploy.deployments',"
        " 'quarterdeck.deploy.resources')\n"
        "print([m for m in sys.modules if m.startswith(bad)])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"
