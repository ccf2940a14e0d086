from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from fleet.processes.conftest import lines, tagged, until
from quarterdeck.fleet.processes.ownership import grant
from quarterdeck.fleet.processes.spec import Limits, ProcessSpec, RestartPolicy
from quarterdeck.fleet.processes.supervisor import cgroups
from quarterdeck.fleet.processes.supervisor.record import STATE, read_json

pytestmark = pytest.mark.root
NEVER = RestartPolicy("never")
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable


def python(name: str, work: Path, code: str, **changes) -> ProcessSpec:
    values = {"instance": name, "argv": (PYTHON, "-c", code), "directory": str(work), "restart": NEVER}
    return ProcessSpec(**(values | {"environment": {"TAG": name}} | changes))


async def ended(processes, name: str):
    await until(lambda: not processes.status(name).live, 20)
    return processes.status(name)


async def test_the_memory_limit_holds(processes, work):
    code = "kept = []\nwhile True: kept.append(bytearray(b'x' * 4_000_000))"
    status = await processes.start(python("dep_memory-0", work, code, limits=Limits(memory=64_000_000)))
    held = status.enforced["memory"]
    status = await ended(processes, "dep_memory-0")
    if held == "cgroup":
        assert status.exits[-1].signal == 9
        assert status.exits[-1].out_of_memory
    else:
        assert status.exits[-1].code == 1


async def test_a_fork_bomb_is_bounded_and_stopped_whole(processes, work):
    code = "import os, time\nwhile True:\n  try: os.fork()\n  except OSError: time.sleep(0.2)"
    spec = python("dep_bomb-0", work, code, limits=Limits(pids=40, cpus=0.3), account="bomb")
    await processes.start(spec)
    await until(lambda: len(tagged("dep_bomb-0")) >= 30, 20)
    assert len(tagged("dep_bomb-0")) <= 41
    await processes.stop("dep_bomb-0", grace=0.1)
    assert tagged("dep_bomb-0") == set()


async def test_a_process_of_its_own_user_can_neither_read_our_data_nor_rise(processes, work):
    places = [processes.directory("dep_user-0") / STATE, Path("/etc/shadow")]
    code = f"""
import os, pathlib
print(os.getuid(), os.getgroups(), [l for l in open('/proc/self/status') if l.startswith('NoNewPrivs')][0].split()[1])
for place in {[str(p) for p in places]!r} + ['/proc/%d/environ' % os.getppid()]:
    try: pathlib.Path(place).read_bytes(); print('READ', place)
    except PermissionError: print('denied')
try: os.setuid(0); print('ROSE')
except PermissionError: print('denied')
pathlib.Path('mine').write_text('x')
"""
    uid = processes.account("res_user")
    grant(work, uid)
    await processes.start(python("dep_user-0", work, code, account="res_user"))
    await ended(processes, "dep_user-0")
    said = [line.text for line in lines(processes, "dep_user-0")]
    assert said == [f"{uid} [] 1", "denied", "denied", "denied", "denied"]
    assert (work / "mine").stat().st_uid == uid
    assert processes.directory("dep_user-0").stat().st_mode & 0o777 == 0o700


async def test_accounts_are_kept_and_not_shared(processes):
    first = processes.account("res_one")
    assert processes.account("res_two") != first
    assert processes.account("res_one") == first


async def test_the_group_is_gone_when_the_process_is(processes, work):
    await processes.start(python("dep_group-0", work, "import time; time.sleep(300)", limits=Limits(memory=50_000_000)))
    group = cgroups.Group.load(read_json(processes.directory("dep_group-0") / STATE)["group"])
    assert processes.status("dep_group-0").pid in group.members() or not group.directories()
    await processes.stop("dep_group-0", grace=0.5)
    assert not any(place.exists() for place in group.directories())


def test_the_control_groups_of_each_kind_of_host_are_told_apart():
    first = "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup /c/cpu cgroup rw,cpu,cpuacct 0 0\n"
    second = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"
    hybrid = cgroups.parse_mounts(first + second.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"))
    assert hybrid.first == {"memory": Path("/sys/fs/cgroup/memory"), "cpu": Path("/c/cpu")}
    assert cgroups.parse_mounts(second) == cgroups.Mounts({}, Path("/sys/fs/cgroup"))
    assert cgroups.parse_membership("4:memory:/a/b\n3:cpu,cpuacct:/c\n0::/d\n") == {
        "memory": "/a/b",
        "cpu": "/c",
        "cpuacct": "/c",
        "": "/d",
    }


def test_limits_are_written_in_the_words_of_each_version():
    everything = {"memory", "pids", "cpu", "freezer"}
    assert cgroups.limit_writes(everything, True, 1000, 0.5, 7) == [
        ("memory", "memory.max", "1000", True),
        ("memory", "memory.swap.max", "0", False),
        ("memory", "memory.oom.group", "1", False),
        ("pids", "pids.max", "7", True),
        ("cpu", "cpu.max", "50000 100000", True),
    ]
    assert cgroups.limit_writes(everything, False, 1000, 0.5, 7) == [
        ("memory", "memory.limit_in_bytes", "1000", True),
        ("memory", "memory.memsw.limit_in_bytes", "1000", False),
        ("pids", "pids.max", "7", True),
        ("cpu", "cpu.cfs_period_us", "100000", True),
        ("cpu", "cpu.cfs_quota_us", "50000", True),
    ]
    assert cgroups.limit_writes({"cpu"}, True, 1000, None, 7) == []


def groups_of_this_host() -> list[cgroups.Group]:
    """One group of each kind that this host has: version 1 with its freezer, version 2."""
    mounts = cgroups.parse_mounts(Path("/proc/mounts").read_text())
    own = cgroups.parse_membership(Path("/proc/self/cgroup").read_text())
    found = []
    if "freezer" in mounts.first:
        place = mounts.first["freezer"] / own.get("freezer", "/").lstrip("/")
        found.append(cgroups.Group(first={"freezer": place / "quarterdeck-test"}))
    if mounts.unified:
        found.append(cgroups.Group(unified=mounts.unified / own.get("", "/").lstrip("/") / "quarterdeck-test"))
    return found


@pytest.mark.parametrize("group", groups_of_this_host(), ids=lambda group: "v2" if group.unified else "v1")
def test_a_whole_group_is_killed_in_each_version(group):
    for place in group.directories():
        place.mkdir()
    try:
        with subprocess.Popen(["/bin/sh", "-c", "read go; sleep 300 & (setsid sleep 300 &); wait"], stdin=-1) as shell:
            for place in group.directories():
                (place / "cgroup.procs").write_text(str(shell.pid))
            shell.stdin.write(b"go\n")
            shell.stdin.close()
            for _ in range(200):
                if len(group.members()) >= 3:
                    break
                time.sleep(0.02)
            assert len(group.members()) >= 3
            assert group.kill()
        assert group.members() == set()
    finally:
        group.remove()
    assert not any(place.exists() for place in group.directories())
