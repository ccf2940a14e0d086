from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from quarterdeck.deploy.sources import local
from quarterdeck.deploy.sources.fetch import fetch
from quarterdeck.deploy.sources.spec import FetchLimits, SourceSpec
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Problem


def folder(place) -> SourceSpec:
    return SourceSpec("local-folder", str(place))


def names(place: Path) -> list[str]:
    return sorted(entry.name for entry in place.iterdir())


@pytest.fixture
def project(tmp_path):
    place = tmp_path / "project"
    for name in ("app.py", "web/index.html", "node_modules/x/index.js", "env/pyvenv.cfg", ".git/HEAD", "dist/app.js"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(name)
    (place / "run.sh").write_text("#!/bin/sh\n")
    (place / "run.sh").chmod(0o755)
    (place / "same").symlink_to("web")
    (place / "whole").symlink_to(place / "web" / "index.html")
    return place


async def test_a_folder_is_copied_without_what_is_heavy(tmp_path, project):
    got = await fetch(folder(project), tmp_path / "d")
    assert names(got.tree) == ["app.py", "dist", "run.sh", "same", "web", "whole"]
    assert (got.tree / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (got.tree / "whole").readlink() == Path("web/index.html")
    assert got.revision.startswith("sha256:")
    assert (got.commit, got.files) == (None, 4)


async def test_the_revision_changes_with_the_content_and_only_with_it(tmp_path, project):
    first = await fetch(folder(project), tmp_path / "a")
    os.utime(project / "app.py", (1, 1))
    second = await fetch(folder(project), tmp_path / "b")
    (project / "app.py").write_text("changed")
    third = await fetch(folder(project), tmp_path / "c")
    assert first.revision == second.revision != third.revision


@pytest.mark.parametrize("aim", ["/etc/passwd", "../outside", "web/../../outside"])
async def test_a_link_out_of_the_folder_is_refused(tmp_path, project, aim):
    (project / "bad").symlink_to(aim)
    with pytest.raises(Problem) as caught:
        await fetch(folder(project), tmp_path / "d")
    assert caught.value.code == "source_link_leaves_tree"
    assert [name for name in names(tmp_path) if "fetching" in name or name == "d"] == []


async def test_a_folder_that_is_too_large_or_missing_is_refused(tmp_path, project):
    (project / "big").write_bytes(b"x" * 3_000_000)
    for source, limits, code in (
        (folder(project), FetchLimits(size=2_000_000), "source_too_large"),
        (folder(project), FetchLimits(files=3), "source_too_large"),
        (folder(tmp_path / "nope"), FetchLimits(), "source_unreachable"),
    ):
        with pytest.raises(Problem) as caught:
            await fetch(source, tmp_path / "d", limits)
        assert caught.value.code == code
        assert caught.value.hint


async def test_a_long_copy_says_how_far_it_is_and_which_folder_took_too_long(tmp_path, project, monkeypatch):
    monkeypatch.setattr(local, "TELL_SECONDS", 0.0)
    told: list[str] = []
    await fetch(folder(project), tmp_path / "d", FetchLimits(), told.append)
    assert any(f"of {project} until now" in line for line in told)
    with pytest.raises(Problem) as caught:
        await fetch(folder(project), tmp_path / "e", FetchLimits(seconds=0.0))
    assert (caught.value.code, f"Copying {project} took longer" in caught.value.message) == ("source_timeout", True)
    assert "folder of the application alone" in (caught.value.hint or "")


async def test_special_files_are_left_out_and_told(tmp_path, project):
    os.mkfifo(project / "pipe")
    got = await fetch(folder(project), tmp_path / "d")
    assert "pipe" in got.warnings[0]


async def test_an_inline_dockerfile_is_a_tree_of_one_file(tmp_path):
    source = SourceSpec("dockerfile-inline", "inline", content="FROM scratch\n")
    got = await fetch(source, tmp_path / "d")
    assert (got.tree / "Dockerfile").read_text() == "FROM scratch\n"
    assert names(got.tree) == ["Dockerfile"]


async def test_an_inline_compose_file_is_a_tree_of_one_file(tmp_path):
    text = "services: {a: {image: postgres, environment: {URL: 'postgres://u:${PW}@db/x'}}}\n"
    got = await fetch(SourceSpec("docker-compose-inline", "inline", content=text), tmp_path / "d")
    assert names(got.tree) == ["compose.yml"]
    assert (got.tree / "compose.yml").read_text() == text
    with pytest.raises(Problem, match="has a password in an address"):
        await fetch(SourceSpec("docker-compose-inline", "inline", content=text.replace("${PW}", "pw")), tmp_path / "e")


async def test_an_image_has_nothing_to_fetch(tmp_path):
    with pytest.raises(Problem) as caught:
        await fetch(SourceSpec("docker-image", "nginx:alpine"), tmp_path / "d")
    assert caught.value.code == "source_kind_unsupported"


@pytest.mark.root
async def test_a_full_disk_is_told_and_nothing_is_left(tmp_path, project):
    (project / "big").write_bytes(b"x" * 3_000_000)
    small = tmp_path / "small"
    small.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small))
    try:
        with pytest.raises(Problem) as caught:
            await fetch(folder(project), small / "d")
        assert caught.value.details["reason"] == "disk-full"
        assert names(small) == []
    finally:
        run("umount", str(small))


def run(*arguments: str) -> None:
    subprocess.run(arguments, check=True)


async def test_what_cannot_be_copied_is_told_on_the_loop_and_left_out(tmp_path, project):
    os.mkfifo(project / "pipe")
    loops = []
    got = await fetch(folder(project), tmp_path / "d", log=lambda _: loops.append(asyncio.get_running_loop()))
    await asyncio.sleep(0)
    assert "pipe" not in names(got.tree)
    assert got.warnings == ("pipe is neither file, folder nor link and was left out.",)
    assert loops == [asyncio.get_running_loop()]


async def test_a_bottomless_folder_is_refused_in_words_and_leaves_nothing(tmp_path):
    place = tmp_path / "bottomless"
    place.mkdir()
    here = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(1_500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        with pytest.raises(Problem) as refused:
            await fetch(folder(place), tmp_path / "kept" / "d")
        assert refused.value.code == "source_tree_too_deep"
        assert names(tmp_path / "kept") == []
    finally:
        trees.remove(place)
