"""A machine burns down: another one is given the backup and the key, and everything works as it did."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from e2e.client import Client, signed_in
from e2e.repositories import Repositories
from e2e.server import PROGRAM, Deck, deck, environment
from e2e.small_server import FILES, RUNTIME
from e2e.truth import audit_problems, rows, settled, until

pytestmark = [pytest.mark.edge, pytest.mark.root]


def quarterdeck(made: Deck, *arguments: str) -> dict[str, object]:
    options = ["--data-dir", str(made.data)]
    if made.database_url and arguments[0] == "restore":
        options += ["--database-url", f"@{made.data.parent / 'database-url'}"]
    variables = {"QUARTERDECK_DATABASE_URL": f"@{made.data.parent / 'database-url'}"} if made.database_url else {}
    done = subprocess.run(
        [*PROGRAM, *arguments, *options, "-o", "json"],
        env=environment(None, **variables), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout, done.stderr)
    return dict(json.loads(done.stdout))


def facts(made: Deck) -> dict[str, list[tuple[object, ...]]]:
    """What has to be the same afterwards."""
    return {
        "deployments": rows(made, "SELECT ref, status, artifact, plan, runtime FROM deploy_deployments ORDER BY ref"),
        "serving": rows(made, "SELECT ref, serving_id FROM deploy_resources ORDER BY ref"),
        "users": rows(made, "SELECT uid, username, email, password_hash FROM identity_users ORDER BY uid"),
        "audit": rows(made, "SELECT id, action, resource_id FROM audit_events WHERE action NOT LIKE 'session.%'"),
    }


def burn(made: Deck, keep: Path) -> None:
    """Everything that ran is ended, everything that was kept is gone, but for the key and the backup."""
    shutil.copy(made.data / "master.key", keep)
    made.destroy()
    shutil.rmtree(made.data)


def test_the_drill(place: Path, repositories: Repositories) -> None:
    with deck(place / "drill") as made, signed_in(made) as client:
        drill(made, client, repositories, place)


def drill(made: Deck, client: Client, repositories: Repositories, place: Path) -> None:
    repository = repositories.add("drill", FILES)
    application = client.application("drill", repository.source(), port=8000, runtime=RUNTIME)
    secret = {"key": "CODE", "value": "0000-secret", "kind": "secret", "exposure": "runtime", "isSecret": True}
    client.post(f"/api/resources/{application.id}/variables", secret)
    site = client.application("site", repositories.sample("static", "drill-site").source(), port=80)
    first = client.deployed(application)
    repository.release("2")
    second = client.succeeded(client.redeploy(application))
    served = client.deployed(site)
    settled(made, client, application, second)
    assert client.visit(client.hostname(second)).text == "drill 2 0000-secret"
    before, host, site_host = facts(made), client.hostname(second), client.hostname(served)
    told = quarterdeck(made, "backup", str(place / "drill.tar.gz"))
    assert told["releases"] == 3
    made.stop()
    burn(made, place / "apart.key")
    quarterdeck(made, "restore", str(place / "drill.tar.gz"), "--key", str(place / "apart.key"))
    assert facts(made) == before
    made.start()
    client.sign_in()
    # No trace of the processes is left: the server starts again what should run, with the secret from the vault.
    until(lambda: client.visit(host).text == "drill 2 0000-secret", lambda: (client.visit(host).text, made.log()))
    assert ">static 1<" in client.visit(site_host).text
    assert audit_problems(made) == []
    repository.delete()
    third = client.succeeded(client.rollback(second, first))
    assert client.visit(client.hostname(third)).text == "drill 1 0000-secret"
    settled(made, client, application, third)
