"""Another release takes over what the one before was in the middle of."""

from __future__ import annotations

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from e2e import server as processes
from e2e.client import signed_in
from e2e.repositories import Repositories
from e2e.server import deck
from e2e.small_server import FILES, RUNTIME
from e2e.truth import audit_problems, settled, until

pytestmark = [pytest.mark.edge, pytest.mark.root]
ROOT = Path(__file__).resolve().parents[2]
SLOW = {**RUNTIME, "installCommand": "sleep 4", "buildCommand": "sleep 4"}


def release_before(place: Path) -> Path:
    """The sources of the commit before the one that is tested."""
    shown = ["git", "-C", str(ROOT), "-c", "safe.directory=*", "archive", "HEAD^", "src"]
    packed = subprocess.run(shown, capture_output=True, check=False)
    assert packed.returncode == 0, f"needs the history of the repository (git fetch --deepen 1): {packed.stderr!r}"
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as tar:
        tar.extractall(place, filter="data")
    return place / "src"


def test_an_upgrade_carries_deployments_in_flight_to_their_end(
    place: Path, repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = release_before(place / "before")
    monkeypatch.setattr(processes, "SOURCES", before)
    with deck(place / "upgrade") as made, signed_in(made) as client:
        repository = repositories.add("upgrade", FILES)
        application = client.application("upgrade", repository.source(), port=8000, runtime=RUNTIME)
        first = client.deployed(application)
        settled(made, client, application, first)
        assert made.server is not None
        environment = Path(f"/proc/{made.server.pid}/environ").read_bytes().decode()
        assert f"PYTHONPATH={before}" in environment
        slow = client.application("slow", repository.source(), port=8001, runtime=SLOW)
        repository.release("2")
        flying = [client.redeploy(application), client.deploy(slow)]
        until(lambda: client.status(flying[1]) == "running", lambda: client.show(flying[1])["status"])
        made.stop(graceful=False)
        monkeypatch.setattr(processes, "SOURCES", ROOT / "src")
        made.start()
        client.sign_in()
        for deployment in flying:
            client.succeeded(deployment)
        assert client.visit(client.hostname(flying[0])).text.startswith("drill 2 ")
        assert client.visit(client.hostname(flying[1])).text.startswith("drill 2 ")
        settled(made, client, application, flying[0])
        assert audit_problems(made) == []
