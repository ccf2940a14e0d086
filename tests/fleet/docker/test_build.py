"""Builds on a real engine, by both builders."""

from __future__ import annotations

import asyncio
import io
import tarfile
import time
from pathlib import Path

import pytest

from quarterdeck.fleet.docker import containers, images
from quarterdeck.fleet.docker.build import builder as builder_module
from quarterdeck.fleet.docker.build import limits
from quarterdeck.fleet.docker.build.builder import build
from quarterdeck.fleet.docker.build.context import Context
from quarterdeck.fleet.docker.build.limits import BuildLimits, limit_parent, parent_settings
from quarterdeck.fleet.docker.build.request import Builder, BuildSpec, build_query
from quarterdeck.fleet.docker.build.trace import BuildEvent, StepEnded, StepLog, StepStarted
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.logs import logs
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.kernel.errors import Invalid, ProviderFailure, Timeout
from quarterdeck.kernel.vault import Secret

Labels = dict[str, str]
BUILDERS: tuple[Builder, ...] = ("buildkit", "classic")


def dockerfile(place: Path, *lines: str) -> Context:
    (place / "Dockerfile").write_text("\n".join(("FROM busybox:latest", *lines, "")))
    return Context(place)


def test_the_query_of_each_builder_is_whole(tmp_path: Path) -> None:
    spec = BuildSpec(
        Context(tmp_path, dockerfile="deploy/Dockerfile"),
        tags=("a:1", "b:2"),
        args={"V": "1"},
        labels={"l": "x"},
        secrets={"s": Secret("hidden")},
        target="final",
        platform="linux/amd64",
        network="none",
        no_cache=True,
        pull=True,
        limits=BuildLimits(memory_bytes=1000, cpus=0.5),
    )
    shared = [
        ("dockerfile", "deploy/Dockerfile"),
        ("t", "a:1"),
        ("t", "b:2"),
        ("buildargs", '{"V":"1"}'),
        ("labels", '{"l":"x"}'),
        ("target", "final"),
        ("platform", "linux/amd64"),
        ("networkmode", "none"),
        ("nocache", "1"),
        ("pull", "1"),
        ("rm", "1"),
        ("forcerm", "1"),
    ]
    assert build_query(spec, "buildkit", "u1") == [*shared, ("version", "2"), ("buildid", "u1"), ("session", "u1")]
    limited = [
        ("version", "1"),
        ("memory", "1000"),
        ("memswap", "1000"),
        ("cpuperiod", "100000"),
        ("cpuquota", "50000"),
    ]
    assert build_query(spec, "classic", "u1") == [*shared, *limited]


def test_the_parent_group_is_limited_on_both_hierarchies_and_what_cannot_be_is_named(tmp_path: Path) -> None:
    wanted = BuildLimits(memory_bytes=1000, cpus=1.5, tasks=300)
    assert [(item.file, item.text) for item in parent_settings(wanted, unified=False)] == [
        ("memory/docker/buildkit/memory.limit_in_bytes", "1000"),
        ("cpu/docker/buildkit/cpu.cfs_period_us", "100000"),
        ("cpu/docker/buildkit/cpu.cfs_quota_us", "150000"),
        ("pids/docker/buildkit/pids.max", "300"),
    ]
    assert [(item.file, item.text) for item in parent_settings(BuildLimits(), unified=True)] == [
        ("docker/buildkit/memory.max", "max"),
        ("docker/buildkit/cpu.max", "max 100000"),
        ("docker/buildkit/pids.max", "max"),
    ]
    assert limit_parent(wanted, tmp_path) == ("cpus", "memory", "tasks")
    (tmp_path / "memory/docker").mkdir(parents=True)
    assert limit_parent(wanted, tmp_path) == ("cpus", "tasks")
    assert (tmp_path / "memory/docker/buildkit/memory.limit_in_bytes").read_text() == "1000"


