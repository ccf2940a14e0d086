"""What outlives a connection, a server and a recording's disk."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from quarterdeck.access import Access
from quarterdeck.fleet.terminals import broker, frames, keeping, recording, rows, tokens
from quarterdeck.fleet.terminals.broker import Broker, Opening, Terms
from quarterdeck.fleet.terminals.history import Size
from quarterdeck.fleet.terminals.local import LocalUplink
from quarterdeck.fleet.terminals.model import ChannelToken, TerminalRow
from quarterdeck.fleet.terminals.uplink import Ended, Held, Input, Released, Resize, Signal
from quarterdeck.fleet.terminals.viewing import Left, Visitor
from quarterdeck.identity.model import Organization
from quarterdeck.kernel import events
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.principal import Principal
from support.emulator import Size as Told
from support.emulator import Watcher

SUBJECT = "task:1"
LONG = 30


class Everything:
    """Any task is the first organization's."""

    def terms(self, tx, subject):
        found = tx.first(select(Organization))
        if found is None or subject == "task:none":
            raise NotFound("There is no such task.", code="task_not_found")
        return Terms(found.id)

    def happened(self, tx, subject, word, message, **data):
        events.append(tx, subject, word, {"message": message, **data})

    def over(self, tx, subject, attempt, fence):
        return False


@pytest.fixture
async def home(database):
    def verb(tx):
        row = Organization(uid=tx.ids.uid(), ref="org_x", name="Acme", slug="acme", created_at=tx.now)
        tx.add(row)
        tx.flush()
        return row.id

    return await database.write(verb)


@pytest.fixture
async def made(database, home, tmp_path):
    one = Broker(database, Access(), tmp_path / "recordings", "process:one", Everything())
    yield one
    await one.close()


def visitor(right="act", asks=None):
    return Visitor(1, "ann", right, controls=True, asks=asks or (lambda tx: right))


def played(file):
    header, *lines = [json.loads(line) for line in file.read_text().splitlines()]
    watcher = Watcher(header["width"], header["height"])
    for _, kind, text in lines:
        if kind in {"o", "r"}:
            watcher.take(text.encode() if kind == "o" else Told(*map(int, text.split("x"))))
    return watcher


async def everything(viewer):
    """What a viewer is sent, and with what it leaves."""
    found = []
    async with asyncio.timeout(LONG):
        while not found or not isinstance(found[-1], Left):
            try:
                found.append(await viewer.next())
            except Left as left:
                found.append(left)
    return found


async def row_of(database, subject=SUBJECT):
    asked = select(TerminalRow).where(TerminalRow.subject == subject).order_by(TerminalRow.id.desc())
    return await database.read(lambda tx: tx.first(asked))


async def test_the_worker_inside_the_server_has_the_same_terminal(made, database):
    up = await LocalUplink.open(made, SUBJECT, 1, 80, 24)
    up.output(b"hello ")
    viewer = made.join(SUBJECT, visitor(), controls=True, size=Size(90, 30))
    terminal = made.find(SUBJECT)
    assert (made.watched(SUBJECT), made.held_by(SUBJECT)) == (1, "ann")
    terminal.typed(viewer, b"ls\r")
    terminal.signalled(viewer, "TERM")
    terminal.hold(None)
    heard = up.events()
    async with asyncio.timeout(LONG):
        found = [await anext(heard) for _ in range(5)]
    assert found == [Held("ann"), Resize(90, 30), Input(b"ls\r"), Signal("SIGTERM"), Released()]
    await made.end(SUBJECT, "task_cancelled")
    async with asyncio.timeout(LONG):
        assert [event async for event in heard] == [Ended("task_cancelled")]
    up.output(b"too late")
    await up.close(0)
    row = await row_of(database)
    assert (row.reason, row.exit_code, row.columns) == ("task_cancelled", None, 90)
    assert played(made.file(row.uid)).text == "hello"
    with pytest.raises(Conflict) as stale:
        await LocalUplink.open(made, SUBJECT, 1, 80, 24)
    assert stale.value.code == "terminal_stale"


async def test_another_attempt_has_a_terminal_of_its_own(made, database):
    first = await LocalUplink.open(made, SUBJECT, 1, 80, 24)
    viewer = made.join(SUBJECT, visitor(), controls=True)
    second = await LocalUplink.open(made, SUBJECT, 2, 80, 24)
    first.output(b"of the first")
    second.output(b"of the second")
    assert made.find(SUBJECT).history.head == len(b"of the second")
    *_, last, left = await everything(viewer)
    assert (last, left.code) == (frames.Exit(code=None, reason="superseded"), 1000)
    with pytest.raises(Conflict):
        await LocalUplink.open(made, SUBJECT, 1, 80, 24)
    await second.close(3)
    found = await database.read(rows.of_subject, SUBJECT)
    assert [(row.attempt, row.reason, row.exit_code) for row in found] == [(2, "exited", 3), (1, "superseded", None)]


async def test_two_connections_of_an_attempt_find_one_terminal(made):
    openings = [made.open(Opening(SUBJECT, 1, Size(80, 24))) for _ in range(4)]
    lines = await asyncio.gather(*openings)
    assert len({id(line.terminal) for line in lines}) == 1
    assert sum(line.current for line in lines) == 1


async def test_what_is_no_terminal_is_refused_and_leaves_nothing(made, database):
    with pytest.raises(Invalid):
        await made.open(Opening(SUBJECT, 1, Size(501, 24)))
    with pytest.raises(NotFound):
        await made.open(Opening("task:none", 1, Size(80, 24)))
    with pytest.raises(NotFound):
        made.join(SUBJECT, visitor(), controls=True)
    assert await row_of(database) is None


