"""What is measured on this machine, and what is said of what cannot be."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from quarterdeck.fleet.capacity import measuring, reading
from quarterdeck.fleet.capacity.measuring import Places, engine_usage, judge
from quarterdeck.fleet.capacity.values import Capacity, Disk, Inodes
from quarterdeck.fleet.docker import system
from quarterdeck.fleet.docker.address import EngineAddress
from quarterdeck.fleet.docker.dialing import LocalDialer
from quarterdeck.fleet.targets import refusals
from quarterdeck.fleet.targets.host import LocalHost, Ran, too_slow
from quarterdeck.fleet.targets.login import Login


def places(root: Path) -> Places:
    return Places(str(root / "runtime"), str(root), str(root / "runtime" / "deployments"))


async def test_the_figures_of_this_machine_are_its_own(tmp_path: Path) -> None:
    work = tmp_path / "runtime" / "deployments" / "dep_aaaaaaaaaaaa"
    work.mkdir(parents=True)
    (work / "big").write_bytes(b"x" * 300_000)
    (work.parent / "notes").mkdir()
    found = await measuring.measure(LocalHost(), places(tmp_path), EngineAddress(str(tmp_path / "none.sock")))
    usage = shutil.disk_usage("/")
    root = next(row for row in found.disk if row.path == "/")
    assert abs(root.size - usage.total) < usage.total / 100
    assert 0 < root.use_percent <= 100
    assert found.memory.total
    assert found.memory.used
    assert found.cpu.logical_cores
    assert found.cpu.load
    assert found.roots["state"].size
    assert found.roots["state"].size >= 300_000
    assert [(one.deployment, one.path) for one in found.workspaces] == [("dep_aaaaaaaaaaaa", str(work))]
    assert found.partial
    assert "docker-unavailable" in {warned.code for warned in found.warnings}


class Slow:
    """A machine whose disk does not answer."""

    dialer = LocalDialer()

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 20) -> Ran:
        if argv[0] == "du":
            raise too_slow(argv, seconds)
        return Ran(0 if argv[0] == "test" else 1, b"", b"")


async def test_what_cannot_be_measured_is_left_out_and_said_so(tmp_path: Path) -> None:
    found = await measuring.measure(Slow(), places(tmp_path), EngineAddress(str(tmp_path / "none.sock")))
    assert found.partial
    assert {(warned.code, warned.resource) for warned in found.warnings} == {
        ("partial-diagnostic", "disk"), ("partial-diagnostic", "memory"), ("partial-diagnostic", "cpu"),
        ("docker-unavailable", "docker"), ("timeout", "appaloft-runtime"),
    }  # fmt: skip
    assert found.roots["runtime"].size is None
    assert found.memory.use_percent is None


def test_what_is_full_is_said() -> None:
    def disk(percent: float) -> Disk:
        return Disk("/", "/", 100, int(percent), 100 - int(percent), percent)

    for percent, codes in ((84.9, []), (85.0, ["high-disk-usage"]), (95.0, ["full-disk"])):
        found = Capacity(disk=[disk(percent)])
        judge(found)
        assert [warned.code for warned in found.warnings] == codes
    found = Capacity(inodes=[Inodes("/", "/", 9, 1, 90.0)])
    judge(found)
    assert [warned.code for warned in found.warnings] == ["high-inode-usage"]


def test_tables_of_other_systems_are_read_or_left() -> None:
    spaces = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 10 4 6 40% /mnt/two words\n"
    found = reading.disk("/x", spaces)
    assert found == Disk("/x", "/mnt/two words", 10240, 4096, 6144, 40.0)
    assert reading.inodes("/", "F I U F I M\nbtrfs 0 0 0 - /\n") is None
    assert reading.disk("/", "df: /: No such file") is None
    assert reading.memory("").total is None
    assert reading.cpu("many", "1 2").load is None


HOSTILE = ["\u00b2", "9" * 6000, "9" * 22, "9" * 18, "-1", "\x00", "nan", "inf"]


@pytest.mark.parametrize("said", HOSTILE)
async def test_a_hostile_answer_is_left_out_and_said_so(said: str, tmp_path: Path) -> None:
    class Hostile:
        dialer = LocalDialer()

        async def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 20) -> Ran:
            told = {"df": f"F B U A C M\n/dev/a {said} {said} {said} 1% /\n", "cat": f"MemTotal: {said}\n{said} 1 1"}
            return Ran(0, told.get(argv[0], said).encode(), b"")

    found = await measuring.measure(Hostile(), places(tmp_path), EngineAddress(str(tmp_path / "none.sock")))
    assert (found.disk, found.inodes, found.memory.total, found.cpu.load) == ([], [], None, None)
    assert found.roots["runtime"].size is None
    assert found.partial
    msgspec.json.encode(found)


async def test_a_part_that_breaks_leaves_the_others(monkeypatch, tmp_path: Path) -> None:
    def broken(path: str, table: str) -> None:
        raise ValueError(table)

    monkeypatch.setattr(reading, "disk", broken)
    found = await measuring.measure(Slow(), places(tmp_path), EngineAddress(str(tmp_path / "none.sock")))
    assert ("partial-diagnostic", "disk") in {(warned.code, warned.resource) for warned in found.warnings}


def test_images_that_share_layers_give_free_only_what_is_theirs() -> None:
    usage = system.DiskUsage(
        layers_size=900,
        images=[
            system.SizedImage(size=500, shared_size=400, containers=0, repo_tags=["a:1"]),
            system.SizedImage(size=300, shared_size=-1, containers=0, repo_tags=None),
            system.SizedImage(size=700, shared_size=0, containers=2, repo_tags=["b:1"]),
        ],
        build_cache=[system.SizedCache(size=5, in_use=True), system.SizedCache(size=7)],
        containers=[
            system.SizedContainer(
                size_rw=3, id="x", names=["/web"], state="exited", labels={measuring.MANAGED: "true"}
            ),
            system.SizedContainer(size_rw=4, id="y", names=["/foreign"], state="running"),
        ],
    )
    found = engine_usage(usage)
    assert (found.images, found.reclaimable_images, found.dangling) == (900, 400, 300)
    assert (found.build_cache, found.reclaimable_build_cache, found.containers) == (12, 7, 7)
    assert [(one.name, one.running) for one in found.ours] == [("web", False)]


def test_a_machine_that_is_not_reached_is_said_with_what_to_do() -> None:
    found = measuring.unreached(refusals.unreachable(Login("there", 22, "root", None), "refused"))
    assert (found.partial, found.warnings[0].code) == (True, "partial-diagnostic")
    assert "firewalls" in found.warnings[0].message