@pytest.mark.engine
class TestBuild:
    @pytest.mark.parametrize("builder", BUILDERS)
    async def test_an_image_is_built_told_step_by_step_and_runs(
        self,
        engine: Engine,
        mine: Labels,
        tmp_path: Path,
        builder: Builder,
    ) -> None:
        (tmp_path / "file").write_text("from the context")
        (tmp_path / "link").symlink_to("file")
        context = dockerfile(tmp_path, "ARG WORD", "COPY . /x", "RUN echo said $WORD", 'CMD ["cat", "/x/link"]')
        events: list[BuildEvent] = []

        async def keep(event: BuildEvent) -> None:
            events.append(event)

        spec = BuildSpec(context, labels=mine, args={"WORD": mine["quarterdeck.test"]}, builder=builder)
        result = await build(engine, spec, on_event=keep)
        assert result.image_id == (await images.inspect(engine, result.image_id)).id
        ran = next(event for event in events if isinstance(event, StepStarted) and "RUN echo" in event.name)
        assert StepLog(ran.step, "stdout", f"said {mine['quarterdeck.test']}") in events
        assert any(isinstance(event, StepEnded) and event.step == ran.step and not event.error for event in events)
        container = await containers.create(engine, ContainerSpec(result.image_id, labels=mine))
        await containers.start(engine, container)
        assert [line.text async for line in logs(engine, container, follow=True)] == ["from the context"]
        assert (await build(engine, spec)).cached_steps >= 2

    @pytest.mark.parametrize("builder", BUILDERS)
    async def test_a_failed_step_is_a_problem_with_the_last_lines(
        self,
        engine: Engine,
        mine: Labels,
        tmp_path: Path,
        builder: Builder,
    ) -> None:
        context = dockerfile(tmp_path, "RUN for n in $(seq 30); do echo line $n; done; exit 3")
        with pytest.raises(ProviderFailure) as caught:
            await build(engine, BuildSpec(context, labels=mine, builder=builder))
        assert caught.value.code == "image_build_failed"
        assert caught.value.details["lastLines"][-1] == "line 30"
        assert len(caught.value.details["lastLines"]) == 20

    @pytest.mark.parametrize("builder", BUILDERS)
    async def test_a_dockerfile_that_cannot_be_read_is_a_problem(
        self,
        engine: Engine,
        tmp_path: Path,
        builder: Builder,
    ) -> None:
        with pytest.raises((ProviderFailure, Invalid)) as caught:
            await build(engine, BuildSpec(dockerfile(tmp_path, "NONSENSE x"), builder=builder))
        assert "NONSENSE" in caught.value.message

    async def test_a_build_secret_is_read_by_its_step_and_lands_nowhere(
        self,
        engine: Engine,
        mine: Labels,
        tmp_path: Path,
    ) -> None:
        value = f"secret-{mine['quarterdeck.test']}-" + "x" * 100_000  # more than HTTP/2's first window
        context = dockerfile(
            tmp_path,
            "RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /length && head -c 40 /run/secrets/token",
            'CMD ["cat", "/length"]',
        )
        events: list[BuildEvent] = []

        async def keep(event: BuildEvent) -> None:
            events.append(event)

        result = await build(engine, BuildSpec(context, labels=mine, secrets={"token": Secret(value)}), on_event=keep)
        container = await containers.create(engine, ContainerSpec(result.image_id, labels=mine))
        await containers.start(engine, container)
        assert [line.text async for line in logs(engine, container, follow=True)] == [str(len(value))]
        needle = value[:30]
        assert all(needle not in layer.created_by for layer in await images.history(engine, result.image_id))
        saved = b"".join([chunk async for chunk in images.save(engine, result.image_id)])
        assert b"/run/secrets/token" in saved  # the search would find what is there
        assert needle.encode() not in saved
        with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
            for member in archive.getmembers():
                content = archive.extractfile(member)
                assert content is None or needle.encode() not in content.read()

    async def test_a_secret_that_was_not_given_fails_the_build(
        self,
        engine: Engine,
        mine: Labels,
        tmp_path: Path,
    ) -> None:
        context = dockerfile(tmp_path, "RUN --mount=type=secret,id=other,required=true cat /run/secrets/other")
        with pytest.raises(ProviderFailure) as caught:
            await build(engine, BuildSpec(context, labels=mine, secrets={"token": Secret("x")}))
        assert "other" in caught.value.message

    async def test_the_classic_builder_refuses_secrets(self, engine: Engine, tmp_path: Path) -> None:
        with pytest.raises(Invalid) as caught:
            await build(engine, BuildSpec(dockerfile(tmp_path), secrets={"a": Secret("x")}, builder="classic"))
        assert caught.value.code == "build_secrets_unsupported"

    @pytest.mark.parametrize("builder", BUILDERS)
    async def test_a_build_over_its_time_is_ended_on_the_engine_too(
        self,
        engine: Engine,
        mine: Labels,
        tmp_path: Path,
        builder: Builder,
    ) -> None:
        marker = f"/tmp/{mine['quarterdeck.test']}"
        context = dockerfile(tmp_path, f"RUN while :; do sleep 0.1; : {marker}; done")
        began = time.monotonic()
        with pytest.raises(Timeout) as caught:
            await build(engine, BuildSpec(context, labels=mine, builder=builder, limits=BuildLimits(seconds=2)))
        assert caught.value.code == "image_build_timeout"
        assert time.monotonic() - began < 6
        for _ in range(100):
            if not running_with(marker):
                break
            await asyncio.sleep(0.1)
        assert not running_with(marker)

    async def test_a_build_that_fills_the_disk_is_ended(
        self,
        engine: Engine,
        mine: Labels,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(limits, "WATCH_SECONDS", 0.3)
        context = dockerfile(tmp_path, "RUN dd if=/dev/zero of=/big bs=1M count=400 && sleep 20")
        with pytest.raises(ProviderFailure) as caught:
            await build(engine, BuildSpec(context, labels=mine, limits=BuildLimits(seconds=15, disk_bytes=200_000_000)))
        assert caught.value.code == "image_build_disk_exceeded"

    async def test_a_build_is_not_ended_for_what_others_write_on_the_disk(
        self,
        engine: Engine,
        mine: Labels,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(limits, "WATCH_SECONDS", 0.1)

        async def growing(_engine: Engine) -> limits.Probe:
            sizes = iter(range(0, 1_000_000_000_000, 300_000_000))

            async def used() -> int:
                return next(sizes)

            return used

        monkeypatch.setattr(builder_module, "disk_probe", growing)
        context = dockerfile(tmp_path, f"RUN sleep 2; : {mine['quarterdeck.test']}")
        done = await build(
            engine, BuildSpec(context, labels=mine, limits=BuildLimits(seconds=60, disk_bytes=200_000_000))
        )
        assert done.image_id

    @pytest.mark.root
    @pytest.mark.parametrize("builder", BUILDERS)
    async def test_a_build_over_its_memory_fails(
        self,
        engine: Engine,
        mine: Labels,
        tmp_path: Path,
        builder: Builder,
    ) -> None:
        grow = 'BEGIN { s = "x"; while (length(s) < 200000000) s = s s; print length(s) }'
        context = dockerfile(tmp_path, f"RUN awk '{grow}'")
        bounded = BuildLimits(seconds=60, memory_bytes=64 * 1024 * 1024, cpus=1)
        try:
            with pytest.raises(ProviderFailure) as caught:
                await build(engine, BuildSpec(context, labels=mine, builder=builder, no_cache=True, limits=bounded))
        finally:
            limit_parent(BuildLimits())
        assert "137" in caught.value.message


def running_with(marker: str) -> bool:
    """Whether a process of this machine carries the marker in its arguments."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in process.read_bytes():
                return True
        except OSError:
            continue
    return False
