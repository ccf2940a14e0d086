"""The typed calls against a real engine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from pathlib import Path

import pytest

from quarterdeck.fleet.docker import containers, execution, images, networks, system, volumes
from quarterdeck.fleet.docker.address import EngineAddress, engine_address
from quarterdeck.fleet.docker.dialing import LocalDialer, Stream
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.images import RegistryAuth
from quarterdeck.fleet.docker.logs import LogLine, logs
from quarterdeck.fleet.docker.specs import ContainerSpec, Mount
from quarterdeck.fleet.docker.stats import stats
from quarterdeck.kernel.errors import Conflict, NotFound, ProviderFailure, Timeout, Unavailable
from quarterdeck.kernel.vault import Secret

Labels = dict[str, str]


async def running(engine: Engine, mine: Labels, script: str, **wishes: object) -> str:
    spec = ContainerSpec("busybox:latest", command=("sh", "-c", script), labels=mine, **wishes)  # type: ignore[arg-type]
    container = await containers.create(engine, spec)
    await containers.start(engine, container)
    return container


async def test_a_socket_where_nothing_listens_is_said_within_three_seconds(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        await Engine.connect(EngineAddress(str(tmp_path / "none.sock")))
    assert caught.value.code == "docker_unavailable"


async def test_an_engine_that_accepts_and_stays_silent_is_given_up_after_three_seconds(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "mute.sock"))
        listener.listen()
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            await Engine.connect(EngineAddress(str(tmp_path / "mute.sock")))
    assert caught.value.code == "docker_unavailable"
    assert 2.5 < time.monotonic() - began < 30


@pytest.mark.engine
class TestEngine:
    async def test_the_version_is_negotiated_and_facts_are_read(self, engine: Engine) -> None:
        assert engine.api_version == "{}.{}".format(*min(engine.pong.api_version, (1, 47)))
        assert (await system.version(engine)).version
        assert (await system.info(engine)).ncpu > 0
        assert (await system.disk_usage(engine)).layers_size > 0
        await system.ping(engine)

    async def test_the_same_client_runs_over_any_dialer(self, docker_host: str) -> None:
        class Counting:
            opened = 0

            async def open(self, path: str) -> Stream:
                Counting.opened += 1
                return await LocalDialer().open(path)

        async with await Engine.connect(engine_address({"DOCKER_HOST": docker_host}), Counting()) as other:
            assert await images.find(other, "busybox:latest")
            assert not other.local
        assert Counting.opened >= 1

    async def test_a_container_lives_and_ends(self, engine: Engine, mine: Labels) -> None:
        spec = ContainerSpec(
            "busybox:latest",
            command=("sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"),
            env={"A": "1"},
            labels=mine,
            internal_port=8080,
            host_port=1,
            memory_bytes=64 * 1024 * 1024,
            cpus=0.5,
        )
        name = f"qd-{mine['quarterdeck.test']}"
        container = await containers.create(engine, spec, name=name)
        with pytest.raises(Conflict):
            await containers.create(engine, spec, name=name)
        found = await containers.inspect(engine, name)
        assert (found.id, found.published(8080), found.labels) == (container, 1, mine)
        assert (found.host_config.memory, found.host_config.nano_cpus) == (64 * 1024 * 1024, 500_000_000)
        assert found.host_config.security_opt == ["no-new-privileges"]
        await containers.rename(engine, container, f"{name}-b")
        assert [(row.id, row.name, row.state) for row in await containers.listed(engine, mine)] == [
            (container, f"{name}-b", "created")
        ]
        assert await containers.listed(engine, mine, stopped=False) == []
        assert await containers.remove(engine, container)
        assert not await containers.remove(engine, container)
        assert await containers.find(engine, container) is None

    async def test_stopping_asks_first_and_waiting_tells_the_code(self, engine: Engine, mine: Labels) -> None:
        polite = await running(engine, mine, "trap 'exit 7' TERM; while :; do sleep 0.05; done")
        await containers.start(engine, polite)  # again: no error
        waiting = asyncio.create_task(containers.wait(engine, polite))
        await asyncio.sleep(0.3)
        await containers.stop(engine, polite, seconds=5)
        assert await waiting == 7
        stubborn = await running(engine, mine, "trap '' TERM; while :; do sleep 0.1; done")
        await containers.kill(engine, stubborn)
        assert await containers.wait(engine, stubborn) == 137

    async def test_logs_keep_channels_times_and_tail(self, engine: Engine, mine: Labels) -> None:
        container = await running(engine, mine, "echo one; sleep 0.2; echo two >&2; sleep 0.2; printf 'no end'")
        read = [line async for line in logs(engine, container, follow=True)]
        assert read == [LogLine("stdout", "one"), LogLine("stderr", "two"), LogLine("stdout", "no end")]
        assert [line.text async for line in logs(engine, container, tail=1)] == ["no end"]
        timed = [line async for line in logs(engine, container, timestamps=True)]
        assert [line.text for line in timed] == ["one", "two", "no end"]
        assert timed[1].at is not None
        since = f"{timed[1].at.timestamp():.6f}"
        assert [line.text async for line in logs(engine, container, since=since)] == ["two", "no end"]

    async def test_a_long_line_is_one_line_again(self, engine: Engine, mine: Labels) -> None:
        container = await running(engine, mine, "head -c 40000 /dev/zero | tr '\\0' x; echo")
        for timestamps in (False, True):
            read = [line async for line in logs(engine, container, follow=True, timestamps=timestamps)]
            assert [line.text for line in read] == ["x" * 40000]

    async def test_following_can_stop_early(self, engine: Engine, mine: Labels) -> None:
        container = await running(engine, mine, "while :; do echo tick; sleep 0.05; done")
        async with contextlib.aclosing(logs(engine, container, follow=True)) as lines:
            async for line in lines:
                assert line.text == "tick"
                break
        async with contextlib.aclosing(stats(engine, container)) as samples:
            async for sample in samples:
                # Not on every kernel: then all that the engine sends is nothing.
                counted = (sample.memory_bytes, sample.memory_limit, sample.pids)
                assert all(counted) if sample.measured else not any(counted), sample
                break

    async def test_a_command_runs_with_input_and_tells_its_code(self, engine: Engine, mine: Labels) -> None:
        container = await running(engine, mine, "sleep 60")
        result = await execution.run(
            engine, container, ["sh", "-c", "cat; echo $A >&2; exit 3"], env={"A": "b"}, input=b"hello" * 1000
        )
        assert (result.exit_code, result.stdout, result.stderr) == (3, b"hello" * 1000, b"b\n")
        cut = await execution.run(engine, container, ["sh", "-c", "head -c 5000 /dev/zero"], limit=100)
        assert (len(cut.stdout), cut.truncated) == (100, True)
        with pytest.raises(Timeout):
            await execution.run(engine, container, ["sleep", "5"], seconds=0.3)
        with pytest.raises(NotFound):
            await execution.run(engine, "no-such-container", ["true"])

    async def test_a_terminal_echoes_and_resizes(self, engine: Engine, mine: Labels) -> None:
        container = await running(engine, mine, "sleep 60")
        async with execution.open_exec(engine, container, ["sh"], tty=True, columns=100, rows=30) as session:
            await session.write(b"stty size\n")
            seen = b""
            while b"30 100" not in seen:
                seen += await session.read()
            await session.resize(120, 40)
            await session.write(b"stty size; exit 5\n")
            while chunk := await session.read():
                seen += chunk
            assert b"40 120" in seen
            assert await session.exit_code() == 5

    async def test_networks_give_names_and_volumes_keep_files(self, engine: Engine, mine: Labels) -> None:
        name = f"qd-{mine['quarterdeck.test']}"
        network = await networks.ensure(engine, name, mine)
        assert await networks.ensure(engine, name, mine) == network
        await volumes.create(engine, name, mine)
        mount = Mount(name, "/data")
        server = await running(
            engine, mine, "echo kept > /data/file; sleep 60", network=name, aliases=("web",), mounts=(mount,)
        )
        assert (await containers.inspect(engine, server)).address(name)
        client = await running(engine, mine, "sleep 60")
        await networks.connect(engine, name, client, aliases=["client"])
        found = await execution.run(engine, client, ["nslookup", "web"])
        assert found.exit_code == 0, found
        await networks.disconnect(engine, name, client)
        with pytest.raises(Conflict):
            await volumes.remove(engine, name)
        await containers.remove(engine, server)
        reader = await running(engine, mine, "cat /data/file", mounts=(mount,))
        assert [line.text async for line in logs(engine, reader, follow=True)] == ["kept"]
        await containers.remove(engine, reader)
        assert [volume.name for volume in await volumes.listed(engine, mine)] == [name]
        assert await volumes.remove(engine, name)
        assert not await volumes.remove(engine, name)
        assert await networks.remove(engine, network)
        assert not await networks.remove(engine, network)

    async def test_events_and_pruning_see_only_what_carries_the_label(self, engine: Engine, mine: Labels) -> None:
        began = time.time()
        ours = await running(engine, mine, "true")
        await containers.wait(engine, ours)
        other_labels = {"quarterdeck.test": f"{mine['quarterdeck.test']}-other"}
        other = await running(engine, other_labels, "true")
        await containers.wait(engine, other)
        seen = [
            event async for event in system.events(engine, mine, since=f"{began:.3f}", until=f"{time.time() + 1:.3f}")
        ]
        assert {event.actor.id for event in seen} == {ours}
        assert {"create", "start", "die"} <= {event.action for event in seen}
        assert (await system.prune(engine, "containers", mine)).containers == [ours]
        assert await containers.remove(engine, other)

    async def test_images_are_tagged_and_removed_and_a_failed_pull_is_told(self, engine: Engine) -> None:
        image = await images.inspect(engine, "busybox:latest")
        await images.tag(engine, image.id, "qd-tagged:1")
        assert (await images.inspect(engine, "qd-tagged:1")).id == image.id
        assert [removal.untagged for removal in await images.remove(engine, "qd-tagged:1")] == ["qd-tagged:1"]
        assert await images.remove(engine, "qd-tagged:1") == []
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            reference = f"127.0.0.1:{closed.getsockname()[1]}/a/b:1"
            auth = RegistryAuth("127.0.0.1", "me", Secret("hidden-password"))
            with pytest.raises((ProviderFailure, NotFound)) as caught:
                await images.pull(engine, reference, auth=auth)
        assert "hidden-password" not in f"{caught.value.message}{caught.value.details}"
