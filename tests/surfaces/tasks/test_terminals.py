"""Terminals of tasks over real sockets: a worker brings one, people watch and type (contract: tasks §5)."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from sqlalchemy import select, update

from quarterdeck.access import grants
from quarterdeck.access.model import Grant
from quarterdeck.fleet.terminals import broker
from quarterdeck.fleet.terminals.dialling import Place, SocketUplink
from quarterdeck.fleet.terminals.model import ChannelToken, TerminalRow
from quarterdeck.fleet.workers import draining, roster
from quarterdeck.identity import personal_tokens, sessions
from quarterdeck.identity.model import User, UserSession
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.errors import Conflict
from quarterdeck.tasks.work.model import Task
from support.emulator import Size, Watcher
from support.quay import LONG, quay


@pytest.fixture
async def harbour(crew):
    async with quay(crew) as made:
        yield made


async def close_code(harbour, path, *frames, **headers):
    async with harbour.dialled(path, **headers) as line:
        for frame in frames:
            await line.send(frame)
        while not isinstance(found := await line.next(), int):
            pass
        return found


async def test_two_watch_one_types_and_another_takes_over(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    _, other = await crew.person("wim", "tasks:developer")
    _, boss = await crew.person("boss", "tasks:admin")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    async with (
        harbour.worker(task, machine, secret, pid=42) as worker,
        harbour.watching(task, owner, cols=100, rows=30) as holder,
        harbour.watching(task, other) as first,
        harbour.watching(task, other, "watch") as second,
    ):
        assert (holder.ready["mode"], holder.ready["cols"], holder.ready["rows"]) == ("control", 100, 30)
        assert (first.ready["mode"], first.ready["holder"]["user"]) == ("watch", "olga")
        assert await worker.until("resize") == {"type": "resize", "cols": 100, "rows": 30}
        await worker.send(b"$ \x1b[32mready\x1b[0m ")
        for line in (holder, first, second):
            await line.shows("ready")
        await holder.send(b"ls\r")
        await holder.send({"type": "input", "data": "pwd\r"})
        assert await worker.next() == b"ls\r"
        assert (await worker.next()) == b"pwd\r"
        await first.send(b"rm -rf /\r")
        assert (await first.until("error"))["code"] == "READ_ONLY"
        await first.send({"type": "control_request", "takeover": True})
        assert (await first.until("error"))["code"] == "READ_ONLY"
        await second.send({"type": "resize", "cols": 501, "rows": 3})
        assert (await second.until("error"))["code"] == "BAD_FRAME"
        await second.send({"type": "ping"})
        await second.until("pong")
        before = len(await crew.told())
        async with harbour.watching(task, boss, "control", takeover=True) as taker:
            assert taker.ready["mode"] == "control"
            demoted = await holder.until("control")
            assert (demoted["mode"], demoted["holder"]["user"]) == ("watch", "boss")
            await holder.send(b"mine\r")
            assert (await holder.until("error"))["code"] == "READ_ONLY"
            await taker.send(b"whoami\r")
            assert (await worker.until("control", holder=taker.ready["holder"]))["holder"]["user"] == "boss"
            assert await worker.next() == b"whoami\r"
            await holder.send({"type": "control_request"})
            assert (await taker.until("control_request"))["user"] == "olga"
            await taker.send({"type": "control_release"})
            assert (await holder.until("control", mode="control"))["holder"]["user"] == "olga"
        told = (await crew.told())[before:]
        assert [(one["action"], one["actor_label"]) for one in told] == [
            ("terminal.token-issued", "boss"),
            ("terminal.taken", "boss"),
        ]
        found = await crew.db.read(events.read, f"task:{task}")
        assert [(one.type, dict(one.data)) for one in found] == [("control_taken", {"by": "boss", "from": "olga"})]
        await worker.send({"type": "exit", "code": 7})
        for line in (holder, first, second):
            assert (await line.until("exit"))["code"] == 7
            assert await line.until(1000) == 1000
        assert (await worker.until("exit"))["code"] == 7


async def test_a_takeover_names_the_holder_that_is_meant(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    async with harbour.worker(task, machine, secret), harbour.watching(task, owner) as first:
        async with harbour.watching(task, owner, takeover=True, sessionId="somebody-else") as second:
            assert second.ready["mode"] == "watch"
            assert (await second.until("error"))["code"] == "HOLDER_CHANGED"
        session = first.ready["sessionId"]
        async with harbour.watching(task, owner, takeover=True, sessionId=session) as third:
            assert third.ready["mode"] == "control"
        # Who drops off does not hold on: the next one that asks types.
        await first.until("control", holder=None)
        await first.send({"type": "control_request"})
        await first.until("control", mode="control")


async def test_no_token_opens_twice_late_or_for_somebody_else(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    _, other = await crew.person("wim", "tasks:developer")
    task, another = await harbour.task(owner_id), await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    _, stranger = await harbour.enrolled("other")
    path, worker_path = f"/ws/pty/{task}", f"/api/workers/pty/{task}"

    def auth(channel, token=owner, **more):
        return {"type": "auth", "token": token, "channelToken": channel, **more}

    async with harbour.worker(task, machine, secret):
        channel = await harbour.token(task, owner)
        assert await close_code(harbour, path, auth(channel, other)) == 4410
        assert await close_code(harbour, f"/ws/pty/{another}", auth(channel)) == 4410
        async with harbour.dialled(path) as line:
            await line.send(auth(channel))
            await line.until("ready")
        assert await close_code(harbour, path, auth(channel)) == 4410
        late = await harbour.token(task, owner)
        past = update(ChannelToken).values(expires_at=crew.db.clock.now())
        await crew.db.write(lambda tx: tx.execute(past))
        assert await close_code(harbour, path, auth(late)) == 4410
        assert await close_code(harbour, path, auth("qd_pty_nothing")) == 4410
        watch = await harbour.token(task, owner, "watch")
        assert await close_code(harbour, path, auth(watch, mode="control")) == 4403
        assert await close_code(harbour, path, auth(await harbour.token(task, owner), "nobody's")) == 4401
        assert await close_code(harbour, "/ws/pty/999999", auth(await harbour.token(task, owner))) == 4404
        assert await close_code(harbour, "/ws/pty/none", auth(await harbour.token(task, owner))) == 4404
        assert await close_code(harbour, path, {"type": "hello"}) == 4400
        foreign = {"Origin": "https://evil.example.com"}
        assert await close_code(harbour, path, auth(await harbour.token(task, owner)), **foreign) == 4403
        its = await harbour.worker_token(task, machine)
        for_it = {"type": "auth", "workerJwt": stranger, "channelToken": its}
        assert await close_code(harbour, worker_path, for_it) == 4410
        assert await close_code(harbour, worker_path, {**for_it, "workerJwt": "qd_worker_x"}) == 4401
        assert await close_code(harbour, worker_path, {**for_it, "workerJwt": secret}, b"no pty_open") == 4400
        assert await close_code(harbour, worker_path, {**for_it, "workerJwt": secret}) == 4410
    kept = await crew.db.read(lambda tx: [row.hash for row in tx.scalars(select(ChannelToken))])
    assert kept
    assert not any(channel in text or its in text for text in kept)


async def test_who_says_nothing_is_sent_away(harbour, crew, monkeypatch):
    monkeypatch.setattr("quarterdeck.surfaces.tasks.introducing.AUTH_SECONDS", 0.1)
    assert await close_code(harbour, "/ws/pty/1") == 4408
    assert await close_code(harbour, "/api/workers/pty/1") == 4408
    assert await close_code(harbour, "/ws/events") == 4408


async def revoked_session(crew, bearer, user_id):
    def verb(tx):
        for row in tx.scalars(select(UserSession).where(UserSession.user_id == user_id)):
            sessions.revoke_row(tx, row)

    await crew.db.write(verb)


async def revoked_role(crew, bearer, user_id):
    """Their membership of the project with their role: by either alone they go on seeing its tasks."""

    def verb(tx):
        for row in tx.scalars(select(Grant).where(Grant.user_id == user_id)):
            tx.session.delete(row)

    await crew.db.write(verb)
    crew.deck.instance.access.changed(user_id)


async def switched_off(crew, bearer, user_id):
    await crew.db.write(lambda tx: tx.execute(update(User).where(User.id == user_id).values(active=False)))


@pytest.mark.parametrize("how", [revoked_session, revoked_role, switched_off])
async def test_a_live_terminal_ends_within_two_seconds_of_a_revocation(harbour, crew, how):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    async with harbour.worker(task, machine, secret) as worker, harbour.watching(task, owner) as line:
        await worker.send(b"seen")
        await line.shows("seen")
        began = time.monotonic()
        await how(crew, owner, owner_id)
        assert await line.until(4403) == 4403
        took = time.monotonic() - began
        await worker.send(b"secret")
        await worker.until("control", holder=None)
    assert broker.WATCHED_EVERY == 1.0
    assert took < 2.0 + 3.0  # the lock asks every second; the rest is what a busy machine may take


async def test_who_loses_control_of_a_task_goes_on_watching(harbour, crew):
    boss_id, boss = await crew.person("boss", "tasks:admin")
    task = await harbour.task(boss_id + 1000)
    machine, secret = await harbour.enrolled()
    async with harbour.worker(task, machine, secret) as worker, harbour.watching(task, boss, "control") as line:
        assert line.ready["mode"] == "control"

        def verb(tx):
            row = tx.first(select(Grant).where(Grant.user_id == boss_id))
            organization_id = row.organization_id
            tx.session.delete(row)
            tx.flush()
            give, project_id = grants.give, tx.get(Task, task).project_id
            give(tx, crew.deck.instance.access, boss_id, organization_id, "tasks:developer")
            give(tx, crew.deck.instance.access, boss_id, organization_id, "tasks:member", project_id=project_id)

        await crew.db.write(verb)
        crew.deck.instance.access.changed(boss_id)
        assert (await line.until("error"))["code"] == "READ_ONLY"
        await worker.send(b"still seen")
        await line.shows("still seen")


async def test_a_viewer_resumes_by_offset_and_is_shown_the_screen_where_that_is_lost(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    async with harbour.worker(task, machine, secret) as worker:
        async with harbour.watching(task, owner) as line:
            await worker.send(b"one \x1b[3")
            await line.shows("one")
            kept, offset = line.watcher, line.offset
        await worker.send(b"1mtwo")
        await asyncio.sleep(0)
        async with harbour.watching(task, owner, sinceOffset=offset) as line:
            line.watcher = kept
            begin = await line.until("replay_begin")
            assert begin["resumed"]
            await line.shows("one two")
            assert kept.screen.cursor.attrs.fg == "red"
        async with harbour.watching(task, owner, sinceOffset=10_000) as line:
            begin = await line.until("replay_begin")
            assert not begin["resumed"]
            await line.shows("one two")
            assert line.watcher.screen.cursor.attrs.fg == "red"


async def test_a_personal_token_and_a_cookie_of_our_own_page_come_in(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()

    def verb(tx):
        _, token = personal_tokens.create(tx, tx.get(User, owner_id), "attach", ("tasks:write", "tasks:read"), None)
        return token.reveal()

    async with harbour.worker(task, machine, secret):
        answer = await crew.ok("POST", "/api/web/profile/tokens", {"label": "attach"}, status=201, token=owner)
        async with harbour.watching(task, answer["token"]) as line:
            assert line.ready["mode"] == "control"
        channel = await harbour.token(task, owner)
        cookie = {"Cookie": f"qd_session={owner}", "Origin": harbour.url}
        async with harbour.dialled(f"/ws/pty/{task}", **cookie) as line:
            await line.send({"type": "auth", "channelToken": channel})
            assert (await line.until("ready"))["mode"] == "control"
        frame = {"type": "auth", "channelToken": await harbour.token(task, owner)}
        assert await close_code(harbour, f"/ws/pty/{task}", frame, Cookie=f"qd_session={owner}") == 4401


async def test_what_has_no_live_terminal_gives_no_token(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    _, other = await crew.person("wim", "tasks:developer")
    _, outside = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    task = await harbour.task(owner_id)
    path = f"/api/web/tasks/{task}/pty-token"
    await crew.refused(409, "TERMINAL_NOT_LIVE", "POST", path, {}, token=owner)
    machine, secret = await harbour.enrolled()
    async with harbour.worker(task, machine, secret):
        await crew.refused(404, "TASK_NOT_FOUND", "POST", path, {}, token=outside)
        await crew.refused(404, "TASK_NOT_FOUND", "POST", "/api/web/tasks/x/pty-token", {}, token=owner)
        await crew.refused(403, "TASK_NOT_YOURS", "POST", path, {"mode": "control"}, token=other)
        assert (await crew.ok("POST", path, {}, status=201, token=other))["mode"] == "watch"
        issued = await crew.once("terminal.token-issued", "POST", path, {}, status=201, token=owner, actor="olga")
        assert issued["mode"] == "control"
    await crew.db.write(lambda tx: tx.execute(update(TerminalRow).values(process="process:another", ended_at=None)))
    await harbour.terminals.end(f"task:{task}", "gone")
    await crew.db.write(lambda tx: tx.execute(update(TerminalRow).values(ended_at=None)))
    found = await crew.refused(409, "TERMINAL_ELSEWHERE", "POST", path, {}, token=owner)
    assert "process:another" in found["message"]


def played(cast, columns=80, rows=24):
    header, *lines = [json.loads(line) for line in cast.decode().splitlines()]
    watcher = Watcher(header["width"], header["height"])
    for _, kind, text in lines:
        if kind == "o":
            watcher.take(text.encode())
        elif kind == "r":
            watcher.take(Size(*map(int, text.split("x"))))
    return watcher


async def test_a_recording_plays_to_the_screen_that_was_seen(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    _, outside = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    listed = f"/api/web/tasks/{task}/recordings"
    async with harbour.worker(task, machine, secret) as worker, harbour.watching(task, owner) as line:
        await worker.send("déjà vu \x1b[31mré".encode()[:-1])
        await line.send({"type": "resize", "cols": 60, "rows": 20})
        await line.until("resized")
        await worker.send("é\x1b[0m\r\nnext ".encode()[1:] + b"\xff\x1b[4munder")
        await line.shows("under")
        item = (await crew.ok("GET", listed, token=owner))["items"][0]
        assert (item["endedAt"], item["attempt"]) == (None, 1)
        live = await crew.send("GET", item["path"], token=owner)
        assert live.headers["content-type"] == "application/x-asciicast"
        assert played(live.content).seen == line.watcher.seen
        await line.send(b"typed secret")
        assert [(await worker.next())["type"] for _ in range(2)] == ["control", "resize"]
        assert await worker.next() == b"typed secret"
        await worker.send({"type": "exit", "code": 0})
        await line.until("exit")
        seen = line.watcher.seen
    async with asyncio.timeout(LONG):
        while (item := (await crew.ok("GET", listed, token=owner))["items"][0])["endedAt"] is None:
            await asyncio.sleep(0.01)
    assert (item["exitCode"], item["reason"], item["cols"], item["truncated"]) == (0, "exited", 60, False)
    cast = (await crew.send("GET", item["path"], token=owner)).content
    assert played(cast).seen == seen
    assert item["size"] == len(cast)
    assert b"secret" not in cast
    await crew.refused(404, "TASK_NOT_FOUND", "GET", item["path"], token=outside)
    await crew.refused(404, "TASK_NOT_FOUND", "GET", listed, token=outside)
    await crew.refused(404, "RECORDING_NOT_FOUND", "GET", f"{listed}/nothing", token=owner)


def uplink(harbour, task, machine, secret, **options):
    async def fresh():
        return await harbour.worker_token(task, machine)

    return SocketUplink(Place(harbour.url, task, lambda: secret, fresh), 80, 24, **options)


async def test_a_worker_that_is_cut_off_comes_back_and_nothing_is_lost_or_doubled(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    async with uplink(harbour, task, machine, secret) as up:
        up.output(b"begun\r\n")
        async with asyncio.timeout(LONG):
            while harbour.terminals.find(f"task:{task}") is None:
                await asyncio.sleep(0.01)
        terminal = harbour.terminals.find(f"task:{task}")
        async with harbour.watching(task, owner) as line:
            await line.shows("begun")
            expected = b"begun\r\n"
            for number in range(3):
                if number < 2:
                    async with asyncio.timeout(LONG):
                        while terminal.line is None:
                            await asyncio.sleep(0.01)
                    terminal.line.leave(1012, "cut")
                for part in range(20):
                    piece = b"%d-%d " % (number, part) * 50
                    expected += piece
                    up.output(piece)
                    await asyncio.sleep(0)
            up.output(b"\x1b[2J\x1b[Hall there")
            expected += b"\x1b[2J\x1b[Hall there"
            await line.shows("all there")
            assert line.offset == len(expected) == terminal.history.head
            assert line.watcher.seen == Watcher(80, 24).take(expected).seen
            await line.send(b"typed")
            heard = up.events()
            async with asyncio.timeout(LONG):
                while getattr(await anext(heard), "data", None) != b"typed":
                    pass
            await up.close(5)
            assert (await line.until("exit"))["code"] == 5


async def test_more_than_is_kept_for_an_absent_server_arrives_as_the_screen_that_it_left(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    up = uplink(harbour, task, machine, secret)
    data = b"\x1b[?2004h\x1b[33m" + b"much of it, a line and another line\r\n" * 60_000 + b"the last"
    for start in range(0, len(data), 50_000):
        up.output(data[start : start + 50_000])
    async with up:
        async with asyncio.timeout(LONG):
            while (found := harbour.terminals.find(f"task:{task}")) is None or found.history.head < len(data):
                await asyncio.sleep(0.01)
        assert found.history.head == len(data)
        async with harbour.watching(task, owner) as line:
            await line.shows("the last")
            tail = b"\x1b[?2004h\x1b[33m" + data[-5_000:]
            assert line.watcher.seen == Watcher(80, 24).take(tail).seen
        cast = await crew.ok("GET", f"/api/web/tasks/{task}/recordings", token=owner)
        assert cast["total"] == 1


async def test_a_stale_or_revoked_worker_brings_nothing(harbour, crew):
    owner_id, _ = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    path, opened = f"/api/workers/pty/{task}", {"type": "pty_open", "cols": 80, "rows": 24}
    async with harbour.worker(task, machine, secret, attempt=2) as worker:
        auth = {"type": "auth", "workerJwt": secret, "channelToken": await harbour.worker_token(task, machine, 1)}
        assert await close_code(harbour, path, auth, opened) == 4403
        auth["channelToken"] = await harbour.worker_token(task, machine, 2)
        async with harbour.dialled(path) as newer:
            await newer.send(auth)
            await newer.send(opened)
            assert await worker.until(4409) == 4409
            await crew.db.write(
                lambda tx: draining.decommission(tx, roster.locked(tx, machine.organization_id, machine.uid))
            )
            await harbour.terminals.watch()
            assert await newer.until(4401) == 4401
    await harbour.terminals.end(f"task:{task}", "task_cancelled")
    assert harbour.terminals.find(f"task:{task}") is None
    row = await crew.db.read(lambda tx: tx.first(select(TerminalRow).where(TerminalRow.attempt == 2)))
    assert (row.reason, row.exit_code) == ("task_cancelled", None)


async def test_the_live_feed_tells_what_the_caller_may_see(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    _, outside = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    task = await harbour.task(owner_id)
    row = await crew.db.read(lambda tx: tx.first(select(UserSession).where(UserSession.user_id == owner_id)))
    home = row.organization_id

    def happen(tx):
        events.append(tx, f"task:{task}", "status_change", organization_id=home)
        events.append(tx, f"task:{task}", "stage_change", organization_id=home)
        events.append(tx, "deployment:dep_x", "deployment-requested", organization_id=home)
        events.append(tx, "worker:w-1", "worker-online", organization_id=home)
        events.append(tx, f"notification:{owner_id}", "confirm_required", organization_id=home)
        events.append(tx, f"notification:{owner_id + 1}", "confirm_required", organization_id=home)
        events.append(tx, "task:999999", "status_change", organization_id=home)

    async with harbour.dialled("/ws/events") as mine, harbour.dialled("/ws/events") as theirs:
        await mine.send({"type": "auth", "token": owner})
        await theirs.send({"type": "auth", "token": outside})
        await mine.until("ready")
        await theirs.until("ready")
        await crew.db.write(happen)
        assert [await mine.next() for _ in range(3)] == [
            {"type": "task.updated", "taskId": task, "event": "stage_change"},
            {"type": "machine.updated", "machineId": "w-1", "event": "worker-online"},
            {"type": "notification", "event": "confirm_required"},
        ]
        await crew.db.write(lambda tx: events.append(tx, "worker:w-2", "worker-online", organization_id=None))
        elsewhere = await crew.db.read(
            lambda tx: tx.first(select(UserSession.organization_id).where(UserSession.organization_id != home))
        )
        organization_id = elsewhere if isinstance(elsewhere, int) else elsewhere[0]
        await crew.db.write(
            lambda tx: events.append(tx, "worker:w-3", "worker-online", organization_id=organization_id)
        )
        assert (await theirs.next())["machineId"] == "w-3"
        await revoked_session(crew, owner, owner_id)
        await crew.db.write(happen)
        assert await mine.until(4401) == 4401
    assert await close_code(harbour, "/ws/events", {"type": "auth", "token": "qd_nobody"}) == 4401


async def test_a_viewer_that_never_reads_holds_up_neither_the_worker_nor_anybody_else(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    piece = b"a line of a program that writes faster than anybody reads\r\n" * 400
    async with uplink(harbour, task, machine, secret) as up, asyncio.timeout(4 * LONG):
        while (terminal := harbour.terminals.find(f"task:{task}")) is None:
            await asyncio.sleep(0.01)
        async with harbour.watching(task, owner) as slow, harbour.watching(task, owner) as quick:
            quick.rendering = slow.rendering = False
            reading = asyncio.create_task(quick.until("exit"))
            viewer = terminal.viewers[slow.ready["sessionId"]]
            written = 0
            while not viewer._behind:  # what the network holds for it has to be full first
                up.output(piece)
                written += len(piece)
                while terminal.history.head < written - (1 << 19):
                    await asyncio.sleep(0.001)
            up.output(b"the end")
            await up.close(0)
            await reading
            assert quick.offset == terminal.history.head == written + 7
            items = [await slow.next()]
            while items[-1] != 1000:
                items.append(await slow.next())
            begun = [isinstance(item, dict) and item["type"] == "replay_begin" for item in items]
            assert begun.count(True) == 2
            tail = b"".join(item for item in items if isinstance(item, bytes))[-20_000:]
            assert Watcher(80, 24).take(tail).seen == Watcher(80, 24).take(piece + b"the end").seen


async def test_a_worker_goes_on_with_a_server_that_has_forgotten_everything(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    subject = f"task:{task}"
    text = b"\x1b[?1049h\x1b[2;5Hdrawn long ago\x1b[?25l\x1b[35m"
    async with uplink(harbour, task, machine, secret) as up, asyncio.timeout(LONG):
        up.output(text)
        while (terminal := harbour.terminals.find(subject)) is None or terminal.history.head < len(text):
            await asyncio.sleep(0.01)
        await harbour.terminals.close()
        terminal.line.leave(1012, "restarting")
        up.output(b"!")
        while (found := harbour.terminals.find(subject)) is None or found.history.head <= len(text):
            await asyncio.sleep(0.01)
        async with harbour.watching(task, owner) as line:
            await line.shows("!")
            assert line.watcher.seen == Watcher(80, 24).take(text + b"!").seen
        assert found.uid == terminal.uid
        found.recording.flush()
        assert played(found.recording.file.read_bytes()).seen == line.watcher.seen


async def test_no_channel_token_and_no_takeover_outlives_an_audit_event_that_could_not_be_written(
    harbour, crew, monkeypatch
):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    async with (
        harbour.worker(task, machine, secret),
        harbour.watching(task, owner) as holder,
        harbour.watching(task, owner) as other,
    ):

        def full(*_args, **_more):
            raise Conflict("the trail is full", code="trail_full")

        before = await crew.db.read(lambda tx: len(list(tx.scalars(select(ChannelToken)))))
        monkeypatch.setattr(audit, "record", full)
        answer = await crew.send("POST", f"/api/web/tasks/{task}/pty-token", {}, token=owner)
        assert answer.status_code == 409
        assert await crew.db.read(lambda tx: len(list(tx.scalars(select(ChannelToken))))) == before
        await other.send({"type": "control_request", "takeover": True})
        assert (await other.until("error"))["code"] == "TRAIL_FULL"
        assert await crew.db.read(events.read, f"task:{task}") == []
        assert harbour.terminals.find(f"task:{task}").holder.session_id == holder.ready["sessionId"]
