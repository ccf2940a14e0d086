"""What something that is no engine may answer in the place of one: refused by name, and in bounded memory."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

import httpx
import msgspec
import pytest

from quarterdeck.fleet.capacity.measuring import engine_usage
from quarterdeck.fleet.docker import images, stats, system
from quarterdeck.fleet.docker.engine import MOST_ANSWER, Engine, Pong, decode, read_ping
from quarterdeck.fleet.docker.logs import Frames, unstamp
from quarterdeck.fleet.edge.admin import AdminClient
from quarterdeck.kernel.answers import MOST
from quarterdeck.kernel.errors import ProviderFailure, Unavailable


class Sent(httpx.AsyncByteStream):
    def __init__(self, piece: bytes, times: int = 1) -> None:
        self.piece, self.times = piece, times

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.times):
            yield self.piece


def answering(stream: Sent, status: int = 200, headers: dict[str, str] | None = None) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(status, stream=stream, headers=headers))


def engine(stream: Sent, status: int = 200, headers: dict[str, str] | None = None) -> Engine:
    http = httpx.AsyncClient(transport=answering(stream, status, headers), base_url="http://docker")
    return Engine(http, "there", Pong((1, 41), True, "linux"))


@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_without_an_end_is_refused_before_it_fills_the_memory(status: int) -> None:
    tracemalloc.start()
    async with engine(Sent(b"x" * 1_000_000, 2000), status) as there:
        with pytest.raises(ProviderFailure) as refused:
            await system.info(there)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "more than" in refused.value.message
    assert peak < 4 * MOST_ANSWER


async def test_an_answer_that_is_packed_stays_packed() -> None:
    packed = gzip.compress(b"[" * 200_000_000, 1)
    tracemalloc.start()
    async with engine(Sent(packed), headers={"Content-Encoding": "gzip"}) as there:
        with pytest.raises(ProviderFailure):
            await system.info(there)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MOST_ANSWER


@pytest.mark.parametrize("version", ["1.\u00b2", "1." + "9" * 6000, "\u00b2.41", "1.41.2", "."])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(Unavailable):
        read_ping(200, {"Api-Version": version})


@pytest.mark.parametrize("size", [10**22, -(10**22), MOST + 1])
def test_sizes_that_nothing_could_keep_are_refused(size: int) -> None:
    with pytest.raises(ProviderFailure):
        decode(b'{"LayersSize":%d}' % size, system.DiskUsage)
    many = system.DiskUsage(images=[system.SizedImage(size=MOST, containers=0)] * 4000)
    msgspec.json.encode(engine_usage(many))


@pytest.mark.parametrize("line", [b"{", b"[]", b"\xff", b"[" * 99_999])
async def test_samples_and_events_that_are_none_are_refused(line: bytes) -> None:
    async with engine(Sent(line + b"\n")) as there:
        for told in (stats.stats(there, "one"), system.events(there)):
            async with aclosing(told) as running:
                with pytest.raises(ProviderFailure) as refused:
                    await anext(running)
                assert refused.value.code == "docker_error"


@pytest.mark.parametrize("line", [b'{"read":7}', b'{"memory_stats":{"usage":1e99}}'])
def test_a_sample_with_other_fields_is_refused(line: bytes) -> None:
    with pytest.raises(ProviderFailure):
        decode(line, stats.Raw)


def test_a_frame_that_would_never_end_is_refused() -> None:
    with pytest.raises(ProviderFailure):
        Frames().feed(b"\x01\0\0\0\xff\xff\xff\xff")


@pytest.mark.parametrize("stamp", [b"9999-99-99T99:99:99Z", b"0001-01-01T00:00:00+23:59", b"2026-13-01T00:00:00Z"])
def test_a_time_that_is_none_belongs_to_the_line(stamp: bytes) -> None:
    assert unstamp(stamp + b" text")[1] == 0


def test_a_fraction_of_any_length_is_a_time_of_its_second() -> None:
    _, nanos = unstamp(b"2026-01-01T00:00:00.1234567891111Z text")
    assert nanos // 1_000_000_000 == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def test_ports_that_are_none_are_left_out() -> None:
    declared = {"\u00b2/tcp": {}, "80/tcp": {}, "9" * 6000: {}, "70000/tcp": {}, "-/tcp": {}}
    image = images.Image("x", config=images.ImageConfig(exposed_ports=declared))
    assert image.exposed_ports == [80]


@pytest.mark.parametrize(
    "said", [b"", b"{", b"7", b"\xff", b"[" * 100_000, b'[{"address":1}]', b'[{"num_requests":"x"}]']
)
async def test_an_edge_that_is_none_is_refused_by_name(said: bytes) -> None:
    async with AdminClient(answering(Sent(said))) as edge:
        for asked in (edge.configuration(), edge.in_flight()):
            with pytest.raises(ProviderFailure) as refused:
                await asked
            assert refused.value.code == "edge_proxy_unreadable"


async def test_an_edge_that_never_stops_is_refused() -> None:
    async with AdminClient(answering(Sent(b"x" * 1_000_000, 2000))) as edge:
        with pytest.raises(ProviderFailure):
            await edge.metrics()
