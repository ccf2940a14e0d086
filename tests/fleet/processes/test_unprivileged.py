from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import quarterdeck
from fleet.processes.conftest import tagged, until
from quarterdeck.fleet.processes import log
from quarterdeck.fleet.processes.spec import Limits, ProcessSpec, RestartPolicy
from quarterdeck.fleet.processes.starting import launch_document
from quarterdeck.fleet.processes.supervisor.record import STATE, read_json

pytestmark = pytest.mark.root
NOBODY = 65_534


def supervise_as_nobody(place: Path, spec: ProcessSpec) -> dict[str, object]:
    """Start the real supervisor as a user that may neither make control groups nor change users."""
    place.mkdir()
    os.chown(place, NOBODY, NOBODY)
    program = shutil.which("python3", path="/usr/bin:/usr/local/bin") or "python3"
    drop = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--"]
    done = subprocess.run(
        [*drop, program, "-S", "-P", "-B", "-m", "quarterdeck.fleet.processes.supervisor", str(place)],
        input=json.dumps(launch_document(spec, spec.instance, None)).encode(),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(quarterdeck.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        check=False,
    )
    return json.loads(done.stdout)


async def test_without_rights_stop_still_leaves_no_orphan(root, work):
    script = "(setsid sh -c 'trap \"\" TERM; sleep 300 & sleep 300' &) ; sleep 300 & (sleep 300 &) ; wait"
    spec = ProcessSpec("nobody-stop", ("/bin/sh", "-c", script), str(work), {"TAG": "nobody-stop"}, grace=0.3)
    place = root.parent / "own"
    assert supervise_as_nobody(place, spec) == {"started": True}
    await until(lambda: len(tagged("nobody-stop")) >= 5)
    state = read_json(place / STATE)
    assert state["enforced"] == {"pids": "rlimit"}
    os.kill(state["supervisor"][0], signal.SIGTERM)
    await until(lambda: read_json(place / STATE)["phase"] == "stopped")
    assert tagged("nobody-stop") == set()


async def test_without_rights_the_memory_limit_is_a_resource_limit(root, work):
    code = "kept = []\nwhile True: kept.append(bytearray(b'x' * 4_000_000))"
    program = shutil.which("python3", path="/usr/bin:/usr/local/bin") or "python3"
    spec = ProcessSpec(
        "nobody-memory",
        (program, "-c", code),
        str(work),
        {"TAG": "nobody-memory"},
        limits=Limits(memory=64_000_000),
        restart=RestartPolicy("never"),
    )
    place = root.parent / "own"
    assert supervise_as_nobody(place, spec) == {"started": True}
    await until(lambda: read_json(place / STATE)["phase"] == "exited", 20)
    assert read_json(place / STATE)["exits"][-1]["code"] == 1
    assert "MemoryError" in [*log.read(place)][-1].text
