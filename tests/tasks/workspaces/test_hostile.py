"""Repositories and agents that mean harm: nothing of theirs runs in our name, nothing outside is read or written."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from quarterdeck.kernel.errors import Problem
from quarterdeck.tasks.workspaces.users import AgentUser
from quarterdeck.tasks.workspaces.workspaces import Workspaces
from real.git_server import git
from real.sshd import new_key, sshd
from support.hub import TOKEN, in_tree

BRANCH = "overlord/42-add-a-page"
NOBODY = (65534, 65534)


def trap(place: Path, name: str) -> Path:
    """A program that tells that it ran, and as whom."""
    program = place / name
    program.write_text(f"#!/bin/sh\nid -u >> {place / 'ran'}\nenv >> {place / 'ran'}\ncat\n")
    program.chmod(0o755)
    return program


async def test_hooks_filters_and_monitors_of_the_agent_do_not_run(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    traps = hub.home / "traps"
    traps.mkdir()
    program = trap(traps, "trap")
    base = Path(in_tree(tree.path, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    (base / "hooks").mkdir(exist_ok=True)
    for hook in ("pre-commit", "post-checkout", "pre-push", "reference-transaction", "post-index-change", "post-merge"):
        trap(base / "hooks", hook).write_text(program.read_text())
    (tree.path / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    (tree.path / "page").write_text("text\n")
    for key, value in (
        ("core.hooksPath", str(base / "hooks")),
        ("core.fsmonitor", str(program)),
        ("filter.evil.clean", str(program)),
        ("filter.evil.smudge", str(program)),
        ("filter.evil.process", str(program)),
        ("diff.evil.command", str(program)),
        ("diff.evil.textconv", str(program)),
        ("diff.external", str(program)),
        ("core.sshCommand", str(program)),
        ("core.askPass", str(program)),
        ("credential.helper", str(program)),
        ("gpg.program", str(program)),
        ("commit.gpgSign", "true"),
        ("http.proxy", "http://127.0.0.1:9"),
        ("url.http://127.0.0.1:9/.insteadOf", hub.url),
        ("remote.origin.receivepack", str(program)),
        ("core.alternateRefsCommand", str(program)),
    ):
        git(hub.home, "config", "--file", str(base / "config"), key, value)
    done = await workspaces.deliver(tree, order, "Page", hub.may_push)
    assert (done.pushed, git(hub.origin, "show", f"{BRANCH}:page")) == (True, "text")
    again = await Workspaces(workspaces.root).prepare(hub.order(43), hub.notes.append)
    assert again.head == hub.at("main")
    assert "evil" not in (base / "config").read_text()
    assert not (traps / "ran").exists()


async def test_a_git_file_that_points_elsewhere_is_not_followed(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    elsewhere = hub.home / "elsewhere"
    elsewhere.mkdir()
    in_tree(elsewhere, "init", "--quiet")
    (tree.path / ".git").write_text(f"gitdir: {elsewhere}/.git\n")
    (tree.path / "page").write_text("text\n")
    await workspaces.deliver(tree, order, "Page", hub.may_push)
    assert hub.show(BRANCH, "%P") == tree.head
    assert not (elsewhere / ".git" / "index").exists()


async def test_links_that_lead_outside_are_delivered_as_links(hub, workspaces):
    outside = hub.home / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s3cret")
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "file").symlink_to(outside / "secret")
    (tree.path / "docs" / "guide.md").unlink()
    (tree.path / "docs").rmdir()
    (tree.path / "docs").symlink_to(outside)
    await workspaces.deliver(tree, order, "Links", hub.may_push)
    listed = git(hub.origin, "ls-tree", "-r", BRANCH)
    assert listed.count("120000 blob") == 2
    assert "s3cret" not in git(hub.origin, "show", f"{BRANCH}:file")
    # Files of the repository below a directory that has become a link are not written through it.
    hub.push({"docs/guide.md": "changed\n", "docs/secret": "overwritten\n"})
    await Workspaces(workspaces.root).prepare(order, hub.notes.append)
    assert (outside / "secret").read_text() == "s3cret"
    await workspaces.remove(hub.clean(tree))
    assert (outside / "secret").exists()


async def test_submodules_are_not_fetched(hub, workspaces):
    colleague = hub.home / "colleague"
    hub.push({"x": "x\n"})
    (colleague / ".gitmodules").write_text(f'[submodule "m"]\n\tpath = m\n\turl = {hub.url}/other.git\n')
    git(colleague, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},m")
    git(colleague, "add", ".gitmodules")
    git(colleague, "commit", "--quiet", "--message", "Module")
    git(colleague, "push", "--quiet", "origin", "main")
    tree = await workspaces.prepare(hub.order(), hub.notes.append)
    assert list((tree.path / "m").iterdir()) == []
    assert not [path for _, path, _ in hub.server.requests if "other.git" in path]


async def test_the_cleanup_command_is_the_projects_and_is_ended_in_time(hub):
    quick = Workspaces(hub.home / "workspaces", command_seconds=2)
    order = hub.order(environment={"WORD": 'it\'s "quoted" $HOME `id`', "NOT A NAME": "x"})
    tree = await quick.prepare(order, hub.notes.append)
    told = hub.home / "told"
    command = f'pwd > {told}; echo "$WORD" >> {told}'
    await quick.leave(tree, hub.order(environment=order.environment, cleanup_command=command))
    assert told.read_text() == f"{tree.path}\n{order.environment['WORD']}\n"
    before = len(hub.notes)
    await quick.leave(tree, order)
    assert len(hub.notes) == before
    await quick.leave(tree, hub.order(cleanup_command="echo broken >&2; exit 3"))
    assert hub.notes[-1] == "The clean-up command ended with 3: broken"
    sleeper = hub.home / "sleeper"
    await quick.leave(tree, hub.order(cleanup_command=f"sleep 600 & echo $! > {sleeper}; wait"))
    assert "took longer than 2 s" in hub.notes[-1]
    await ends(int(sleeper.read_text()))
    # Nor does a child that is left behind keep us waiting, or go on.
    await quick.leave(tree, hub.order(cleanup_command=f"sleep 600 & echo $! > {sleeper}"))
    assert len(hub.notes) == before + 2
    await ends(int(sleeper.read_text()))


async def ends(pid: int) -> None:
    """It is killed already; the kernel takes a moment to end it."""
    async with asyncio.timeout(30):
        while alive(pid):
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def as_nobody(argv: tuple[str, ...]) -> tuple[str, ...]:
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *argv)


@pytest.fixture
def apart(hub, clock):
    """A worker that is root, and an agent that is not."""
    if os.geteuid() != 0:
        pytest.skip("only root runs an agent as somebody else")
    place = hub.home / "workspaces"
    place.mkdir()
    return Workspaces(place, whose=lambda *_: AgentUser(as_nobody, NOBODY, {"PATH": os.environ["PATH"]}), clock=clock)


def nobodys(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null"}
    names = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run(
        as_nobody(argv), cwd=cwd, env=environment | names, capture_output=True, text=True, check=False
    )


@pytest.mark.root
async def test_an_agent_that_is_another_user_works_in_its_worktree_and_nowhere_else(hub, apart, clock):
    os.umask(0o077)
    order = hub.order(cleanup_command="id -u > who")
    try:
        tree = await apart.prepare(order, hub.notes.append)
        assert {path.lstat().st_uid for path in (tree.path, *tree.path.rglob("*"))} == {65534}
        for argv in (("git", "log", "-1"), ("sh", "-c", "echo a > a && git add a && git commit -qm A && echo b > b")):
            done = nobodys(*argv, cwd=tree.path)
            assert done.returncode == 0, done.stderr
        project = tree.path.parent.parent
        for argv in (
            ("touch", str(project / "mirror.git" / "config")),
            ("touch", str(project / "mirror.git" / "objects" / "x")),
            ("ls", str(project / "state")),
            ("ls", str(project)),
            ("touch", str(project / "tasks" / "x")),
        ):
            assert nobodys(*argv, cwd=tree.path).returncode != 0, argv
        done = await apart.deliver(tree, order, "B", hub.may_push)
        assert git(hub.origin, "ls-tree", "--name-only", BRANCH).split() == ["a", "app.py", "b", "docs"]
        await apart.leave(tree, order)
        assert (tree.path / "who").read_text() == "65534\n"
        clock.advance(2)
        hub.push({"later": "later\n"}, BRANCH)
        (tree.path / "who").unlink()
        again = await apart.prepare(order, hub.notes.append)
        assert ((again.path / "later").lstat().st_uid, again.continued) == (65534, True)
        assert nobodys("git", "status", "--porcelain", cwd=tree.path).stdout == ""
        assert done.pushed
        await apart.remove(hub.clean(tree))
        assert not tree.path.exists()
    finally:
        os.umask(0o022)


@pytest.mark.root
async def test_an_agent_that_is_another_user_reads_and_writes_nothing_through_us(hub, apart, clock):
    order = hub.order()
    tree = await apart.prepare(order, hub.notes.append)
    secret = hub.home / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    base = tree.path.parent.parent / "base.git"
    traps = hub.home / "traps"
    traps.mkdir(mode=0o777)
    traps.chmod(0o777)
    program = trap(traps, "trap")
    for argv in (
        # A directory through which our git would read what only root may; a configuration that is a link to such.
        ("ln", "-s", str(hub.home), str(tree.path / "home")),
        ("sh", "-c", f"rm {base}/config && ln -s {secret} {base}/config"),
        ("sh", "-c", f"mkdir -p {base}/hooks && cp {program} {base}/hooks/post-index-change"),
    ):
        done = nobodys(*argv, cwd=tree.path)
        assert done.returncode == 0, done.stderr
    clock.advance(2)
    # What the agent put in the place of the configuration is replaced, and nothing is written through it.
    await apart.prepare(hub.order(43), hub.notes.append)
    assert secret.read_text() == "s3cret\n"
    assert "repositoryformatversion" in (base / "config").read_text()
    assert not (base / "config").is_symlink()
    # Variables of a project reach its own command alone, never the program that changes users.
    evil = traps / "bin"
    evil.mkdir()
    trap(evil, "setpriv")
    (evil / "ran").unlink(missing_ok=True)
    told = hub.order(environment={"PATH": str(evil), "LD_PRELOAD": "/nonexistent.so"}, cleanup_command="echo $PATH")
    await apart.leave(tree, told)
    assert not (evil / "ran").exists()
    assert not (traps / "ran").exists()


@pytest.mark.sshd
async def test_over_ssh_the_machines_key_signs_in_and_the_host_is_pinned(hub):
    with sshd() as server:
        await over_ssh(hub, server)


async def over_ssh(hub, sshd):
    key = hub.home / "id"
    sshd.authorize(new_key(key))
    url = f"ssh://{sshd.username}@127.0.0.1:{sshd.port}{hub.origin}"
    given = hub.order().repository
    order = hub.order(repository=type(given)(url=url, default_branch="main", token=TOKEN))
    place = Workspaces(hub.home / "workspaces", ssh_key=key)
    tree = await place.prepare(order, hub.notes.append)
    (tree.path / "a").write_text("a\n")
    assert (await place.deliver(tree, order, "One", hub.may_push)).commit == hub.at(BRANCH)
    sshd.renew_host_key()
    (tree.path / "b").write_text("b\n")
    with pytest.raises(Problem) as failed:
        await place.deliver(tree, order, "Two", hub.may_push)
    assert (failed.value.code, failed.value.details["reason"]) == ("git_push_failed", "host-key-changed")
    with pytest.raises(Problem) as failed:
        await Workspaces(hub.home / "other").prepare(order, hub.notes.append)
    assert (failed.value.code, failed.value.details["reason"]) == ("workspace_error", "refused")
