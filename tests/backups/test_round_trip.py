"""Backup, wipe, restore: the same rows, the same identity, the same secrets."""

from __future__ import annotations

import os
import sqlite3
import tarfile
import threading
from contextlib import closing
from datetime import timedelta

import pytest

from backups.house import SECRET, House, Numbered, opens
from quarterdeck.backups.record import last
from quarterdeck.backups.restoring import check, restore
from quarterdeck.backups.taking import Told, take
from quarterdeck.fleet.processes import accounts
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.clock import SystemClock
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import Secret


def test_a_wiped_installation_comes_back_with_every_row_and_secret(house: House, tmp_path):
    before, begun = house.rows(), SystemClock().now()
    assert not house.data.restored_since(begun)
    file, manifest = take(house.data, house.address, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert check(file, house.wanted()) == manifest
    key = house.wipe()
    restore(file, house.directory, house.wanted(key=key))
    assert house.rows(restored=True) == before
    assert house.data.restored_since(begun)
    assert not house.data.restored_since(begun + timedelta(hours=1))
    assert list((house.directory / "runtime").iterdir()) == []
    with house.opened(restored=True) as instance:
        assert opens(instance, house) == SECRET
        assert instance.uid == manifest.header.instance
        assert instance.db.read_sync(audit.verify).ok


@pytest.mark.root
def test_files_of_an_application_belong_to_the_user_that_it_has_where_it_is_restored(
    house: House, tmp_path, monkeypatch
):
    runtime = house.directory / "runtime"
    book, served = runtime / "processes" / "accounts.json", runtime / "edge" / "routes"
    for place in (book.parent, served):
        place.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv(accounts.VARIABLE, str(tmp_path / "host" / "accounts.json"))
    before = [accounts.assign(book.parent, name) for name in ("app-one", "app-two")]
    for name, uid in (("one", before[0]), ("two", before[1]), ("whose", 709_999)):
        (served / name).write_text("x")
        (served / name).chmod(0o600)
        os.chown(served / name, uid, uid)
    file, _ = take(house.data, house.address, tmp_path)
    key = house.wipe()
    monkeypatch.setenv(accounts.VARIABLE, str(tmp_path / "another" / "accounts.json"))
    assert accounts.assign(tmp_path / "worker", "agent:acme/WEB") == before[0]
    restore(file, house.directory, house.wanted(key=key))
    now = [accounts.assign(book.parent, name) for name in ("app-one", "app-two")]
    assert (before[0] in now, now[1]) == (False, before[1])
    assert [(served / name).stat().st_uid for name in ("one", "two", "whose")] == [*now, 0]


@pytest.mark.root
@pytest.mark.parametrize("content", ['{"app-one": 70', '{"app-one": "seven"}', "[]"])
def test_a_book_of_user_numbers_that_says_nothing_keeps_nothing_from_being_restored(
    house: House, tmp_path, monkeypatch, content
):
    runtime = house.directory / "runtime"
    book, kept = runtime / "processes" / "accounts.json", runtime / "edge" / "routes" / "one"
    for place in (book.parent, kept.parent):
        place.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv(accounts.VARIABLE, str(tmp_path / "another" / "accounts.json"))
    for file, said in ((book, content), (kept, "x")):
        file.write_text(said)
    os.chown(kept, accounts.FIRST, accounts.FIRST)
    file, _ = take(house.data, house.address, tmp_path)
    restore(file, house.directory, house.wanted(key=house.wipe()))
    assert (book.exists(), kept.stat().st_uid) == (False, 0)


@pytest.mark.root
def test_a_backup_that_is_refused_enters_no_user_numbers(house: House, tmp_path, monkeypatch):
    book = house.directory / "runtime" / "processes" / "accounts.json"
    book.parent.mkdir(parents=True, exist_ok=True)
    host = tmp_path / "another" / "accounts.json"
    monkeypatch.setenv(accounts.VARIABLE, str(tmp_path / "host" / "accounts.json"))
    accounts.assign(book.parent, "app-one")
    file, _ = take(house.data, house.address, tmp_path)
    file.write_bytes(file.read_bytes()[:-200])
    monkeypatch.setenv(accounts.VARIABLE, str(host))
    key = house.wipe()
    with pytest.raises(Problem):
        restore(file, house.directory, house.wanted(key=key))
    assert not host.exists()


def test_a_backup_says_how_far_it_is(house: House, tmp_path, monkeypatch):
    monkeypatch.setattr(Told, "SECONDS", 0.0)
    told: list[str] = []
    take(house.data, house.address, tmp_path, say=told.append)
    assert told[0] == "Copying the databases."
    assert told[1].startswith("Packing them, with ")
    assert told[-1].endswith(" MB are written.")


def test_numbers_go_on_where_they_were(house: House, tmp_path):
    """What was deleted before the backup must not give its number to something new."""
    with house.opened() as instance:
        made = instance.db.write_sync(lambda tx: jobs.enqueue(tx, jobs.Enqueue("thing.do", Numbered(), None)).id)
        instance.db.write_sync(lambda tx: tx.execute("DELETE FROM jobs WHERE id = :id", {"id": made}) and None)
    file, _ = take(house.data, house.address, tmp_path)
    key = house.wipe()
    restore(file, house.directory, house.wanted(key=key))
    with house.opened(restored=True) as instance:
        again = instance.db.write_sync(lambda tx: jobs.enqueue(tx, jobs.Enqueue("thing.do", Numbered(), None)).id)
    assert again > made


def test_what_only_grows_still_refuses_to_be_changed_after_a_restore(house: House, tmp_path):
    file, _ = take(house.data, house.address, tmp_path)
    restore(file, house.directory, house.wanted(key=house.wipe()))
    with house.opened(restored=True) as instance, pytest.raises(Exception, match=r"append|audit"):
        instance.db.write_sync(lambda tx: tx.execute("UPDATE audit_events SET action = 'nothing'") and None)


@pytest.mark.parametrize("form", ["plain", "passphrase"])
def test_the_key_may_travel_along(house: House, tmp_path, form):
    passphrase = Secret("correct horse battery") if form == "passphrase" else None
    file, _ = take(house.data, house.address, tmp_path, with_key=form == "plain", passphrase=passphrase)
    key = (house.directory / "master.key").read_bytes()
    with tarfile.open(file) as tar:
        held = b"".join(tar.extractfile(one).read() for one in tar if one.name.startswith("master"))
    assert (key in held) == (form == "plain")
    house.wipe()
    if passphrase is not None:
        for given, code in ((None, "backup_passphrase_missing"), (Secret("wrong horse battery"), "passphrase_wrong")):
            with pytest.raises(Problem) as raised:
                restore(file, house.directory, house.wanted(passphrase=given))
            assert raised.value.code.endswith(code)
            assert not house.directory.exists()
    restore(file, house.directory, house.wanted(passphrase=passphrase))
    with house.opened(restored=True) as instance:
        assert opens(instance, house) == SECRET
    assert sorted(path.name for path in house.directory.iterdir() if "sealed" in path.name) == []


def test_a_key_kept_apart_is_not_in_the_file(house: House, tmp_path):
    file, _ = take(house.data, house.address, tmp_path)
    key = (house.directory / "master.key").read_bytes().split()[2]
    with tarfile.open(file) as tar:
        assert not any(key in (tar.extractfile(one) or tar.fileobj).read() for one in tar if one.isreg())


def test_a_backup_made_while_others_write_is_one_state(house: House, tmp_path):
    """Each unit writes a job and its twin; no backup may see one without the other."""
    stop = threading.Event()
    with house.opened() as instance:

        def pair(tx):
            for kind in ("twin.left", "twin.right"):
                jobs.enqueue(tx, jobs.Enqueue(kind, Numbered(), None))

        def write():
            while not stop.is_set():
                instance.db.write_sync(pair)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            files = [take(house.data, house.address, tmp_path / f"{number}.tar.gz")[0] for number in range(3)]
        finally:
            stop.set()
            writer.join()
    counted = [twins(file, tmp_path) for file in files]
    assert all(left == right for left, right in counted)
    assert counted[0][0] < counted[2][0]


def twins(file, tmp_path) -> tuple[int, int]:
    with tarfile.open(file) as tar:
        if "quarterdeck.db" in tar.getnames():
            tar.extract("quarterdeck.db", tmp_path, filter="data")
            with closing(sqlite3.connect(tmp_path / "quarterdeck.db")) as opened:
                kinds = [row[0] for row in opened.execute("SELECT kind FROM jobs")]
        else:
            content = tar.extractfile("postgresql/jobs.copy").read().decode()
            kinds = [kind for line in content.splitlines() for kind in line.split("\t") if kind.startswith("twin.")]
    return kinds.count("twin.left"), kinds.count("twin.right")


def test_the_last_backup_is_remembered(house: House, tmp_path):
    assert last(house.data) is None
    file, manifest = take(house.data, house.address, tmp_path)
    noted = last(house.data)
    assert noted is not None
    assert (noted.file, noted.created_at, noted.key) == (str(file), manifest.header.created_at, "apart")
    assert noted.size == file.stat().st_size
