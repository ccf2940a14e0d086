from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

import quarterdeck
from quarterdeck.deploy.sources.fetch import fetch
from quarterdeck.deploy.sources.spec import FetchLimits, SourceSpec
from quarterdeck.fleet.git.commands import GitToken
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import Secret
from real.git_server import commit, git, repository, running


def remote(url: str, **changes) -> SourceSpec:
    return SourceSpec("remote-git", f"{url}/app.git", **changes)


async def refused(*arguments, **keywords) -> Problem:
    with pytest.raises(Problem) as caught:
        await fetch(*arguments, **keywords)
    return caught.value


def left_over(place: Path) -> list[str]:
    return [entry.name for entry in place.iterdir()] if place.exists() else []


@pytest.mark.parametrize("version2", [True, False])
async def test_the_default_branch_a_branch_a_tag_and_a_commit(tmp_path, example, version2):
    with running(example.home, version2=version2) as server:
        cases = {
            None: (example.third, "refs/heads/main"),
            "feature/x": (example.second, "refs/heads/feature/x"),
            "v1": (example.first, "refs/tags/v1"),
            "refs/heads/main": (example.third, "refs/heads/main"),
            example.second: (example.second, None),
            example.first[:10]: (example.first, None),
        }
        for number, (ref, (wanted, named)) in enumerate(cases.items()):
            got = await fetch(remote(server.url, git_ref=ref), tmp_path / f"d{number}")
            assert (got.commit, got.ref) == (wanted, named), ref
    assert (got.tree / "app.py").read_text() == "print('one')\n"
    assert got.message == "Begin"
    assert got.author == "Ada <ada@example.test>"
    assert got.files == 2
    assert left_over(tmp_path / "d0") == ["tree", "source.json"] or left_over(tmp_path / "d0") == [
        "source.json",
        "tree",
    ]


async def test_a_commit_is_fetched_alone_where_the_server_allows_it_else_with_its_history(tmp_path, example):
    for version2 in (True, False):
        said: list[str] = []
        with running(example.home, version2=version2) as server:
            source = remote(server.url, git_ref="main", commit_sha=example.between)
            got = await fetch(source, tmp_path / f"v{version2}", log=said.append)
        assert got.commit == example.between
        assert (got.tree / "app.py").read_text() == "print('between')\n"
        assert any("with its history" in line for line in said) is not version2


async def test_a_sub_directory_is_the_tree_and_a_missing_one_is_named(tmp_path, example):
    with running(example.home) as server:
        got = await fetch(remote(server.url, base_directory="./apps/web/"), tmp_path / "d")
        assert (got.tree / "index.html").read_text() == "<h1>one</h1>\n"
        problem = await refused(remote(server.url, base_directory="apps/api"), tmp_path / "e")
    assert problem.code == "source_base_directory_missing"
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize("ref", ["nope", "deadbeef", "0" * 40, "refs/heads/nope"])
async def test_a_wrong_ref_is_named(tmp_path, example, ref):
    for version2 in (True, False):
        with running(example.home, version2=version2) as server:
            problem = await refused(remote(server.url, git_ref=ref), tmp_path / "d")
        assert problem.code == "source_ref_not_found"
        assert ref in problem.message
    assert left_over(tmp_path / "d") == []


async def test_an_empty_repository_says_so(tmp_path):
    (tmp_path / "served" / "app.git").mkdir(parents=True)
    git(tmp_path / "served" / "app.git", "init", "--quiet", "--bare")
    with running(tmp_path / "served") as server:
        problem = await refused(remote(server.url), tmp_path / "d")
    assert problem.code == "source_ref_not_found"
    assert "no commits" in problem.message


