"""Nobody shares a user number with anybody else on the host, whichever directory it was given in."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterdeck.fleet.processes import accounts
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.spec import ProcessSpec, RestartPolicy
from quarterdeck.fleet.processes.supervisor.record import write_json
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.tasks.agents.configuration import Run
from quarterdeck.tasks.running.account import account_of, take_over

pytestmark = pytest.mark.root


@pytest.fixture(autouse=True)
def book(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A host without any number given, whose range is not that of processes which other tests have running here."""
    monkeypatch.setattr(accounts, "FIRST", 760_000)
    monkeypatch.setattr(accounts, "LAST", 769_999)
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "of-the-host" / "accounts.json"
        monkeypatch.setenv(accounts.VARIABLE, str(file))
        yield file


@pytest.fixture
def host(root: Path) -> Path:
    return root.parent


def known(directory: Path, **book: int) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / accounts.OWN).write_text(json.dumps(book))


def user_of(pid: int | None) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def project(workspaces: Path, uid: int) -> Path:
    """As workspaces lay one out."""
    place = workspaces / "web-1"
    (place / "tasks" / "task-1").mkdir(parents=True)
    (place / "tasks" / "task-1" / "secret.txt").write_text("x")
    (place / "mirror.git").mkdir()
    for one in (place, place / "tasks", place / "mirror.git"):
        os.chown(one, 0, uid)
    for one in (place / "tasks" / "task-1", place / "tasks" / "task-1" / "secret.txt"):
        os.chown(one, uid, uid)
    (place / "tasks" / "task-1" / "link").symlink_to("/etc/passwd")
    place.chmod(0o710)
    return place


def test_two_workers_and_a_deployed_process_of_a_host_have_users_of_their_own(host: Path, book: Path) -> None:
    one = account_of(Run(), host / "one", "acme", "WEB")
    two = account_of(Run(), host / "two", "acme", "WEB")
    deployed = accounts.assign(host / "runtime" / "processes", "app-one")
    assert len({one.uid, two.uid, deployed}) == 3
    assert account_of(Run(), host / "one", "acme", "WEB") == one
    (host / "way").symlink_to(host / "one")
    assert account_of(Run(), host / "way", "acme", "WEB").uid == one.uid
    assert (book.stat().st_mode & 0o777, book.parent.stat().st_mode & 0o777, book.stat().st_uid) == (0o600, 0o700, 0)


def _assign(directory: Path, names: list[str]) -> list[int | None]:
    return [accounts.assign(directory, name) for name in names]


def test_numbers_that_are_asked_for_at_once_differ(host: Path) -> None:
    with multiprocessing.get_context("fork").Pool(6) as pool:
        asked = [(host / f"d{one % 3}", [f"a{one // 3}-{number}" for number in range(20)]) for one in range(6)]
        given = [number for numbers in pool.starmap(_assign, asked) for number in numbers]
    assert len(set(given)) == len(given) == 120


def test_a_book_of_before_keeps_what_is_free_and_what_collides_is_given_to_another(host: Path) -> None:
    runtime, worker = host / "runtime" / "processes", host / "worker"
    known(runtime, **{"app-one": 760_000, "app-two": 760_001})
    known(worker, **{"agent:acme/WEB": 760_000, "agent:acme/API": 760_007})
    assert accounts.assign(runtime, "app-one") == 760_000
    web, home = project(worker / "workspaces", 760_000), worker / "homes" / "760000"
    home.mkdir(parents=True)
    (home / "login").write_text("x")
    for one in (home / "login", home):
        os.chown(one, 760_000, 760_000)
    take_over(worker, worker / "workspaces")
    account = account_of(Run(), worker, "acme", "WEB")
    assert account.uid not in {None, 760_000, 760_001, 760_007}
    assert account_of(Run(), worker, "acme", "API").uid == 760_007
    secret = web / "tasks" / "task-1" / "secret.txt"
    assert (secret.stat().st_uid, secret.stat().st_gid, web.stat().st_gid) == (account.uid, account.uid, account.uid)
    assert (web / "mirror.git").stat().st_gid == account.uid
    assert (web.stat().st_uid, (web / "tasks" / "task-1" / "link").lstat().st_uid) == (0, 0)
    assert (account.home / "login").stat().st_uid == account.home.stat().st_uid == account.uid
    assert Path("/etc/passwd").stat().st_uid == 0
    assert not home.exists()
    assert accounts.moved(worker) == {}
    assert accounts.assign(runtime, "app-one") == 760_000


def test_a_move_that_was_cut_off_is_gone_on_with(host: Path) -> None:
    known(host / "runtime", app=760_000)
    accounts.assign(host / "runtime", "app")
    known(host / "worker", **{"agent:acme/WEB": 760_000})
    web = project(host / "worker" / "workspaces", 760_000)
    accounts.take_over(host / "worker", lambda: ())  # and nothing is given to anybody
    take_over(host / "worker", host / "worker" / "workspaces")
    uid = accounts.assign(host / "worker", "agent:acme/WEB")
    assert web.stat().st_gid == (web / "tasks" / "task-1").stat().st_uid == uid != 760_000


