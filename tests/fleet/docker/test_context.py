from __future__ import annotations

import io
import os
import socket
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from quarterdeck.fleet.docker.build.context import Context, pack, survey
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def packed(context: Context) -> tarfile.TarFile:
    content = b"".join(pack(context.directory, survey(context)))
    assert len(content) % tarfile.BLOCKSIZE == 0
    return tarfile.open(fileobj=io.BytesIO(content))


def names(context: Context) -> list[str]:
    return packed(context).getnames()


def test_files_directories_and_links_arrive_as_they_are(source: Path) -> None:
    (source / "bin").mkdir()
    (source / "bin/run").write_text("#!/bin/sh\n")
    (source / "bin/run").chmod(0o755)
    (source / "out").symlink_to("/etc/passwd")
    long = "d" * 90 + "/" + "e" * 90
    (source / long).parent.mkdir()
    (source / long).write_bytes(b"x" * 1000)
    tar = packed(Context(source))
    assert tar.getmember("bin").isdir()
    assert (tar.getmember("bin/run").mode, tar.getmember("bin/run").uid) == (0o755, 0)
    assert (tar.getmember("out").issym(), tar.getmember("out").linkname) == (True, "/etc/passwd")
    content = tar.extractfile(long)
    assert content is not None
    assert content.read() == b"x" * 1000


def test_the_ignore_file_is_applied_before_anything_is_sent(source: Path) -> None:
    (source / ".dockerignore").write_text("**\n!src\nsrc/secret\n")
    (source / "src").mkdir()
    for name in ("src/a", "src/secret", "b"):
        (source / name).write_text("x")
    assert names(Context(source)) == [".dockerignore", "Dockerfile", "src", "src/a"]


def test_an_ignore_file_that_is_too_long_is_refused_without_being_read_whole(source: Path) -> None:
    with (source / ".dockerignore").open("wb") as file:
        file.truncate(64 << 20)
    tracemalloc.start()
    with pytest.raises(Invalid) as refused:
        survey(Context(source))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == "build_context_ignore_refused"
    assert peak < 4_000_000


def test_an_ignore_file_of_the_dockerfile_goes_before_the_common_one(source: Path) -> None:
    (source / ".dockerignore").write_text("a")
    (source / "Dockerfile.dockerignore").write_text("b")
    (source / "a").write_text("x")
    (source / "b").write_text("x")
    assert names(Context(source)) == [".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "a"]


def test_a_kept_file_below_an_excluded_directory_is_found(source: Path) -> None:
    (source / ".dockerignore").write_text("docs\n!docs/README.md\n")
    (source / "docs").mkdir()
    (source / "docs/README.md").write_text("x")
    (source / "docs/other").write_text("x")
    assert names(Context(source)) == [".dockerignore", "Dockerfile", "docs/README.md"]


def test_an_overlay_replaces_and_adds_without_touching_the_source(source: Path) -> None:
    context = Context(
        source, dockerfile=".qd/Dockerfile", overlay={".qd/Dockerfile": b"FROM x\n"}, extra_ignore=(".git",)
    )
    (source / ".git").mkdir()
    (source / ".git/config").write_text("token")
    assert names(context) == [".qd/Dockerfile", "Dockerfile"]
    assert not (source / ".qd").exists()


def test_a_context_too_large_is_refused_before_the_first_byte(source: Path) -> None:
    with (source / "big").open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(Invalid) as caught:
        survey(Context(source, max_bytes=9_000_000))
    assert caught.value.code == "build_context_too_large"
    with pytest.raises(Invalid):
        survey(Context(source, max_files=1))


def test_a_large_context_never_stands_in_memory(source: Path) -> None:
    with (source / "big").open("wb") as file:
        file.truncate(50_000_000)
    tracemalloc.start()
    total = sum(len(piece) for piece in pack(source, survey(Context(source))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 50_000_000
    assert peak < 5_000_000


def test_pipes_and_sockets_are_refused_unless_ignored(source: Path) -> None:
    os.mkfifo(source / "pipe")
    with pytest.raises(Invalid) as caught:
        survey(Context(source))
    assert caught.value.code == "build_context_unsupported_file"
    assert caught.value.message.startswith("pipe ")
    (source / ".dockerignore").write_text("pipe\n")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(source / "s"))
        with pytest.raises(Invalid):
            survey(Context(source))
    (source / "s").unlink()
    assert names(Context(source)) == [".dockerignore", "Dockerfile"]


def test_a_missing_dockerfile_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        survey(Context(tmp_path, dockerfile="deploy/Dockerfile"))
    assert caught.value.code == "dockerfile_missing"


def test_a_file_swapped_for_a_link_while_packing_is_not_followed(source: Path) -> None:
    (source / "a").write_text("mine")
    entries = survey(Context(source))
    (source / "a").unlink()
    (source / "a").symlink_to("/etc/passwd")
    with pytest.raises(Conflict) as caught:
        b"".join(pack(source, entries))
    assert caught.value.code == "build_context_changed"
