"""Trees that an application has written: removed and measured whatever it made of them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Invalid

BEYOND_ANY_PATH = 3_000


def nested(top: Path, levels: int) -> Path:
    """Directories in each other, made as a process makes them that changes into each."""
    here = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)
    return top


def test_what_is_deeper_than_any_path_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "release"
    place.mkdir()
    (place / "file").write_text("x")
    nested(place, BEYOND_ANY_PATH)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert trees.remove(place)
    assert not place.exists()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.root
def test_whoever_is_not_root_removes_what_was_made_read_only_too(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        place = Path(made) / "release"
        (place / "closed" / "inside").mkdir(parents=True)
        (place / "closed" / "file").write_text("x")
        Path(made).chmod(0o777)
        for one, mode in ((place / "closed" / "inside", 0), (place / "closed", 0o555), (place, 0o500)):
            os.chown(one, 65_534, 65_534)
            one.chmod(mode)
        child = os.fork()
        if not child:
            os.setuid(65_534)
            os._exit(0 if trees.remove(place) else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert not place.exists()


def test_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    victim, place = tmp_path / "victim", tmp_path / "release"
    for made in (victim, place):
        made.mkdir()
    (victim / "kept").write_text("x")
    (place / "link").symlink_to(victim)
    (place / "file-link").symlink_to(victim / "kept")
    assert trees.remove(place)
    (tmp_path / "whole").symlink_to(victim)
    assert trees.remove(tmp_path / "whole")
    assert (victim / "kept").exists()
    assert not (tmp_path / "whole").is_symlink()


def test_a_directory_that_becomes_a_link_meanwhile_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, place = tmp_path / "victim", tmp_path / "release"
    for made in (victim, place / "part"):
        made.mkdir(parents=True)
        (made / "kept").write_text("x")
    real = os.open

    def swapped(name, flags, **more):
        if name == "part":
            (place / "part").rename(place / "aside")
            (place / "part").symlink_to(victim)
        return real(name, flags, **more)

    monkeypatch.setattr(os, "open", swapped)
    assert not trees.remove(place)
    assert (victim / "kept").exists()


def test_nothing_to_remove_is_removed(tmp_path: Path) -> None:
    assert trees.remove(tmp_path / "nothing")


def test_the_size_is_that_of_the_files_and_a_bottomless_tree_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "work"
    (place / "part").mkdir(parents=True)
    (place / "part" / "file").write_bytes(b"x" * 100_000)
    (place / "link").symlink_to(tmp_path)
    assert 100_000 <= trees.size(place) < 200_000
    assert trees.size(tmp_path / "nothing") == 0
    with pytest.raises(Invalid) as refused:
        trees.size(nested(place, trees.DEEPEST + 1))
    assert refused.value.code == "source_tree_too_deep"
    trees.remove(place)