async def test_a_token_opens_a_private_repository_and_is_never_shown(tmp_path, example):
    said: list[str] = []
    token = GitToken(Secret("s3cr3t-token"), "ada")
    with running(example.home, "ada", "s3cr3t-token") as server:
        got = await fetch(remote(server.url, credentials=token), tmp_path / "d", log=said.append)
        assert got.commit == example.third
        none = await refused(remote(server.url), tmp_path / "e", log=said.append)
        bad = GitToken(Secret("wr0ng-token"), "ada")
        wrong = await refused(remote(server.url, credentials=bad), tmp_path / "f", log=said.append)
    assert none.code == wrong.code == "source_auth_failed"
    assert "give a token" in none.hint
    assert "refused" in wrong.hint
    everything = "\n".join(said) + repr(got) + (tmp_path / "d" / "source.json").read_text() + wrong.message
    assert "token-" not in everything
    assert "s3cr3t" not in everything
    assert "wr0ng" not in everything


async def test_a_token_in_the_address_works_and_is_kept_out_of_the_record(tmp_path, example):
    with running(example.home, "ada", "s3cr3t-token") as server:
        url = server.url.replace("http://", "http://ada:s3cr3t-token@")
        await fetch(remote(url), tmp_path / "d")
    assert "s3cr3t" not in (tmp_path / "d" / "source.json").read_text()


async def test_a_redirect_never_carries_the_token_elsewhere(tmp_path, example):
    token = GitToken(Secret("s3cr3t-token"), "ada")
    with running(example.home) as thief, running(example.home, redirect=thief.url) as server:
        problem = await refused(remote(server.url, credentials=token), tmp_path / "d")
        assert problem.code == "source_unreachable"
        assert thief.requests == []
        assert (await fetch(remote(server.url), tmp_path / "e")).commit == example.third


async def test_a_repository_that_is_not_there_and_a_server_that_is_not_there(tmp_path, example):
    with running(example.home) as server:
        missing = await refused(SourceSpec("remote-git", f"{server.url}/other.git"), tmp_path / "d")
    gone = await refused(remote(server.url), tmp_path / "d")
    assert missing.code == gone.code == "source_unreachable"
    assert missing.details["reason"] == "repository-missing"
    assert gone.details["reason"] == "connection"


async def test_a_server_that_never_answers_ends_in_a_timeout_and_leaves_no_git(tmp_path, example):
    with running(example.home, hang="info/refs") as server:
        before = time.monotonic()
        problem = await refused(remote(server.url), tmp_path / "d", FetchLimits(answer_seconds=1))
        assert time.monotonic() - before < 5
        assert problem.code == "source_timeout"
        assert not git_processes(server.url)
    assert [e.name for e in tmp_path.iterdir() if "d" in e.name and e.name != "served"] == []


async def test_a_transfer_that_stalls_ends_in_a_timeout(tmp_path, example):
    with running(example.home, hang="git-upload-pack", version2=False) as server:
        # The first question also carries the word in its query; only the transfer has it as a path.
        server.hang = "/git-upload-pack"
        problem = await refused(remote(server.url), tmp_path / "d", FetchLimits(seconds=2))
    assert problem.code == "source_timeout"


async def test_a_repository_that_is_too_large_is_refused_while_it_comes(tmp_path, example):
    (example.path / "big.bin").write_bytes(os.urandom(12_000_000))
    commit(example.path, {}, message="Large")
    with running(example.home, bytes_per_second=3_000_000) as server:
        problem = await refused(remote(server.url), tmp_path / "d", FetchLimits(size=2_000_000))
        assert server.sent < 11_000_000
    assert problem.code == "source_too_large"
    assert not (tmp_path / "d").exists()


async def test_a_tree_that_would_unpack_too_large_is_refused_before_it_is_unpacked(tmp_path, example):
    commit(example.path, {"zeros.txt": "0" * 5_000_000}, message="A small pack with a large file")
    many = {f"n/{number}": "x" for number in range(200)}
    with running(example.home) as server:
        large = await refused(remote(server.url), tmp_path / "d", FetchLimits(size=2_000_000))
        commit(example.path, many, message="Many")
        crowded = await refused(remote(server.url), tmp_path / "e", FetchLimits(files=100))
    assert large.code == crowded.code == "source_too_large"
    assert "files" in crowded.message


