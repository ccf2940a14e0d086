"""Other ways to a certificate than the internet's authorities, and none at all."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from fleet.edge.conftest import root
from quarterdeck import front_door
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.ports import free_ports
from quarterdeck.kernel.settings import Settings
from quarterdeck.kernel.settings_reading import load
from serving.process import Served, serving
from support import certificates
from support.edge_traffic import until

__all__ = ["root"]
pytestmark = pytest.mark.edge
NAME = "deck.example.test"


def issued(place: Path, *, days: int = 30, name: str = NAME, issuer: str = "Harbour") -> tuple[Path, Path]:
    """A self-signed certificate and its key, written over what is there."""
    files = place / "deck.pem", place / "deck.key"
    for file, content in zip(files, certificates.issued(name, days=days, issuer=issuer), strict=True):
        file.write_bytes(content)
    return files


@pytest.fixture
async def opened(root: Path) -> AsyncIterator[Edge]:
    http, https = free_ports(2, "127.0.0.1")
    async with Edge(root, http_port=http, https_port=https, address="127.0.0.1") as edge:
        try:
            yield edge
        finally:
            await edge.stop(grace_seconds=1)


def settings(place: Path, **given) -> Settings:
    return load({"data_dir": place / "data", "public_url": f"https://{NAME}", **given})


async def shown(edge: Edge, chosen: Settings, issuer: str) -> front_door.Certificate:
    """The certificate, once it is by that issuer."""
    found: list[front_door.Certificate] = []

    async def look() -> bool:
        seen = await front_door.certificate(edge, chosen)
        found[:] = [seen] if seen is not None and issuer in seen.issuer else []
        return bool(found)

    await until(look, 20)
    return found[0]


async def test_a_certificate_of_ones_own_is_shown_and_its_renewal_too(opened: Edge, tmp_path: Path):
    certificate, key = issued(tmp_path)
    chosen = settings(tmp_path, tls_certificate=certificate, tls_key=key)
    door = asyncio.create_task(front_door.keep(opened, chosen, look_seconds=0.2))
    try:
        first = await shown(opened, chosen, "Harbour")
        issued(tmp_path, days=90, issuer="Lighthouse")
        second = await shown(opened, chosen, "Lighthouse")
        assert second.ends - first.ends > dt.timedelta(days=59)
    finally:
        door.cancel()


async def test_files_that_cannot_be_loaded_are_told_and_the_ones_before_serve_on(opened: Edge, tmp_path: Path):
    certificate, key = issued(tmp_path)
    whole = certificate.read_bytes()
    chosen = settings(tmp_path, tls_certificate=certificate, tls_key=key)
    with capture_logs() as said:
        door = asyncio.create_task(front_door.keep(opened, chosen, look_seconds=0.1))

        async def told(event: str) -> dict:
            async def look() -> bool:
                return any(line["event"] == event for line in said)

            await until(look, 20)
            return next(line for line in said if line["event"] == event)

        try:
            await shown(opened, chosen, "Harbour")
            assert front_door.unusable_files(chosen) is None
            certificate.write_bytes(whole[: len(whole) // 2])
            refused = await told("certificate_files_refused")
            assert f"for {NAME} is not one in PEM form" in refused["problem"]
            assert front_door.unusable_files(chosen) == "are not a certificate and its key in PEM form"
            assert "Harbour" in (await shown(opened, chosen, "Harbour")).issuer
            # Nobody has to begin anything anew: a mended one is taken by itself.
            issued(tmp_path, issuer="Lighthouse")
            await shown(opened, chosen, "Lighthouse")
        finally:
            door.cancel()


def test_what_is_wrong_with_files_is_said(tmp_path: Path):
    certificate, key = issued(tmp_path)
    chosen = settings(tmp_path, tls_certificate=certificate, tls_key=key)
    key.write_bytes(certificates.issued(NAME)[1])
    assert front_door.unusable_files(chosen) == "do not belong together"
    key.unlink()
    assert front_door.unusable_files(chosen) == "cannot be read (no such file or directory)"


async def test_the_edge_can_sign_by_itself(opened: Edge, tmp_path: Path):
    chosen = settings(tmp_path, tls="internal")
    door = asyncio.create_task(front_door.keep(opened, chosen))
    try:
        assert "Caddy" in (await shown(opened, chosen, "Caddy")).issuer
        # Who is given this file believes what the edge shows.
        root = front_door.root_certificate(opened, chosen)
        assert root is not None
        ssl.create_default_context(cafile=root)
        assert front_door.root_certificate(opened, settings(tmp_path)) is None
    finally:
        door.cancel()


async def test_a_way_in_that_is_not_wanted_any_more_is_taken_away(opened: Edge, tmp_path: Path):
    door = asyncio.create_task(front_door.keep(opened, settings(tmp_path, tls="internal")))

    async def there() -> bool:
        return front_door.ROUTE in await opened.routes()

    await until(there)
    door.cancel()
    await asyncio.wait_for(front_door.keep(opened, load({"data_dir": tmp_path / "data"})), 10)
    assert front_door.ROUTE not in await opened.routes()


async def test_an_edge_without_options_of_its_own_keeps_those_of_the_server(root: Path):
    """A worker of its own on the same machine changes routes too; the configuration must not flip."""
    http, https = free_ports(2, "127.0.0.1")
    ports = {"http_port": http, "https_port": https, "address": "127.0.0.1"}
    decided = front_door.edge_options(load({"data_dir": root / "data", "trusted_proxy": "10.0.0.0/8"}))
    async with Edge(root, options=decided, **ports) as server, Edge(root, **ports) as worker:
        try:
            await server.ensure_running()
            before = server.layout.current.read_bytes()
            await worker.ensure_running()
            assert server.layout.current.read_bytes() == before
            assert b"10.0.0.0/8" in before
        finally:
            await server.stop(grace_seconds=1)


def test_a_dead_certificate_authority_stops_nothing_and_is_told(root: Path):
    """The server runs, its own port answers, and the doctor says what is missing and where to look."""
    port, http, https = free_ports(3, "127.0.0.1")
    given = {"public_url": f"https://{NAME}", "acme_directory": "https://127.0.0.1:1/directory", "no_edge": None}
    ports = {"port": port, "edge_http_port": http, "edge_https_port": https}
    with (
        serving(root / "data", **ports, **given) as made,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        try:
            ready(client, made)
            token = re.search(r"Setup token for the first administrator: (\S+)", made.said())
            assert token is not None
            ada = {"username": "ada", "password": "correct horse battery staple"}
            answer = client.post("/api/auth/setup", json=ada, headers={"X-Setup-Token": token[1]})
            assert answer.is_success, answer.text
            bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}

            def told() -> str:
                """Empty where a look of the doctor is cut short on a machine that is busy."""
                details = client.get("/api/system/doctor", headers=bearer).json()["readiness"]["details"]
                if details.get("certificate") != "missing":
                    return ""
                return "".join(str(text) for text in details.values() if "no certificate for" in str(text))

            deadline = time.monotonic() + 60
            while "the certificate authority does not answer" not in told():
                assert time.monotonic() < deadline, told()
                time.sleep(0.2)
        finally:
            asyncio.run(stopped(root / "data" / "runtime"))


def ready(client: httpx.Client, made: Served) -> None:
    for _ in range(400):
        with contextlib.suppress(httpx.HTTPError):
            if client.get("/readyz").status_code == 200:
                return
        assert made.process.poll() is None, made.said()
        time.sleep(0.05)
    raise AssertionError(made.said())


async def stopped(runtime: Path) -> None:
    async with Edge(runtime) as edge:
        await edge.stop(grace_seconds=1)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, (80, 443, "")),
        ({"public_url": "https://deck.example.test:8443"}, (80, 8443, "")),
        ({"edge_http_port": 8080}, (8080, 443, "")),
        ({"edge_http_port": 0, "edge_https_port": 0}, (0, 0, None)),
        ({"tls": "off"}, (None, None, None)),
        ({"public_url": "http://deck.example.test"}, (None, None, None)),
        ({"public_url": None}, (None, None, None)),
        ({"no_edge": True}, (None, None, None)),
    ],
)
def test_who_serves_the_internet_takes_its_ports(tmp_path: Path, given, told):
    chosen = load({"data_dir": tmp_path / "data", "public_url": f"https://{NAME}", **given})
    assert front_door.place(chosen) == told


async def test_ports_that_were_all_that_was_free_once_do_not_stay_for_the_internet(root: Path, tmp_path: Path):
    http, https, later_http, later_https = free_ports(4, "127.0.0.1")
    async with Edge(root, http_port=http, https_port=https, address="127.0.0.1") as trial:
        await trial.ensure_running()
        await trial.stop(grace_seconds=1)
    chosen = settings(tmp_path, edge_http_port=later_http, edge_https_port=later_https)
    first, second, address = front_door.place(chosen)
    async with Edge(root, http_port=first, https_port=second, address=address) as edge:
        try:
            await edge.ensure_running()
            assert (edge.ports.http, edge.ports.https, edge.ports.address) == (later_http, later_https, "")
        finally:
            await edge.stop(grace_seconds=1)
