"""What agents of different projects have of each other: nothing, whatever they write into their own places."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from quarterdeck.kernel.errors import Problem
from quarterdeck.tasks.orders import Repository
from quarterdeck.tasks.workspaces import places, taking
from quarterdeck.tasks.workspaces.users import AgentUser
from quarterdeck.tasks.workspaces.workspaces import Workspaces
from real.git_server import git, repository
from support.hub import TOKEN, in_tree

BRANCH = "overlord/42-add-a-page"
USERS = {"WEB": 709_001, "VIC": 709_002}


def as_agent(key: str):
    number = USERS[key]
    return lambda argv: ("setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--", *argv)


@pytest.fixture
def two(hub, clock):
    """A worker that is root, with a user for each project's agents."""
    if os.geteuid() != 0:
        pytest.skip("only root runs agents as somebody else")
    place = hub.home / "workspaces"
    place.mkdir()

    def whose(_organization: str, key: str) -> AgentUser:
        return AgentUser(as_agent(key), (USERS[key], USERS[key]), {"PATH": os.environ["PATH"]})

    return Workspaces(place, whose=whose, clock=clock)


def agent(key: str, script: str, tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null"}
    argv = as_agent(key)(("/bin/sh", "-c", script, "agent", *arguments))
    return subprocess.run(argv, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def secret_of(hub):
    """The order of another project, whose repository is none of the first one's business."""
    repository(hub.home / "secret", {"secret.env": "DB_PASSWORD=crown-jewels\n"})
    git(hub.home, "clone", "--quiet", "--bare", str(hub.home / "secret"), str(hub.home / "served" / "secret.git"))
    given = Repository(url=f"{hub.url}/secret.git", default_branch="main", token=TOKEN)
    return hub.order(7, project_key="VIC", repository=given)


STEAL = """
set -e
B=$(git rev-parse --git-common-dir)
echo "$1" >> "$B/objects/info/alternates"
T=$(git rev-parse HEAD^{tree}); P=$(git rev-parse HEAD)
A='a <a@a> 1700000000 +0000'
C=$(printf 'tree %s\\nparent %s\\nparent %s\\nauthor %s\\ncommitter %s\\n\\nx\\n' "$T" "$P" "$2" "$A" "$A" |
  git hash-object -t commit -w --stdin --literally)
echo "$C" > "$B/$(git symbolic-ref HEAD)"
echo new > new.txt
"""


@pytest.mark.root
async def test_root_pushes_no_history_of_another_project(hub, two):
    victim = await two.prepare(secret_of(hub), hub.notes.append)
    order = hub.order()
    tree = await two.prepare(order, hub.notes.append)
    mirror = victim.path.parent.parent / "mirror.git"
    done = agent("WEB", STEAL, tree.path, str(mirror / "objects"), victim.head)
    assert done.returncode == 0, done.stderr
    with pytest.raises(Problem) as failed:
        await two.deliver(tree, order, "Mine", hub.may_push)
    assert failed.value.code == "workspace_error"
    assert (hub.at(BRANCH), hub.asked) == (None, [])


@pytest.mark.root
async def test_an_agent_gets_nowhere_near_another_project(hub, two):
    victim = await two.prepare(secret_of(hub), hub.notes.append)
    tree = await two.prepare(hub.order(), hub.notes.append)
    project = victim.path.parent.parent
    reached = [
        name
        for name in (victim.path, victim.path / "secret.env", project / "base.git", project / "mirror.git", project)
        if agent("WEB", 'ls "$1" || cat "$1"', tree.path, str(name)).returncode == 0
    ]
    assert reached == []
    assert agent("WEB", "git log -1 && ls", tree.path).returncode == 0


@pytest.mark.root
async def test_what_older_versions_left_open_is_closed(hub, two):
    tree = await two.prepare(hub.order(), hub.notes.append)
    project = tree.path.parent.parent
    for path, mode in ((two.root, 0o755), (project, 0o711), (project / "tasks", 0o711), (tree.path, 0o755)):
        path.chmod(mode)
    (project / "base.git").chmod(0o755)
    os.chown(project, 0, 0)
    await asyncio.to_thread(places.tighten, two.root)
    rights = [(path.stat().st_mode & 0o777, path.stat().st_gid) for path in (project, project / "tasks")]
    assert rights == [(0o710, USERS["WEB"])] * 2
    assert [path.stat().st_mode & 0o777 for path in (two.root, project / "base.git", tree.path)] == [
        0o711,
        0o700,
        0o700,
    ]
    assert agent("WEB", "git status && touch x", tree.path).returncode == 0


@pytest.mark.parametrize("name", ["config", "objects/info/alternates"])
async def test_a_pipe_in_the_place_of_a_file_stops_nobody(hub, workspaces, clock, name):
    tree = await workspaces.prepare(hub.order(), hub.notes.append)
    place = tree.path.parent.parent / "base.git" / name
    place.unlink()
    os.mkfifo(place)
    clock.advance(2)
    async with asyncio.timeout(120):
        again = await workspaces.prepare(hub.order(43), hub.notes.append)
    assert (again.head, place.is_file()) == (tree.head, True)


async def test_a_pack_that_is_too_large_is_refused_and_nothing_is_left(hub, workspaces, monkeypatch):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "noise").write_bytes(os.urandom(300_000))
    monkeypatch.setattr(taking, "LARGEST", 100_000)
    with pytest.raises(Problem, match=r"Taking the commits over failed.*maximum allowed size") as failed:
        await workspaces.deliver(tree, order, "Noise", hub.may_push)
    assert (failed.value.code, hub.at(BRANCH), hub.asked) == ("workspace_error", None, [])
    state = tree.path.parent.parent / "state"
    assert not [one.name for one in state.iterdir() if one.name.startswith("incoming")]
    monkeypatch.undo()
    assert (await workspaces.deliver(tree, order, "Noise", hub.may_push)).commit == hub.at(BRANCH)


async def test_a_commit_that_the_server_has_on_another_branch_is_pushed_as_the_tasks(hub, workspaces, clock):
    theirs = hub.push({"ready": "ready\n"}, message="Ready")
    back = ("main:refs/heads/ready", "main~1:refs/heads/main")
    git(hub.home / "colleague", "push", "--quiet", "--force", "origin", *back)
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    in_tree(tree.path, "merge", "--quiet", "--ff-only", "origin/ready")
    done = await workspaces.deliver(tree, order, "Nothing of mine", hub.may_push)
    assert (done.commit, done.pushed, hub.at(BRANCH)) == (theirs, True, theirs)
