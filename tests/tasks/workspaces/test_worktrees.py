"""Worktrees: made in parallel, gone on with, followed, and what stands in their way."""

from __future__ import annotations

import asyncio
import shutil
import subprocess

import pytest

from quarterdeck.kernel.errors import Problem
from quarterdeck.tasks.orders import Repository
from quarterdeck.tasks.workspaces import mirrors
from quarterdeck.tasks.workspaces.workspaces import Workspaces
from real.git_server import git
from real.git_server import repository as make
from support.hub import TOKEN, in_tree


async def test_a_worktree_stands_on_its_own_branch_at_the_base_branch(hub, workspaces):
    tree = await workspaces.prepare(hub.order(), hub.notes.append)
    assert (tree.path / "app.py").read_text() == "print('one')\n"
    assert in_tree(tree.path, "rev-parse", "--abbrev-ref", "HEAD") == tree.branch == "overlord/42-add-a-page"
    assert in_tree(tree.path, "rev-parse", "HEAD") == tree.head == hub.at("main")
    assert in_tree(tree.path, "status", "--porcelain") == ""
    assert in_tree(tree.path, "rev-parse", "origin/main") == tree.head
    assert (tree.continued, tree.size > 20) == (False, True)
    assert hub.notes == [f"Fetched {hub.url}/shop.git."]


async def test_tasks_that_begin_together_fetch_once_and_have_worktrees_of_their_own(hub, workspaces):
    trees = await asyncio.gather(*(workspaces.prepare(hub.order(n), hub.notes.append) for n in range(1, 6)))
    assert len({tree.path for tree in trees}) == 5
    assert len(hub.notes) == 1
    assert len([one for one in hub.server.requests if one[0] == "GET"]) <= 2  # asked without and with the token
    (base,) = {in_tree(tree.path, "rev-parse", "--git-common-dir") for tree in trees}
    assert git(hub.home, f"--git-dir={base}", "worktree", "list").count("task-") == 5
    for tree in trees:
        (tree.path / "app.py").write_text(tree.branch)
    assert len({(tree.path / "app.py").read_text() for tree in trees}) == 5


async def test_the_next_task_stands_at_what_was_pushed_meanwhile(hub, workspaces, clock):
    await workspaces.prepare(hub.order(1), hub.notes.append)
    clock.advance(2)  # beyond what counts as together
    pushed = hub.push({"new.py": "new\n"})
    tree = await workspaces.prepare(hub.order(2), hub.notes.append)
    assert (tree.head, (tree.path / "new.py").exists()) == (pushed, True)


async def test_an_earlier_attempt_is_gone_on_with(hub, workspaces):
    first = await workspaces.prepare(hub.order(), hub.notes.append)
    (first.path / "begun.txt").write_text("half\n")
    (first.path / "app.py").write_text("print('changed')\n")
    # What a git leaves that is killed.
    common = hub.home / in_tree(first.path, "rev-parse", "--absolute-git-dir")
    (common / "index.lock").write_text("")
    again = await Workspaces(workspaces.root).prepare(hub.order(attempt=2), hub.notes.append)
    assert (again.path, again.continued, again.head) == (first.path, True, first.head)
    assert (again.path / "begun.txt").read_text() == "half\n"
    assert "app.py" in in_tree(again.path, "status", "--porcelain")
    in_tree(again.path, "add", "--all")


async def test_a_worktree_of_which_something_is_missing_is_made_anew(hub, workspaces):
    first = await workspaces.prepare(hub.order(), hub.notes.append)
    (first.path / ".git").unlink()
    again = await workspaces.prepare(hub.order(), hub.notes.append)
    assert (again.continued, in_tree(again.path, "status", "--porcelain")) == (False, "")
    shutil.rmtree(again.path)
    assert (await workspaces.prepare(hub.order(), hub.notes.append)).continued is False
    assert in_tree(again.path, "rev-parse", "HEAD") == first.head


async def test_a_branch_that_somebody_went_on_with_is_followed(hub, workspaces, clock):
    branch = "overlord/42-add-a-page"
    tree = await workspaces.prepare(hub.order(), hub.notes.append)
    in_tree(tree.path, "push", "--quiet", str(hub.origin), f"HEAD:refs/heads/{branch}")
    pushed = hub.push({"review.txt": "reviewed\n"}, branch)
    clock.advance(2)
    again = await workspaces.prepare(hub.order(), hub.notes.append)
    assert (again.head, again.continued) == (pushed, True)
    assert (again.path / "review.txt").exists()
    assert in_tree(again.path, "status", "--porcelain") == ""
    # Not over what is changed here.
    (again.path / "review.txt").write_text("mine\n")
    hub.push({"review.txt": "theirs\n"}, branch)
    clock.advance(2)
    third = await workspaces.prepare(hub.order(), hub.notes.append)
    assert (third.head, (third.path / "review.txt").read_text()) == (pushed, "mine\n")
    assert "are left" in hub.notes[-1]


async def test_a_branch_that_exists_is_gone_on_with_from_another_machine(hub, workspaces):
    branch = "overlord/42-add-a-page"
    git(hub.origin, "branch", branch, "main")
    pushed = hub.push({"half.txt": "half\n"}, branch)
    tree = await Workspaces(hub.home / "elsewhere").prepare(hub.order(), hub.notes.append)
    assert (tree.head, (tree.path / "half.txt").exists()) == (pushed, True)
    assert "going on from" in hub.notes[-1]