async def test_what_is_complete_is_not_fetched_again(tmp_path, example):
    with running(example.home) as server:
        first = await fetch(remote(server.url), tmp_path / "d")
        asked = len(server.requests)
        commit(example.path, {"app.py": "print('four')\n"}, message="Moved on")
        again = await fetch(remote(server.url), tmp_path / "d")
        assert len(server.requests) == asked
        assert again == first
        other = await fetch(remote(server.url, git_ref="v1"), tmp_path / "d")
    assert other.commit == example.first


async def test_killed_in_the_middle_then_repeated(tmp_path, example):
    (example.path / "big.bin").write_bytes(os.urandom(3_000_000))
    newest = commit(example.path, {}, message="Large")
    script = """
import asyncio, sys
from pathlib import Path
from quarterdeck.deploy.sources.fetch import fetch
from quarterdeck.deploy.sources.spec import SourceSpec
asyncio.run(fetch(SourceSpec("remote-git", sys.argv[1]), Path(sys.argv[2])))
"""
    with running(example.home, bytes_per_second=500_000) as server:
        command = [sys.executable, "-c", script, f"{server.url}/app.git", str(tmp_path / "d")]
        source = str(Path(quarterdeck.__file__).parents[1])
        with start(command, env=os.environ | {"PYTHONPATH": source}) as worker:
            await until(lambda: any(tmp_path.glob(".d.fetching-*/store/git/objects/pack/*")))
            worker.send_signal(signal.SIGKILL)
        await until(lambda: not git_processes(server.url))
        assert not (tmp_path / "d").exists()
        server.bytes_per_second = 0
        got = await fetch(remote(server.url), tmp_path / "d")
    assert got.commit == newest
    assert not list(tmp_path.glob(".d.fetching-*"))


async def test_canceling_ends_git_and_removes_what_was_begun(tmp_path, example):
    with running(example.home, hang="info/refs") as server:
        work = asyncio.create_task(fetch(remote(server.url), tmp_path / "d"))
        await until(lambda: server.requests)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert not git_processes(server.url)
    assert not list(tmp_path.glob(".d*"))


async def test_file_addresses_and_local_repositories(tmp_path, example):
    by_url = await fetch(SourceSpec("remote-git", f"file://{example.path}", git_ref="v1"), tmp_path / "d")
    by_path = await fetch(SourceSpec("local-git", str(example.path), commit_sha=example.second), tmp_path / "e")
    assert by_url.commit == example.first
    assert by_path.commit == example.second


@pytest.mark.root
async def test_a_local_repository_of_another_user_can_be_read(tmp_path, example):
    for place, directories, files in os.walk(example.path):
        for name in (".", *directories, *files):
            os.chown(Path(place, name), 65534, 65534, follow_symlinks=False)
    got = await fetch(SourceSpec("local-git", str(example.path)), tmp_path / "d")
    assert got.commit == example.third


async def test_submodules_come_along_and_only_at_their_commit(tmp_path, example):
    library = example.home / "library.git"
    pinned = repository(library, {"lib.py": "VERSION = 1\n"})
    commit(library, {"lib.py": "VERSION = 2\n"}, message="Newer")
    with running(example.home, "ada", "s3cr3t-token") as server:
        (example.path / ".gitmodules").write_text(
            '[submodule "library"]\n\tpath = vendor/library\n\turl = ../library.git\n'
        )
        git(example.path, "update-index", "--add", "--cacheinfo", f"160000,{pinned},vendor/library")
        git(example.path, "add", ".gitmodules")
        git(example.path, "commit", "--quiet", "--message", "Use the library")
        token = GitToken(Secret("s3cr3t-token"), "ada")
        got = await fetch(remote(server.url, credentials=token), tmp_path / "d")
    assert (got.tree / "vendor/library/lib.py").read_text() == "VERSION = 1\n"
    assert got.files == 4


