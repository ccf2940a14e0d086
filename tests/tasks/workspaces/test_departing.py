"""A machine that is decommissioned removes the worktrees whose work the server has, and keeps every other one."""

from __future__ import annotations

import os

from quarterdeck.tasks.workspaces.departing import WHOSE
from real.git_server import git
from support.hub import in_tree


async def test_what_is_delivered_or_unchanged_goes_and_all_else_stays_and_is_named(hub, workspaces):
    trees = {number: await workspaces.prepare(hub.order(number), hub.notes.append) for number in range(1, 8)}
    (trees[2].path / "made.txt").write_text("delivered\n")
    await workspaces.deliver(trees[2], hub.order(2), "Add a page", hub.may_push)
    (trees[3].path / "new.txt").write_text("in no commit\n")
    (trees[4].path / "new.txt").write_text("committed alone\n")
    in_tree(trees[4].path, "add", ".")
    in_tree(trees[4].path, "commit", "--quiet", "--message", "Not delivered")
    (trees[5].path / "staged.txt").write_text("staged alone\n")
    in_tree(trees[5].path, "add", ".")
    (trees[5].path / "staged.txt").unlink()
    (trees[6].path / "more.txt").write_text("after its delivery\n")
    await workspaces.deliver(trees[6], hub.order(6), "Add a page", hub.may_push)
    (trees[6].path / "more.txt").write_text("and then changed\n")
    (trees[7].path / ".git").unlink()
    left = await workspaces.depart()
    assert left.removed == 2
    kept = {path.name: why for path, why in left.kept}
    assert {name: "no commit" in why for name, why in kept.items()} == {
        "task-3": True, "task-4": False, "task-5": True, "task-6": True, "task-7": False,
    }  # fmt: skip
    assert "not delivered" in kept["task-4"]
    assert "not whole" in kept["task-7"]
    assert [number for number, tree in trees.items() if tree.path.exists()] == [3, 4, 5, 6, 7]
    assert "made.txt" in git(hub.origin, "ls-tree", "--name-only", hub.order(2).branch)


async def test_a_clone_goes_with_its_last_worktree_and_nothing_is_asked_of_the_network(hub, workspaces):
    tree = await workspaces.prepare(hub.order(1), hub.notes.append)
    asked = len(hub.server.requests)
    left = await workspaces.depart()
    assert (left.removed, left.kept, len(hub.server.requests)) == (1, (), asked)
    assert not tree.path.parent.parent.exists()
    assert workspaces.root.is_dir()
    assert (await workspaces.depart()).removed == 0


async def test_what_an_agent_says_of_the_servers_branches_counts_for_nothing(hub, workspaces):
    tree = await workspaces.prepare(hub.order(1), hub.notes.append)
    (tree.path / "new.txt").write_text("mine\n")
    in_tree(tree.path, "add", ".")
    in_tree(tree.path, "commit", "--quiet", "--message", "Mine")
    in_tree(tree.path, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert (await workspaces.depart()).kept[0][0] == tree.path


async def test_a_tree_deeper_than_any_path_keeps_nothing_of_the_machine(hub, workspaces):
    trees = [await workspaces.prepare(hub.order(number), hub.notes.append) for number in (1, 2)]
    here = os.open(trees[0].path, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(3000):  # empty directories, which git does not see
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    left = await workspaces.depart()
    assert (left.removed, left.kept) == (2, ())
    assert not any(tree.path.exists() for tree in trees)


async def test_a_directory_of_nobody_known_is_kept(hub, workspaces):
    tree = await workspaces.prepare(hub.order(1), hub.notes.append)
    (tree.path.parent.parent / "state" / WHOSE).unlink()
    left = await workspaces.depart()
    assert (left.removed, [path for path, _ in left.kept]) == (0, [tree.path])
    assert tree.path.is_dir()
