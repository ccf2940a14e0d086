"""A tree is given away and taken back while its user acts in between: nothing outside of it ever changes hands."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.fleet.processes.ownership import grant, publish
from quarterdeck.fleet.processes.releases import Releases
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.trees import DEEPEST

pytestmark = pytest.mark.root
USER = 700_123
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
Between = Callable[[int, Callable[[], None]], None]


@pytest.fixture
def place(root: Path) -> Path:
    return root.parent


@pytest.fixture
def victim(place: Path) -> Path:
    """What is root's own: a directory that everybody may pass, with files that nobody may read."""
    made = tree(place / "victim", "one", "two")
    made.chmod(0o755)
    for file in made.iterdir():
        file.chmod(0o600)
    return made


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """Act right after the so-manieth change of an owner."""

    def install(number: int, act: Callable[[], None]) -> None:
        real, calls = os.chown, 0

        def called(*arguments: Any, **more: Any) -> None:
            nonlocal calls
            real(*arguments, **more)
            calls += 1
            if calls == number:
                act()

        monkeypatch.setattr(os, "chown", called)

    return install


def tree(top: Path, *names: str) -> Path:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    return top


def as_user(code: str) -> str:
    """What Python code prints that another process runs as the application's user."""
    done = subprocess.run(
        [PYTHON, "-I", "-c", f"import os\n{code}"],
        user=USER,
        group=USER,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def swapped(directory: Path, target: Path) -> None:
    directory.rename(directory.with_name("aside"))
    directory.symlink_to(target)


def facts(directory: Path) -> list[tuple[str, int, int]]:
    """Owner and mode of a directory and everything in it."""
    every = [directory, *sorted(directory.rglob("*"))]
    return [(str(path), path.lstat().st_uid, stat.S_IMODE(path.lstat().st_mode)) for path in every]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_link_put_in_the_place_of_a_directory_gives_nothing_away(
    place: Path, victim: Path, between: Between, number: int
) -> None:
    given = tree(place / "tree", "part/one", "part/two")
    before = facts(victim)
    between(number, lambda: swapped(given / "part", victim))
    grant(given, USER)
    assert facts(victim) == before


def test_all_of_a_tree_is_given_and_links_are_not_followed(place: Path, victim: Path) -> None:
    given = tree(place / "tree", "a/b/c", "d")
    (given / "link").symlink_to(victim)
    (given / "a" / "file-link").symlink_to(victim / "one")
    before = facts(victim)
    grant(given, USER)
    assert {uid for _, uid, _ in facts(given)} == {USER}
    assert facts(victim) == before


def test_nobody_comes_into_a_release_before_all_of_it_is_granted(place: Path, between: Between) -> None:
    source, release = tree(place / "source", "part/one", "part/two"), place / "releases" / "dep_1"
    told: list[str] = []
    between(1, lambda: told.append(as_user(f"print(os.listdir({str(release / 'tree' / 'part')!r}))")))
    for _ in range(2):  # also in the place of one that was left there in part
        Releases(place).lay_out("dep_1", source, (), USER)
    assert "Permission denied" in told[0]
    assert as_user(f"print(sorted(os.listdir({str(release / 'tree' / 'part')!r})))") == "['one', 'two']"
    assert stat.S_IMODE((release / "tree").stat().st_mode) == 0o700
    assert as_user(f"os.rename({str(release / 'tree')!r}, {str(release / 'other')!r})").startswith("PermissionError")


def test_what_is_published_belongs_to_its_user_no_more(
    place: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tree(place / "tree", "app/dist/index.html", "app/dist/part/one", "app/other")
    (top / "app" / "dist" / "link").symlink_to(victim / "one")
    (top / "app" / "dist" / "tool").write_text("x")
    grant(top, USER)
    (top / "app" / "dist" / "tool").chmod(0o6777)
    (top / "app" / "dist" / "part").chmod(0o700)
    dist, part = top / "app" / "dist", top / "app" / "dist" / "part"
    # While the first directory below is taken, the user of the tree tries to lead what follows elsewhere.
    tried: list[str] = []
    swap = f"os.rename({str(part)!r}, {str(part) + '2'!r}); os.symlink({str(victim)!r}, {str(part)!r}); print('done')"
    real = os.listdir

    def listed(what: object) -> object:
        names = real(what)
        tried.append(as_user(swap))
        return names

    before = facts(victim)
    monkeypatch.setattr(os, "listdir", listed)
    publish(top, dist, USER)
    assert facts(victim) == before
    assert all(text.startswith("PermissionError") for text in tried), tried
    assert len(tried) == 2
    assert (part.stat().st_uid, stat.S_IMODE(part.stat().st_mode)) == (0, 0o755)
    assert stat.S_IMODE((dist / "tool").stat().st_mode) == 0o755
    assert as_user(f"os.rename({str(dist)!r}, {str(dist) + '2'!r})").startswith("PermissionError")
    assert (top / "app" / "other").stat().st_uid == USER


def test_a_directory_that_became_a_link_is_not_published(place: Path, victim: Path) -> None:
    top = tree(place / "tree", "app/dist/index.html")
    dist = (top / "app" / "dist").resolve()
    grant(top, USER)
    swapped(dist, victim)
    before = facts(victim)
    with pytest.raises(Conflict) as refused:
        publish(top, dist, USER)
    assert refused.value.code == "static_publish_directory_changed"
    swapped(top / "app", victim)
    with pytest.raises(Conflict):
        publish(top, dist, USER)
    assert facts(victim) == before


def test_a_file_of_somebody_else_that_was_linked_into_the_tree_stays_as_it_is(place: Path, victim: Path) -> None:
    top = tree(place / "tree", "dist/index.html")
    grant(top, USER)
    os.link(victim / "one", top / "dist" / "stolen")  # as on a host without fs.protected_hardlinks
    before = facts(victim)
    publish(top, top / "dist", USER)
    assert facts(victim) == before


def test_pipes_are_not_waited_for(place: Path) -> None:
    top = tree(place / "tree", "dist/index.html")
    os.mkfifo(top / "dist" / "pipe")
    grant(top, USER)
    publish(top, top / "dist", USER)
    assert (top / "dist" / "index.html").stat().st_uid == 0


def test_a_tree_deeper_than_any_is_refused_in_words(place: Path) -> None:
    top = tree(place / "tree", "/".join(["d"] * (DEEPEST + 1)) + "/file")
    with pytest.raises(Invalid) as refused:
        grant(top, USER)
    assert refused.value.code == "source_tree_too_deep"
