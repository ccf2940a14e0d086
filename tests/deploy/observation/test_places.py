"""What the server's own machine holds, where servers of other machines may have worked on the database before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.deploy.observation.observations import Served
from quarterdeck.deploy.observation.places import LocalPlace
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.spec import ProcessSpec

NOWHERE = "unix:///nonexistent/docker.sock"
ASKED = datetime(2026, 5, 31, tzinfo=UTC)
PROCESS = {"kind": "process", "instance": "dep_1"}
CONTAINER = {"kind": "container", "container": "c"}
RELEASE = {"kind": "release", "directory": "/var/lib/first/runtime/releases/dep_1"}
IMAGE = {"kind": "image", "reference": "shop:dep_1", "built": True}


def served(runtime: dict[str, Any], artifact: dict[str, Any]) -> Served:
    return Served(1, "res_1", 1, 1, "dep_1", "running", runtime, artifact=artifact, asked_at=ASKED)


@pytest.mark.parametrize(
    ("runtime", "artifact"), [(PROCESS, RELEASE), ({"kind": "static"}, RELEASE), (CONTAINER, IMAGE), (CONTAINER, {})]
)
async def test_only_what_left_something_here_is_here_unless_nobody_else_was(
    tmp_path: Path, runtime: dict[str, Any], artifact: dict[str, Any]
) -> None:
    one = served(runtime, artifact)
    assert not await LocalPlace(tmp_path, NOWHERE, lambda _: False).holds(one)
    assert await LocalPlace(tmp_path, NOWHERE, lambda asked: asked == ASKED).holds(one), "a backup was restored since"
    assert await LocalPlace(tmp_path, NOWHERE).holds(one), "the database is in this directory"


async def test_a_release_or_the_record_of_a_process_is_enough(tmp_path: Path) -> None:
    first, second = (LocalPlace(tmp_path / name, NOWHERE, lambda _: False) for name in ("first", "second"))
    (tmp_path / "first" / "releases" / "dep_1").mkdir(parents=True)
    assert await first.holds(served(PROCESS, RELEASE))
    assert await first.holds(served({"kind": "static"}, RELEASE))
    processes = Processes(tmp_path / "second")
    await processes.start(ProcessSpec("dep_1", ("sleep", "900"), "/"))
    try:
        assert await second.holds(served(PROCESS, {}))
        await processes.stop("dep_1", 0)
        assert await second.holds(served(PROCESS, {})), "it has ended here"
    finally:
        await processes.remove("dep_1", 0)
