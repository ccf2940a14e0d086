"""What is removed, what stays, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quarterdeck.fleet.capacity import pruning
from quarterdeck.fleet.capacity.measuring import Places
from quarterdeck.fleet.capacity.pruning import Candidate, Known, judged, moment
from quarterdeck.fleet.docker import containers, volumes
from quarterdeck.fleet.docker.address import EngineAddress, engine_address
from quarterdeck.fleet.docker.dialing import LocalDialer
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.fleet.targets.host import LocalHost, Ran

BEFORE = datetime(2026, 6, 1, tzinfo=UTC)
OLD = Candidate("c1", "stopped-containers", "web", BEFORE - timedelta(seconds=1), 10, "dep_000000000001")
KNOWN = {
    "dep_000000000001": Known(active=False, retained=False),
    "dep_000000000002": Known(active=True, retained=False),
    "dep_000000000003": Known(active=False, retained=True),
}


@pytest.mark.parametrize(
    ("candidate", "action", "reason"),
    [
        (OLD, "matched", None),
        (replace(OLD, updated=BEFORE), "skipped", "cutoff-not-reached"),
        (replace(OLD, updated=None), "skipped", "safety-evidence-missing"),
        (replace(OLD, busy=True), "skipped", "active-runtime"),
        (replace(OLD, deployment="dep_000000000002"), "skipped", "active-runtime"),
        (replace(OLD, deployment="dep_000000000003"), "skipped", "rollback-candidate"),
        (replace(OLD, deployment="dep_000000000009"), "excluded", "ownership-unproven"),
        (replace(OLD, deployment=""), "excluded", "ownership-unproven"),
        (replace(OLD, ours=False, updated=BEFORE), "excluded", "ownership-unproven"),
        (replace(OLD, category="docker-build-cache", deployment=None), "matched", None),
    ],
)
def test_only_what_is_old_ours_and_unwanted_is_matched(candidate: Candidate, action: str, reason: str | None) -> None:
    found = judged(candidate, BEFORE, KNOWN)
    assert (found.action, found.reason) == (action, reason)


def test_times_of_docker_are_read() -> None:
    assert moment("2026-05-31T12:00:00.250000000Z") == datetime(2026, 5, 31, 12, 0, 0, 250_000, tzinfo=UTC)
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("") is moment(None) is moment("soon") is None


async def test_work_directories_are_found_by_their_names_and_removed(tmp_path: Path) -> None:
    work = tmp_path / "deployments"
    for name in ("dep_000000000001", "dep_000000000002", "notes", "dep_short"):
        (work / name).mkdir(parents=True)
        (work / name / "file").write_bytes(b"x" * 5000)
    places = Places(str(tmp_path), str(tmp_path), str(work))
    nowhere = EngineAddress(str(tmp_path / "none.sock"))
    found = await pruning.find(LocalHost(), places, nowhere, ["source-workspaces"], "here")
    assert [one.id for one in found.candidates] == ["dep_000000000001", "dep_000000000002"]
    assert all(one.size >= 5000 and one.updated for one in found.candidates)
    later = datetime(2100, 1, 1, tzinfo=UTC)
    decided = [judged(one, later, KNOWN) for one in found.candidates]
    done = await pruning.remove(LocalHost(), nowhere, decided)
    assert [one.action for one in done.candidates] == ["pruned", "skipped"]
    assert sorted(path.name for path in work.iterdir()) == ["dep_000000000002", "dep_short", "notes"]


@pytest.mark.parametrize("said", ["\u00b2", "9" * 6000, "9" * 18, "-1"])
async def test_a_time_that_is_none_proves_nothing(said: str, tmp_path: Path) -> None:
    class Hostile:
        dialer = LocalDialer()

        async def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 20) -> Ran:
            return Ran(0, ("dep_000000000001\n" if argv[0] == "ls" else said).encode(), b"")

    places = Places(str(tmp_path), str(tmp_path), str(tmp_path))
    nowhere = EngineAddress(str(tmp_path / "none.sock"))
    (found,) = (await pruning.find(Hostile(), places, nowhere, ["source-workspaces"], "here")).candidates
    assert (found.updated, found.size) == (None, None)


async def test_a_silent_engine_hides_its_part_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "dep_000000000001").mkdir()
    places = Places(str(tmp_path), str(tmp_path), str(tmp_path))
    nowhere = EngineAddress(str(tmp_path / "none.sock"))
    found = await pruning.find(LocalHost(), places, nowhere, ["source-workspaces", "stopped-containers"], "here")
    assert [one.category for one in found.candidates] == ["source-workspaces"]
    assert [warned.code for warned in found.warnings] == ["docker-unavailable"]


@pytest.mark.engine
async def test_stopped_containers_go_and_volumes_and_others_stay(
    engine: Engine, docker_host: str, mine: dict[str, str], tmp_path: Path
) -> None:
    def labels(instance: str, deployment: str) -> dict[str, str]:
        return {
            **mine,
            "quarterdeck.managed": "true",
            "quarterdeck.instance": instance,
            "quarterdeck.deployment": deployment,
        }

    kept = f"prune-{mine['quarterdeck.test']}"
    await volumes.create(engine, kept, mine)
    made = {}
    for name, instance, deployment, seconds in (
        ("old", "here", "dep_000000000001", 0),
        ("running", "here", "dep_000000000001", 60),
        ("serving", "here", "dep_000000000002", 0),
        ("foreign", "elsewhere", "dep_000000000001", 0),
    ):
        spec = ContainerSpec("busybox:latest", ("sleep", str(seconds)), labels=labels(instance, deployment))
        made[name] = await containers.create(engine, spec)
        await containers.start(engine, made[name])
        if not seconds:
            await containers.wait(engine, made[name])
    address = engine_address({"DOCKER_HOST": docker_host})
    places = Places(str(tmp_path), str(tmp_path), str(tmp_path))
    found = await pruning.find(LocalHost(), places, address, ["stopped-containers"], "here")
    later = datetime(2100, 1, 1, tzinfo=UTC)
    ours = [judged(one, later, KNOWN) for one in found.candidates if one.id in made.values()]
    done = await pruning.remove(LocalHost(), address, ours)
    actions = {name: one.action for name, made_as in made.items() for one in done.candidates if one.id == made_as}
    assert actions == {"old": "pruned", "running": "skipped", "serving": "skipped", "foreign": "excluded"}
    assert await containers.find(engine, made["old"]) is None
    assert await containers.find(engine, made["foreign"]) is not None
    assert [volume.name for volume in await volumes.listed(engine, mine)] == [kept]
