"""A machine whose disk is full says so, and changes nothing that it cannot remember."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from tests.infra.execution.workbench import FULL, MINIMAL

from quarterdeck.kernel.errors import Problem

pytestmark = pytest.mark.root


@pytest.fixture
def disk(bench) -> Iterator[object]:
    """The machine's directory on a disk of one megabyte; answers how to leave it so many kilobytes."""
    bench.directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "none", bench.directory], check=True)

    def leave(kilobytes: int) -> None:
        (bench.directory / "filling").write_bytes(b"x" * (shutil.disk_usage(bench.directory).free - kilobytes * 1024))

    yield leave
    subprocess.run(["umount", "--lazy", bench.directory], check=True)


@pytest.mark.parametrize("kilobytes", [0, 4, 8, 24, 44])
async def test_a_full_disk_is_told_wherever_it_is_met(bench, server, disk, kilobytes):
    disk(kilobytes)
    with pytest.raises(Problem) as refused:
        await bench.run(bench.order("PLAN"))
    assert refused.value.code == "infra_disk_full", (refused.value.code, refused.value.message)
    assert refused.value.category == "retryable"
    assert server.state is None
    assert [name for name in bench.left if name not in {"infra-work", "filling"}] == []


async def test_a_disk_that_fills_while_a_plan_is_fetched_applies_nothing(bench, server, disk):
    plan = await bench.plan({**FULL, "queues": [{"name": f"queue-{at}"} for at in range(200)]})
    server.artefacts[plan.job] += b"x" * 2_000_000
    plan.size += 2_000_000
    with pytest.raises(Problem) as refused:
        await bench.run(bench.order("DEPLOY", plan=plan))
    assert refused.value.code == "infra_disk_full"
    assert server.state is None


async def test_there_is_room_again_once_it_was_made(bench, server, disk):
    disk(0)
    with pytest.raises(Problem):
        await bench.run(bench.order("PLAN", MINIMAL))
    (bench.directory / "filling").unlink()
    await bench.deploy(MINIMAL)
    assert len(server.resources()) == 2