def test_a_number_under_which_somebody_else_runs_is_theirs_though_no_book_says_so(host: Path) -> None:
    argv = ("setpriv", "--reuid=765555", "--regid=765555", "--clear-groups", "sleep", "60")
    with subprocess.Popen(argv) as running:
        while f"\t{765_555}\t" not in Path(f"/proc/{running.pid}/status").read_text():
            pass
        known(host / "worker", **{"agent:acme/WEB": 765_555})
        take_over(host / "worker", host / "worker" / "workspaces")
        assert accounts.assign(host / "worker", "agent:acme/WEB") != 765_555
        running.kill()


def test_a_host_that_lost_its_book_has_it_again_from_those_of_its_directories(host: Path, book: Path) -> None:
    places = [host / "one", host / "two"]
    before = [accounts.assign(place, name) for place in places for name in ("a", "b")]
    book.unlink()
    assert [accounts.assign(place, name) for place in places for name in ("a", "b")] == before


def test_numbers_of_a_directory_that_is_gone_are_given_again_once_there_is_no_other(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "LAST", accounts.FIRST + 3)
    given = [accounts.assign(host / name, "a") for name in ("one", "two")]
    (host / "one" / accounts.OWN).unlink()
    (host / "one").rmdir()
    more = [accounts.assign(host / "three", name) for name in ("a", "b", "c")]
    assert (len(set(given + more[:2])), more[2]) == (4, given[0])
    with pytest.raises(Unavailable):
        accounts.assign(host / "three", "d")


def test_a_restored_book_has_no_number_of_anybody_else(host: Path) -> None:
    known(host / "other", **{"agent:acme/WEB": 760_000})
    accounts.assign(host / "other", "agent:acme/WEB")
    target = host / "restored" / "runtime" / "processes"
    numbers = accounts.translated(target, {"app-one": 760_000, "app-two": 760_001})
    assert (760_000 in numbers.values(), numbers[760_001]) == (False, 760_001)
    known(target, **{"app-one": numbers[760_000], "app-two": 760_001})
    assert accounts.assign(target, "app-one") == numbers[760_000]


async def test_a_release_is_kept_by_whoever_runs_from_it_and_then_given(
    root: Path, processes: Processes, book: Path
) -> None:
    tree = root / "releases" / "r1" / "tree"
    tree.mkdir(parents=True)
    (tree / "file").write_text("x")
    for one in (root, root / "releases", root / "releases" / "r1"):
        one.chmod(0o711)

    def spec(instance: str) -> ProcessSpec:
        return ProcessSpec(
            instance=instance, argv=("sleep", "60"), directory=str(tree), environment={}, account="app",
            restart=RestartPolicy(mode="never"),
        )  # fmt: skip

    async def user(instance: str) -> int:
        return user_of((await processes.start(spec(instance))).pid)

    first = await user("dep_one-0")
    assert first == accounts.assign(root / "processes", "app")
    for one in (tree / "file", tree):
        os.chown(one, first, first)
    # Another directory of the host had the number before: the book of the host is told so.
    write_json(book, {"directories": {"/somewhere": {"x": first}}, "next": first + 1})
    now = accounts.assign(root / "processes", "app")
    assert now != first
    assert (await user("dep_one-1"), tree.stat().st_uid) == (first, first)
    for instance in ("dep_one-0", "dep_one-1"):
        await processes.stop(instance, 0)
    assert (await user("dep_one-2"), tree.stat().st_uid, (tree / "file").stat().st_uid) == (now, now, now)


def test_a_book_that_finds_no_room_stays_as_it_was(book: Path, host: Path) -> None:
    first = accounts.assign(host / "a", "agent:one")
    before, limits = book.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))  # half a write succeeds, as on a full disk
    try:
        with pytest.raises(Unavailable, match="cannot be kept"):
            accounts.assign(host / "b", "agent:two")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert book.read_bytes() == before
    assert {path.suffix for path in book.parent.iterdir()} == {".json", ".lock"}
    assert accounts.assign(host / "b", "agent:two") != first


def test_a_book_that_is_damaged_is_not_begun_anew(book: Path, host: Path) -> None:
    first = accounts.assign(host / "a", "agent:one")
    whole = book.read_bytes()
    book.write_bytes(whole[:-10])
    with pytest.raises(Unavailable) as refused:
        accounts.assign(host / "b", "agent:two")
    assert (refused.value.code, str(book) in refused.value.message) == ("host_file_damaged", True)
    book.unlink()  # as the hint says
    accounts.take_over(host / "a", lambda: ())
    assert accounts.assign(host / "b", "agent:two") != first == accounts.assign(host / "a", "agent:one")