async def test_another_repository_under_the_same_key_is_another_base(hub, workspaces):
    make(hub.home / "served" / "other", {"other.txt": "other\n"})
    first = await workspaces.prepare(hub.order(), hub.notes.append)
    moved = Repository(url=f"{hub.url}/other/.git", default_branch="main", token=TOKEN)
    second = await workspaces.prepare(hub.order(repository=moved), hub.notes.append)
    assert second.path != first.path
    assert (second.path / "other.txt").exists()
    somebody = await workspaces.prepare(hub.order(organization="other"), hub.notes.append)
    assert somebody.path.parent != first.path.parent


@pytest.mark.parametrize(
    ("changes", "said", "reason"),
    [
        ({"base_branch": "nowhere"}, "has no branch nowhere", "branch-missing"),
        ({"branch": "--upload-pack=x"}, "is no name of a branch", None),
        ({"branch": "a..b"}, "is no name of a branch", None),
        ({"base_branch": "x.lock"}, "is no name of a branch", None),
    ],
)
async def test_what_is_no_branch_is_told(hub, workspaces, changes, said, reason):
    with pytest.raises(Problem, match=said) as failed:
        await workspaces.prepare(hub.order(**changes), hub.notes.append)
    assert (failed.value.code, failed.value.details.get("reason")) == ("workspace_error", reason)
    assert failed.value.hint


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("{url}/gone.git", "repository-missing"),
        ("http://127.0.0.1:9/shop.git", "git"),
        ("file:///etc", None),
        ("ext::sh -c id", None),
        ("-oProxyCommand=id", None),
    ],
)
async def test_a_repository_that_is_gone_or_no_repository_is_told(hub, workspaces, url, reason):
    gone = Repository(url=url.format(url=hub.url), default_branch="main", token=TOKEN)
    with pytest.raises(Problem) as failed:
        await workspaces.prepare(hub.order(repository=gone), hub.notes.append)
    assert (failed.value.code, failed.value.details.get("reason")) == ("workspace_error", reason)


async def test_a_repository_that_disappears_leaves_what_is_there(hub, workspaces, clock):
    tree = await workspaces.prepare(hub.order(), hub.notes.append)
    (tree.path / "work.txt").write_text("work\n")
    hub.origin.rename(hub.home / "moved.git")
    clock.advance(2)
    with pytest.raises(Problem) as failed:
        await workspaces.prepare(hub.order(), hub.notes.append)
    assert failed.value.details["reason"] == "repository-missing"
    assert (tree.path / "work.txt").exists()


async def test_an_empty_repository_is_told(hub, workspaces):
    git(hub.home / "served", "init", "--quiet", "--bare", "empty.git")
    empty = Repository(url=f"{hub.url}/empty.git", default_branch="main", token=TOKEN)
    with pytest.raises(Problem, match="has no branch main"):
        await workspaces.prepare(hub.order(repository=empty), hub.notes.append)


async def test_a_root_that_cannot_be_written_is_told(hub):
    (hub.home / "file").write_text("no directory")
    with pytest.raises(Problem, match="cannot be kept at") as failed:
        await Workspaces(hub.home / "file" / "below").prepare(hub.order(), hub.notes.append)
    assert failed.value.code == "workspace_error"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte, and how to make it larger."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield place, lambda: subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.root
async def test_a_full_disk_is_told_and_what_was_begun_is_finished_later(hub, small_disk):
    place, enlarge = small_disk
    hub.push({"large.txt": "".join(f"{number:x}\n" for number in range(3_000_000, 3_400_000))})
    small = Workspaces(place)
    with pytest.raises(Problem) as failed:
        await small.prepare(hub.order(), hub.notes.append)
    assert (failed.value.code, failed.value.details["reason"]) == ("workspace_error", "disk-full")
    enlarge()
    assert (await small.prepare(hub.order(), hub.notes.append)).head == hub.at("main")


async def test_a_worktree_is_removed_with_what_git_knows_of_it(hub, workspaces, clock, monkeypatch):
    monkeypatch.setattr(mirrors, "MOST_PACKS", 1)
    one = await workspaces.prepare(hub.order(1), hub.notes.append)
    hub.push({"new.py": "new\n"})
    clock.advance(2)
    two = await workspaces.prepare(hub.order(2), hub.notes.append)
    (one.path / "build").mkdir()
    (one.path / "build" / "big").write_bytes(b"x" * 100_000)
    (one.path / "build").chmod(0o555)
    (one.path / "out").symlink_to(hub.origin)
    assert await workspaces.remove(hub.clean(one)) > 100_000
    assert not one.path.exists()
    # The packs of both fetches are one now, and nothing is missing.
    assert len(list(two.path.parent.parent.glob("mirror.git/objects/pack/*.pack"))) == 1
    in_tree(two.path, "fsck", "--no-dangling")
    listed = in_tree(two.path, "worktree", "list")
    assert ("task-1" in listed, "task-2" in listed) == (False, True)
    assert (hub.origin / "HEAD").exists()
    assert await workspaces.remove(hub.clean(one)) == 0
    again = await workspaces.prepare(hub.order(1), hub.notes.append)
    assert (again.continued, again.head) == (False, one.head)  # its branch was kept


async def test_nothing_else_is_removed(hub, workspaces):
    tree = await workspaces.prepare(hub.order(1), hub.notes.append)
    for path, task in (
        (str(hub.origin), 1),
        (str(tree.path), 2),
        (f"{tree.path}/../task-1/../..", 1),
        (str(tree.path.parent), 1),
        ("task-1", 1),
        (str(tree.path).replace("workspaces", "elsewhere"), 1),
    ):
        with pytest.raises(Problem, match="is no workspace of task"):
            await workspaces.remove(hub.clean(tree, path=path, task_id=task))
    assert tree.path.exists()