async def test_a_recording_goes_on_after_the_server_was_killed_and_shows_the_same_screen(made, database, tmp_path):
    line = await made.open(Opening(SUBJECT, 1, Size(80, 24)))
    line.output(b"before \x1b[31mthe end")
    line.terminal.recording.flush()
    file = made.file(line.terminal.uid)
    with file.open("ab") as out:
        out.write(b'[12.5, "o", "cut of')
    second = Broker(database, Access(), tmp_path / "recordings", "process:two", Everything())
    with pytest.raises(Conflict) as elsewhere:
        await database.read(lambda tx: second.require_here(tx, SUBJECT))
    assert elsewhere.value.code == "terminal_elsewhere"
    again = await second.open(Opening(SUBJECT, 1, Size(100, 30), offset=0))
    again.output(b"before \x1b[31mthe end, and after")
    await second.exited(again, 0)
    row = await row_of(database)
    assert (row.uid, row.process) == (line.terminal.uid, "process:two")
    assert played(file).seen == Watcher(100, 30).take(b"before \x1b[31mthe end, and after").seen


async def test_a_recording_that_is_too_long_or_has_no_disk_ends_and_the_terminal_does_not(
    made, database, tmp_path, monkeypatch
):
    monkeypatch.setattr(recording.Recording.__init__, "__defaults__", (5_000,))
    line = await made.open(Opening(SUBJECT, 1, Size(80, 24)))
    for number in range(500):
        line.output(b"%d of many lines\r\n" % number)
    assert line.terminal.history.head > 5_000
    await made.exited(line, 0)
    row = await row_of(database)
    text = made.file(row.uid).read_text()
    assert row.truncated
    assert len(text) < 5_200
    assert json.loads(text.splitlines()[-1])[1] == "m"
    (tmp_path / "no directory").touch()
    broken = Broker(database, Access(), tmp_path / "no directory", "process:one", Everything())
    other = await broken.open(Opening("task:2", 1, Size(80, 24)))
    other.output(b"shown all the same")
    assert other.terminal.history.head == 18
    await broken.exited(other, 0)
    assert (await row_of(database, "task:2")).truncated


async def test_housekeeping_takes_old_recordings_and_leaves_open_ones(made, database):
    old, new = await LocalUplink.open(made, SUBJECT, 1, 80, 24), await LocalUplink.open(made, "task:2", 1, 80, 24)
    await old.close(0)
    gone, kept = await row_of(database), await row_of(database, "task:2")
    orphan = made.file("of-no-row")
    orphan.write_text("left behind")
    instance = SimpleNamespace(db=database, terminals=made)
    later = database.clock.now() + timedelta(days=1)
    assert await keeping.prune_recordings(instance, later) == 1
    assert not made.file(gone.uid).exists()
    assert not orphan.exists()
    assert made.file(kept.uid).exists()
    assert await row_of(database) is None
    assert (await row_of(database, "task:2")).uid == kept.uid
    assert await keeping.prune_recordings(instance, later) == 0
    await new.close(0)


async def test_a_worker_that_stays_away_loses_its_terminal(made, database, monkeypatch):
    monkeypatch.setattr(broker, "WATCHED_EVERY", 0.01)
    line = await made.open(Opening(SUBJECT, 1, Size(80, 24)))
    viewer = made.join(SUBJECT, visitor(), controls=True)
    running = asyncio.create_task(made.run())
    await made.detach(line)
    monkeypatch.setattr(broker, "AWAY_SECONDS", 0.0)
    try:
        async with asyncio.timeout(LONG):
            while (item := await viewer.next()) != frames.Exit(code=None, reason="worker_lost"):
                assert not isinstance(item, frames.Exit)
            while (await row_of(database)).ended_at is None:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert made.find(SUBJECT) is None


async def test_nobody_stays_where_rights_cannot_be_asked_for(made, monkeypatch):
    def broken(tx):
        raise OSError("no database")

    await made.open(Opening(SUBJECT, 1, Size(80, 24)))
    viewer = made.join(SUBJECT, visitor(asks=broken), controls=True)
    await made.watch()
    assert viewer._over is None
    monkeypatch.setattr(broker, "DOUBT_SECONDS", -1.0)
    await made.watch()
    assert (await everything(viewer))[-1].code == 1013


async def test_of_many_who_come_with_one_token_one_gets_in(database, home):
    def issue(tx):
        tx.act_as(Principal("user", 7, "u", "ann", home))
        return tokens.for_viewer(tx, SUBJECT, home, "watch")[1].reveal()

    token = await database.write(issue)
    assert await database.write(tokens.redeem_by_user, token, SUBJECT, 8) is None
    assert await database.write(tokens.redeem_by_worker, token, SUBJECT, 7) is None
    tries = [database.write(tokens.redeem_by_user, token, SUBJECT, 7) for _ in range(8)]
    assert sum(found is not None for found in await asyncio.gather(*tries)) == 1
    await database.write(lambda tx: tx.execute(update(ChannelToken).values(expires_at=tx.now - timedelta(days=2))))
    instance = SimpleNamespace(db=database)
    assert await keeping.prune_tokens(instance, database.clock.now() - timedelta(days=1)) == 1
    assert await keeping.prune_tokens(instance, database.clock.now()) == 0
