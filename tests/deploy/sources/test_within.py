"""What lies outside of the allowed directories is not read, whatever a path, a link or a repository says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from quarterdeck.deploy.sources import local
from quarterdeck.deploy.sources.fetch import fetch
from quarterdeck.deploy.sources.folders import Folders
from quarterdeck.deploy.sources.spec import SourceSpec
from quarterdeck.kernel.errors import Problem

TREASURE = "what nobody may read"


@pytest.fixture
def roots(tmp_path) -> Path:
    """An allowed directory with an application, and a secret beside it."""
    for name in ("allowed/shop/index.html", "allowed/shop/pages/one.html", "allowed-not/index.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "secret/pages").mkdir(parents=True)
    (tmp_path / "secret/pages/one.html").write_text(TREASURE)
    (tmp_path / "secret/index.html").write_text(TREASURE)
    return tmp_path / "allowed"


def repository(place: Path) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "-q", "--allow-empty", "-m", "First"],
    ):
        run("git", "-C", str(place), *command)
    return place


def run(*command: str) -> None:
    subprocess.run(command, check=True)


async def got(kind: str, place, tmp_path: Path, roots: Path, **more):
    return await fetch(SourceSpec(kind, str(place), **more), tmp_path / "d", within=[str(roots)])


async def code(awaitable) -> str:
    with pytest.raises(Problem) as caught:
        await awaitable
    assert caught.value.hint
    assert TREASURE not in str(caught.value.message)
    return caught.value.code


async def test_a_folder_below_a_root_is_fetched_and_so_is_the_root_itself(tmp_path, roots):
    (roots / "inner").symlink_to("shop")
    assert (await got("local-folder", roots / "shop", tmp_path, roots)).files == 2
    for place in (roots, roots / "inner"):
        assert await fetch(SourceSpec("local-folder", str(place)), tmp_path / "to" / place.name, within=[str(roots)])


@pytest.mark.parametrize("kind", ["local-folder", "local-git", "remote-git"])
async def test_what_lies_outside_is_refused_alike_whether_it_exists_or_not(tmp_path, roots, kind):
    prefix = "file://" if kind == "remote-git" else ""
    repository(tmp_path / "secret")
    (roots / "way").symlink_to(tmp_path / "secret")
    (roots / "chain").symlink_to("way")
    for place in (
        tmp_path / "secret", tmp_path / "nothing", tmp_path / "allowed-not", roots / "way", roots / "chain",
        roots / "way/pages", Path("/"), tmp_path,
    ):  # fmt: skip
        assert await code(got(kind, f"{prefix}{place}", tmp_path, roots)) == "source_folder_refused"
    assert not (tmp_path / "d").exists()


async def test_a_way_out_by_dots_or_percent_signs_is_refused(tmp_path, roots):
    repository(tmp_path / "secret")
    assert await code(got("local-folder", f"{roots}/../secret", tmp_path, roots)) == "source_locator_invalid"
    for way in (f"file://{roots}/../secret", f"file://{roots}/%2e%2e/secret"):
        assert await code(got("remote-git", way, tmp_path, roots)) == "source_folder_refused"


async def test_a_folder_swapped_for_a_link_after_the_question_is_not_followed(tmp_path, roots, monkeypatch):
    """Between looking where the path leads and opening it."""
    from quarterdeck.deploy.sources import reading

    asked = reading.lies_within

    def swapping(path, within):
        answer = asked(path, within)
        (roots / "shop").rename(roots / "gone")
        (roots / "shop").symlink_to(tmp_path / "secret")
        return answer

    monkeypatch.setattr(reading, "lies_within", swapping)
    assert await code(got("local-folder", roots / "shop", tmp_path, roots)) == "source_changed"
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("entry", ["index.html", "pages"])
async def test_an_entry_swapped_for_a_link_while_the_folder_is_copied_is_not_followed(
    tmp_path, roots, monkeypatch, entry
):
    """Between listing a folder and opening what was listed."""
    opener = "open_folder" if entry == "pages" else "open_file"
    opened = getattr(local, opener)

    def swapping(name, parent):
        if name == entry:
            (roots / "shop" / entry).rename(roots / "gone")
            (roots / "shop" / entry).symlink_to(tmp_path / "secret" / entry)
        return opened(name, parent)

    monkeypatch.setattr(local, opener, swapping)
    assert await code(got("local-folder", roots / "shop", tmp_path, roots)) == "source_changed"
    assert not (tmp_path / "d").exists()


async def test_a_file_swapped_for_a_pipe_does_not_hold_the_copy_up(tmp_path, roots, monkeypatch):
    opened = local.open_file

    def swapping(name, parent):
        if name == "index.html":
            (roots / "shop/index.html").unlink()
            os.mkfifo(roots / "shop/index.html")
        return opened(name, parent)

    monkeypatch.setattr(local, "open_file", swapping)
    assert await code(got("local-folder", roots / "shop", tmp_path, roots)) == "source_changed"


async def test_a_link_bent_after_it_was_looked_at_does_not_lead_out_of_the_copy(tmp_path, roots, monkeypatch):
    (roots / "shop/page").symlink_to("index.html")
    monkeypatch.setattr(local, "leaves", lambda *_: False)  # as if it still led inside at that moment
    (roots / "shop/page").unlink()
    (roots / "shop/page").symlink_to("../../secret/index.html")
    assert await code(got("local-folder", roots / "shop", tmp_path, roots)) == "source_link_leaves_tree"


async def test_a_repository_below_a_root_is_fetched(tmp_path, roots):
    repository(roots / "shop")
    fetched = await got("local-git", roots / "shop", tmp_path, roots)
    assert (fetched.tree / "pages/one.html").read_text() == "allowed/shop/pages/one.html"
    run("git", "clone", "-q", "--bare", str(roots / "shop"), str(roots / "bare.git"))
    bare = await fetch(SourceSpec("remote-git", f"file://{roots}/bare.git"), tmp_path / "e", within=[str(roots)])
    assert bare.commit == fetched.commit


async def test_a_repository_that_borrows_from_outside_is_refused(tmp_path, roots):
    secret = repository(tmp_path / "secret")
    (roots / "linked").mkdir()
    (roots / "linked/.git").write_text(f"gitdir: {secret}/.git\n")
    borrowing = repository(roots / "borrowing")
    (borrowing / ".git/objects/info/alternates").write_text(f"{secret}/.git/objects\n")
    sharing = repository(roots / "sharing")
    (sharing / ".git/commondir").write_text(f"{secret}/.git\n")
    swapped = repository(roots / "swapped")
    (swapped / ".git").rename(roots / "kept")
    (swapped / ".git").symlink_to(secret / ".git")
    for place in ("linked", "borrowing", "sharing", "swapped"):
        assert await code(got("local-git", roots / place, tmp_path, roots)) == "source_folder_refused", place
    inside = repository(roots / "inside")
    (inside / ".git/refs/heads/other").symlink_to(secret / ".git/refs/heads/main")
    assert await code(got("local-git", inside, tmp_path, roots)) == "source_link_leaves_tree"


async def test_a_submodule_of_a_bounded_repository_may_not_lie_on_this_machine(tmp_path, roots):
    secret = repository(tmp_path / "secret")
    shop = repository(roots / "shop")
    run("git", "-C", str(shop), "-c", "protocol.file.allow=always", "submodule", "add", "-q", f"file://{secret}", "m")
    repository(shop)
    assert await code(got("local-git", shop, tmp_path, roots)) == "source_submodule_refused"


def test_what_is_no_folder_has_no_bounds(roots):
    folders = Folders((str(roots),))
    for kind, locator in (
        ("docker-image", "/odd/image"), ("remote-git", "https://host/a.git"), ("git-deploy-key", "git@host:a.git"),
        ("dockerfile-inline", "/not a path"),
    ):  # fmt: skip
        assert folders.within({"kind": kind, "locator": locator}) == []
    assert Folders().within({"kind": "local-folder", "locator": "/srv"}) == ["/"]
    with pytest.raises(Problem):
        Folders(()).within({"kind": "local-folder", "locator": "/srv"})
