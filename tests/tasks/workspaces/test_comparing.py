"""What a task changes, as its worker tells it: of the worktree as it stands, and of what was delivered."""

from __future__ import annotations

from quarterdeck.tasks.workspaces import comparing
from real.git_server import git
from support.hub import in_tree


async def test_the_worktree_is_compared_as_it_stands_and_stays_as_it_is(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "page.html").write_text("<h1>\n")
    (tree.path / "docs/guide.md").write_text("one\n2\nthree\n")
    (tree.path / ".gitignore").write_text("ignored\n")
    (tree.path / "ignored").write_text("secret\n")
    (tree.path / "logo.png").write_bytes(b"\x89PNG\0\1\2")
    in_tree(tree.path, "add", "page.html")
    before = in_tree(tree.path, "status", "--porcelain")
    told = await workspaces.compare(tree, order)
    assert (told.commit, told.files_changed, told.insertions, told.deletions, told.cut) == (None, 4, 3, 1, False)
    assert told.base == git(hub.origin, "rev-parse", "main")
    assert "+++ b/page.html\n@@ -0,0 +1 @@\n+<h1>\n" in told.patch
    assert "-two\n+2\n" in told.patch
    assert "Binary files /dev/null and b/logo.png differ\n" in told.patch
    assert "secret" not in told.patch
    assert in_tree(tree.path, "status", "--porcelain") == before
    assert not list(tree.path.parent.parent.glob("stages/task-*"))


async def test_what_was_delivered_is_compared_with_where_it_left_the_base(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "app.py").unlink()
    done = await workspaces.deliver(tree, order, "Less", hub.may_push)
    (tree.path / "later").write_text("not delivered\n")
    told = await workspaces.compare(tree, order, done.commit)
    assert (told.commit, told.files_changed, told.insertions, told.deletions) == (done.commit, 1, 0, 1)
    assert "deleted file mode 100644" in told.patch
    assert "later" not in told.patch


async def test_a_large_one_is_cut_at_a_line_and_its_figures_count_everything(hub, workspaces):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    (tree.path / "much").write_text("x" * 99 + "\n" + "".join(f"{'y' * 90}{number:09}\n" for number in range(9000)))
    told = await workspaces.compare(tree, order)
    assert (told.insertions, told.cut) == (9001, True)
    assert comparing.MOST - 200 < len(told.patch.encode()) <= comparing.MOST
    assert told.patch.endswith("\n")


async def test_a_repository_starts_no_program_and_strange_bytes_become_text(hub, workspaces, tmp_path):
    order = hub.order()
    tree = await workspaces.prepare(order, hub.notes.append)
    for name in ("diff.external", "diff.strange.textconv"):
        in_tree(tree.path, "config", name, f"touch {tmp_path}/ran")
    (tree.path / ".gitattributes").write_text("* diff=strange\n")
    (tree.path / "app.py").write_bytes(b"caf\xe9\n")
    told = await workspaces.compare(tree, order)
    assert "+caf\N{REPLACEMENT CHARACTER}\n" in told.patch
    assert not (tmp_path / "ran").exists()