async def test_a_submodule_elsewhere_never_sees_the_token_and_files_of_the_machine_are_refused(tmp_path, example):
    other = tmp_path / "other"
    pinned = repository(other / "library.git", {"lib.py": "VERSION = 1\n"})
    token = GitToken(Secret("s3cr3t-token"), "ada")
    with running(example.home, "ada", "s3cr3t-token") as server, running(other) as stranger:
        for url, code in ((f"{stranger.url}/library.git", None), (f"file://{other}/library.git", "refused")):
            text = f'[submodule "library"]\n\tpath = library\n\turl = {url}\n'
            (example.path / ".gitmodules").write_text(text)
            git(example.path, "update-index", "--add", "--cacheinfo", f"160000,{pinned},library")
            git(example.path, "add", ".gitmodules")
            git(example.path, "commit", "--quiet", "--message", "Use the library")
            if code is None:
                await fetch(remote(server.url, credentials=token), tmp_path / "d")
                assert stranger.requests
                assert {authorization for _, _, authorization in stranger.requests} == {None}
            else:
                problem = await refused(remote(server.url, credentials=token), tmp_path / "e")
                assert problem.code == "source_submodule_refused"


async def test_a_link_out_of_the_repository_is_left_out_and_told(tmp_path, example):
    (example.path / "passwd").symlink_to("/etc/passwd")
    (example.path / "up").symlink_to("../../../../../etc/passwd")
    (example.path / "inside").symlink_to("apps/web")
    commit(example.path, {}, message="Links")
    got = await fetch(SourceSpec("local-git", str(example.path)), tmp_path / "d")
    assert not (got.tree / "passwd").is_symlink()
    assert not (got.tree / "up").is_symlink()
    assert (got.tree / "inside" / "index.html").exists()
    assert len(got.warnings) == 2


async def test_hooks_and_filters_of_the_repository_never_run(tmp_path, example):
    evidence = tmp_path / "ran"
    commit(example.path, {".gitattributes": "* filter=evil\n*.bin filter=lfs\n"}, message="Attributes")
    git(example.path, "config", "filter.evil.smudge", f"touch {evidence}")
    for hook in ("post-checkout", "post-merge", "reference-transaction"):
        path = example.path / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {evidence}\n")
        path.chmod(0o755)
    got = await fetch(SourceSpec("local-git", str(example.path)), tmp_path / "d")
    assert not evidence.exists()
    assert any("LFS" in warning for warning in got.warnings)


async def test_attributes_of_any_size_take_no_memory(tmp_path, example):
    """git packs 48 MB of one line into a few kilobytes, and only the beginning of them is of interest."""
    commit(example.path, {".gitattributes": "*.bin filter=lfs\n" + "# more\n" * 7_000_000}, message="Attributes")
    tracemalloc.start()
    got = await fetch(SourceSpec("local-git", str(example.path)), tmp_path / "d")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert any("LFS" in warning for warning in got.warnings)
    assert peak < 8_000_000


async def test_attributes_are_not_looked_for_behind_a_link(tmp_path, example):
    commit(example.path, {"elsewhere": "*.bin filter=lfs\n"}, message="Elsewhere")
    (example.path / ".gitattributes").symlink_to("elsewhere")
    commit(example.path, {}, message="Linked")
    got = await fetch(SourceSpec("local-git", str(example.path)), tmp_path / "d")
    assert got.warnings == ()


async def test_of_a_subject_without_an_end_the_beginning_is_kept(tmp_path, example):
    commit(example.path, {"a": "a"}, message="short " + "long " * 20_000)
    got = await fetch(SourceSpec("local-git", str(example.path)), tmp_path / "d")
    assert got.message is not None
    assert got.message.startswith("short long")
    assert len(got.message) <= 4096


async def test_a_machine_without_git_says_so(tmp_path, example):
    problem = await refused(
        SourceSpec("local-git", str(example.path)), tmp_path / "d", inherited={"PATH": str(tmp_path)}
    )
    assert problem.details["reason"] == "git-missing"


def start(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=env)


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not come true in time"
        await asyncio.sleep(0.05)


def git_processes(needle: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text.startswith("git ") and needle in text:
            found.append(text)
    return found
