"""A disk that is nearly full: nothing new is built, what runs goes on, and the way back still works."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.client import signed_in
from e2e.repositories import Repositories
from e2e.server import deck
from e2e.small_server import FILES, RUNTIME
from e2e.truth import rows, settled

pytestmark = [pytest.mark.edge, pytest.mark.root]


def test_a_nearly_full_disk_stops_builds_and_nothing_else(place: Path, repositories: Repositories) -> None:
    with deck(place / "disk") as made, signed_in(made) as client:
        repository = repositories.add("disk", FILES)
        application = client.application("disk", repository.source(), port=8000, runtime=RUNTIME)
        first = client.deployed(application)
        repository.release("2")
        second = client.succeeded(client.redeploy(application))
        settled(made, client, application, second)
        made.stop()
        made.extra["QUARTERDECK_LEAST_FREE_DISK"] = "100"  # no disk has that
        made.start()
        client.sign_in()
        repository.release("3")
        failed = client.wait(client.redeploy(application))
        assert failed["status"]["current"] == "failed"
        assert "of the disk of" in failed["latestFailure"]["message"], failed["latestFailure"]
        refused = rows(made, "SELECT error_code, error_hint FROM deploy_deployments WHERE status = 'failed'")
        assert [(code, "--least-free-disk" in hint) for code, hint in refused] == [("disk_low", True)]
        assert client.visit(client.hostname(second)).text.startswith("drill 2 ")
        details = client.get("/api/system/doctor")["readiness"]["details"]
        assert any("of the disk of" in text for text in details.values()), details
        back = client.succeeded(client.rollback(second, first))
        assert client.visit(client.hostname(back)).text.startswith("drill 1 ")
        made.stop()
        del made.extra["QUARTERDECK_LEAST_FREE_DISK"]
        made.start()
        client.sign_in()
        third = client.succeeded(client.redeploy(application))
        assert client.visit(client.hostname(third)).text.startswith("drill 3 ")
        settled(made, client, application, third)
