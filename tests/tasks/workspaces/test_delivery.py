"""From a worktree to the server: whose commit it is, what is never pushed, and what is told when it cannot be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from fakes.forges.gitea import Gitea
from fakes.forges.serving import serving
from quarterdeck.kernel.errors import Conflict, Problem
from quarterdeck.tasks.orders import DeliveredReport, Person, Repository
from quarterdeck.tasks.workspaces.pushing import Pushed
from quarterdeck.tasks.workspaces.workspaces import Workspaces
from real.git_server import git
from support.hub import TOKEN, in_tree

BRANCH = "overlord/42-add-a-page"


async def test_what_the_agent_left_is_committed_as_the_developer_and_pushed(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "page.html").write_text("<h1>\n")
    (tree.path / "docs/guide.md").unlink()
    (tree.path / ".gitignore").write_text("ignored\n")
    (tree.path / "ignored").write_text("secret\n")
    done = await workspaces.deliver(tree, order, "Add a page\n\nAt length.", hub.may_push)
    assert done == DeliveredReport(
        branch=BRANCH, commit=hub.at(BRANCH), pushed=True, files_changed=3, insertions=2, deletions=3
    )
    assert hub.show(BRANCH, "%an|%ae|%cn|%ce|%B") == (
        "Ada Lovelace|ada@lovelace.test|Ada Lovelace|ada@lovelace.test|Add a page\n\nAt length."
    )
    assert git(hub.origin, "ls-tree", "-r", "--name-only", BRANCH).split() == [".gitignore", "app.py", "page.html"]
    assert hub.show(BRANCH, "%P") == tree.head
    assert in_tree(tree.path, "status", "--porcelain") == ""
    assert in_tree(tree.path, "rev-parse", BRANCH) == done.commit
    assert [(one.branch, one.commit) for one in hub.asked] == [(BRANCH, done.commit)]


async def test_commits_of_the_agent_stay_and_only_the_rest_is_added(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "a").write_text("a\n")
    in_tree(tree.path, "add", "a")
    in_tree(tree.path, "commit", "--quiet", "--message", "By the agent")
    (tree.path / "b").write_text("b\n")
    await workspaces.deliver(tree, order, "The rest", hub.may_push)
    assert git(hub.origin, "log", "--format=%s", f"main..{BRANCH}").split("\n") == ["The rest", "By the agent"]


async def test_nothing_is_pushed_where_nothing_changed(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    done = await workspaces.deliver(tree, order, "Nothing", hub.may_push)
    assert done == DeliveredReport(branch=BRANCH, commit=tree.head, pushed=False)
    assert (hub.at(BRANCH), hub.asked) == (None, [])


async def test_an_attempt_that_was_given_up_pushes_nothing(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "a").write_text("a\n")

    async def refuse(report):
        raise Conflict("Another attempt holds the task.", code="job_fenced")

    with pytest.raises(Conflict, match="Another attempt"):
        await workspaces.deliver(tree, order, "Late", refuse)
    assert hub.at(BRANCH) is None
    assert (await workspaces.deliver(tree, order, "Later", hub.may_push)).pushed


async def test_a_branch_that_moved_is_not_pushed_over(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "a").write_text("a\n")
    await workspaces.deliver(tree, order, "One", hub.may_push)
    theirs = hub.push({"b": "b\n"}, BRANCH)
    (tree.path / "c").write_text("c\n")
    with pytest.raises(Problem) as failed:
        await workspaces.deliver(tree, order, "Two", hub.may_push)
    assert (failed.value.code, failed.value.details["reason"]) == ("git_push_failed", "moved")
    assert hub.at(BRANCH) == theirs
    # What was done is kept, and the next attempt goes on from both.
    assert in_tree(tree.path, "log", "-1", "--format=%s") == "Two"


async def test_what_an_earlier_attempt_pushed_may_be_rewritten_and_nothing_else(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "a").write_text("a\n")
    first = (await workspaces.deliver(tree, order, "One", hub.may_push)).commit
    in_tree(tree.path, "commit", "--quiet", "--amend", "--message", "Better")
    rewritten = await Workspaces(workspaces.root).deliver(tree, order, "Two", hub.may_push)
    assert rewritten.commit == hub.at(BRANCH) != first
    assert "was rewritten" in hub.notes[-1]
    # Somebody else's commit, even one that stands where ours did before.
    theirs = hub.push({"b": "b\n"}, BRANCH)
    in_tree(tree.path, "commit", "--quiet", "--amend", "--message", "Again")
    with pytest.raises(Problem, match="nothing was pushed over them"):
        await workspaces.deliver(tree, order, "Three", hub.may_push)
    assert hub.at(BRANCH) == theirs


async def test_a_branch_of_somebody_else_is_never_rewritten(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    git(hub.origin, "branch", BRANCH, "main")
    theirs = hub.push({"b": "b\n"}, BRANCH)
    (tree.path / "a").write_text("a\n")
    with pytest.raises(Problem) as failed:
        await workspaces.deliver(tree, order, "Mine", hub.may_push)
    assert (failed.value.code, hub.at(BRANCH), hub.asked) == ("git_push_failed", theirs, [])


async def test_conflicts_and_unfinished_rebases_are_not_delivered(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "app.py").write_text("print('mine')\n")
    in_tree(tree.path, "commit", "--quiet", "--all", "--message", "Mine")
    hub.push({"app.py": "print('theirs')\n"})
    await Workspaces(workspaces.root).prepare(order, hub.notes.append)
    for how in ("merge", "rebase"):
        with pytest.raises(AssertionError):
            in_tree(tree.path, how, "origin/main")
        with pytest.raises(Problem) as failed:
            await workspaces.deliver(tree, order, "Mine", hub.may_push)
        assert failed.value.code == "workspace_error"
        assert ("app.py" if how == "merge" else "rebase") in failed.value.message
        in_tree(tree.path, how, "--abort")
    assert hub.at(BRANCH) is None
    # A merge whose conflicts are resolved becomes one, with both parents.
    with pytest.raises(AssertionError):
        in_tree(tree.path, "merge", "origin/main")
    (tree.path / "app.py").write_text("print('both')\n")
    in_tree(tree.path, "add", "app.py")
    await workspaces.deliver(tree, order, "Both", hub.may_push)
    assert hub.at("main") in hub.show(BRANCH, "%P").split()
    assert "MERGE" not in in_tree(tree.path, "status")


@pytest.mark.parametrize("token", ["wr0ng-t0ken-of-ours", None])
async def test_a_wrong_token_is_told_and_shown_nowhere(hub, workspaces, token):
    seen: list[str] = []
    given = Repository(url=f"{hub.url}/shop.git", default_branch="main", token=token)
    with pytest.raises(Problem) as failed:
        await workspaces.prepare(hub.order(repository=given), seen.append)
    assert (failed.value.code, failed.value.details["reason"]) == ("workspace_error", "refused")
    assert "git token" in failed.value.hint
    assert str(token) not in f"{failed.value} {failed.value.hint} {seen}"
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "a").write_text("a\n")
    with pytest.raises(Problem) as failed:
        await workspaces.deliver(tree, msgspec.structs.replace(order, repository=given), "One", hub.may_push)
    assert (failed.value.code, failed.value.details["reason"]) == ("git_push_failed", "refused")
    assert hub.at(BRANCH) is None


async def test_the_token_is_in_no_file_and_in_no_argument(hub, workspaces, monkeypatch):
    started: list[str] = []
    real = subprocess.Popen.__init__

    def watch(self, args, *rest, **options):
        started.extend(map(str, args))
        real(self, args, *rest, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", watch)
    # In the address, as people paste it.
    address = hub.url.replace("//", f"//x-access-token:{TOKEN}@") + "/shop.git"
    order = hub.order(repository=Repository(url=address, default_branch="main"))
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "a").write_text("a\n")
    assert (await workspaces.deliver(tree, order, "One", hub.may_push)).pushed
    assert any(word == "push" for word in started)
    assert not [word for word in started if TOKEN in word]
    assert TOKEN not in str(hub.notes)
    assert holding(workspaces.root, TOKEN) == []


def holding(root: Path, word: str) -> list[Path]:
    """The files below `root` that hold a word."""
    return [path for path in root.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


async def test_what_is_too_large_for_a_branch_is_left_out_and_told(hub):
    small = Workspaces(hub.home / "workspaces", largest_file=1_000_000)
    order = hub.order()
    tree = await small.prepare(order, hub.notes.append)
    (tree.path / "out").mkdir()
    (tree.path / "out" / "*[x].bin").write_bytes(b"x" * 1_000_001)
    (tree.path / "out" / "fits.bin").write_bytes(b"x" * 1_000_000)
    await small.deliver(tree, order, "Build", hub.may_push)
    assert git(hub.origin, "ls-tree", "--name-only", BRANCH, "out/") == "out/fits.bin"
    assert hub.notes[-1] == "Left out, because a file of a branch has at most 1 MB: out/*[x].bin."


async def test_a_server_that_refuses_the_branch_is_quoted(hub, workspaces):
    hook = hub.origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'fatal: names of branches begin with a ticket' >&2\nexit 1\n")
    hook.chmod(0o755)
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "a").write_text("a\n")
    with pytest.raises(Problem, match="names of branches begin with a ticket") as failed:
        await workspaces.deliver(tree, order, "One", hub.may_push)
    assert (failed.value.code, failed.value.details["reason"]) == ("git_push_failed", "rejected")


async def test_a_forge_that_fails_loses_nothing(hub, workspaces):
    with serving(Gitea("team/shop", TOKEN)) as forge:
        (hub.home / "served" / "team").mkdir()
        (hub.home / "served" / "team" / "shop.git").symlink_to(hub.origin)
        given = Repository(
            url=f"{hub.url}/team/shop.git", default_branch="main", token=TOKEN, forge="gitea", forge_url=forge.url
        )
        order = hub.order(repository=given, merge_request=True)
        tree = await workspaces.prepare(order, hub.notes.append)
        (tree.path / "a").write_text("a\n")
        forge.failing = 500
        done = await workspaces.deliver(tree, order, "One", hub.may_push)
        assert (done.pushed, done.merge_request_url, hub.at(BRANCH)) == (True, None, done.commit)
        assert "is pushed, without a merge request: Gitea answered 500" in hub.notes[-1]
        forge.failing = None
        again = await workspaces.deliver(tree, order, "One", hub.may_push)
        assert again.merge_request_url == forge.pulls[0]["html_url"]
        assert (len(hub.asked), forge.refused) == (1, [])


async def test_names_that_git_has_no_place_for_are_made_fit(hub, workspaces):
    order = hub.order(developer=Person(name="<Ev\nil> \x00", email=""))
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "a").write_text("a\n")
    await workspaces.deliver(tree, order, "", hub.may_push)
    assert hub.show(BRANCH, "%an|%ae|%s") == "Evil|nobody@invalid|Work of an agent"


def test_what_is_remembered_of_a_push_has_no_secret():
    assert Pushed.__struct_fields__ == ("url", "branch", "commit")
