"""A disk that is full: what runs goes on, what is asked for is refused with what to do, and room heals it all."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.afterwards import SERVER
from e2e.client import Client, Refused, signed_in
from e2e.repositories import Repositories
from e2e.server import Deck, deck
from e2e.truth import audit_problems, error_code, leftovers, rows, settled, unfinished_jobs, until

pytestmark = [pytest.mark.edge, pytest.mark.root]

PLAIN = {"strategy": "workspace-commands", "startCommand": "python3 server.py"}


@pytest.fixture(scope="module")
def small(place: Path, database_url: str | None, worker_kind: str) -> Iterator[Deck]:
    """An installation on a small disk of its own."""
    home = place / f"small-{worker_kind}-{bool(database_url)}"
    disk = home / "data"
    disk.mkdir(parents=True)
    home.chmod(0o711)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=711", "tmpfs", disk], check=True)
    try:
        with deck(home, database_url=database_url, remote_worker=worker_kind == "remote") as made:
            yield made
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture(scope="module")
def client(small: Deck) -> Iterator[Client]:
    with signed_in(small) as made:
        yield made


@contextlib.contextmanager
def full(deck: Deck, *, leave: int) -> Iterator[None]:
    """Somebody else fills the disk but for some bytes."""
    file = deck.data / "somebody-elses"
    try:
        with file.open("wb", buffering=0) as filling, contextlib.suppress(OSError):
            while True:
                filling.write(b"x" * 65_536)
        with file.open("rb+") as filling:
            filling.truncate(max(0, file.stat().st_size - leave))
        yield
    finally:
        file.unlink()


def test_a_deployment_on_a_nearly_full_disk_is_refused_before_it_takes_the_rest(
    small: Deck, client: Client, repositories: Repositories
) -> None:
    application = client.application("roomy", repositories.add("roomy", {"server.py": SERVER}).source(), runtime=PLAIN)
    first = client.deployed(application)
    settled(small, client, application, first)
    with full(small, leave=2_000_000):
        deployment = client.redeploy(application)
        shown = client.wait(deployment, 60)
        assert shown["status"]["current"] == "failed"
        assert error_code(small, deployment) == "disk_low"
        assert "of the disk of" in shown["latestFailure"]["message"]
        assert "more room" in shown["latestFailure"]["message"]
        assert client.visit(client.hostname(first)).text == "dockerfile 1\n"
        assert client.get("/api/system/doctor")["readiness"]["status"] == "degraded"
        settled(small, client, application, first)
    second = client.succeeded(client.redeploy(application))
    settled(small, client, application, second)


def test_a_full_disk_refuses_changes_and_loses_none_that_was_answered(
    small: Deck, client: Client, repositories: Repositories
) -> None:
    application = client.application("tight", repositories.add("tight", {"server.py": SERVER}).source(), runtime=PLAIN)
    first = client.deployed(application)
    settled(small, client, application, first)
    before = _projects(small)
    admitted: list[str] = []
    refusals: list[Refused] = []
    kept = 0
    with full(small, leave=0):
        while len(refusals) < 3 and kept < (20 if small.database_url else 2000):
            try:
                client.post("/api/projects", {"name": f"No room {kept}"})
                kept += 1
            except Refused as refused:
                refusals.append(refused)
        assert len(refusals) == (0 if small.database_url else 3)
        for one in refusals:
            assert (one.status, one.code) == (503, "database_unavailable"), one
            assert "space" in str(one)
        with contextlib.suppress(Refused):
            admitted.append(client.redeploy(application))
        assert client.visit(client.hostname(first)).text == "dockerfile 1\n"
        assert _projects(small) == before + kept
    for deployment in admitted:
        assert client.wait(deployment, 60)["status"]["current"] in {"failed", "succeeded"}
    last = client.succeeded(client.redeploy(application))
    settled(small, client, application, last)
    assert _projects(small) == before + kept
    until(lambda: unfinished_jobs(small) == [], lambda: unfinished_jobs(small))
    assert leftovers(small) == []
    assert audit_problems(small) == []


def _projects(deck: Deck) -> int:
    return int(rows(deck, "SELECT COUNT(*) FROM workspace_projects")[0][0])
