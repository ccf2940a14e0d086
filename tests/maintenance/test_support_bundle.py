"""A support bundle tells facts and no secret: canaries sit wherever a person may have put one."""

from __future__ import annotations

import asyncio
import json
import tarfile
from pathlib import Path
from typing import Any

from backups.house import House
from maintenance.commands import addressed, typed
from quarterdeck.identity import sessions, setup, users
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.audit import Action
from quarterdeck.kernel.clock import SystemClock
from quarterdeck.kernel.logs import Line

CANARY = "canary7Qx"
"""In every value that is put anywhere; a word of its own, so that any trace of it is found."""


class Seen(Action):
    CANARY = "support-test.seen"


def bundled(house: House, file: Path, **variables: str) -> dict[str, str]:
    options = ("--bundle", str(file), "--data-dir", str(house.directory))
    status, told = typed("doctor", *options, **addressed(house.directory, house.url), **variables)
    assert status == 0, told
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as tar:
        made = {Path(one.name).name: tar.extractfile(one).read().decode() for one in tar if one.isreg()}  # type: ignore[union-attr]
    assert sorted(made) == told["contents"]
    return made


def sow(house: House) -> list[str]:
    """Canaries in rows, files, logs and settings; answers values that are secrets by themselves."""
    token: list[str] = []
    with house.opened() as instance:

        def fill(tx: Any) -> None:
            user = users.create(
                tx,
                email=f"{CANARY}@{CANARY}.test",
                username=f"{CANARY}-user",
                display_name=CANARY,
                password_hash=CANARY,
            )
            made = sessions.open_session(
                tx, user, setup.default_organization(tx), kinds=("session",), client_kind="web", user_agent=CANARY
            )
            token.append(made.tokens["session"].reveal())
            audit.record(tx, Seen.CANARY, resource_type="thing", resource_id=CANARY, detail={"note": CANARY})
            events.append(tx, f"thing:{CANARY}", "thing-seen", {"text": CANARY})
            tx.execute(
                "UPDATE jobs SET state = 'failed', error_code = :short, error_message = :told, result = :told, "
                "payload = :told, subject = :short",
                {"told": f"password is {CANARY}", "short": f"password is {CANARY}"},
            )

        instance.db.write_sync(fill)
        line = Line(SystemClock().now(), "application", "stdout", None, "info", CANARY)
        asyncio.run(instance.logs.store(f"runtime:{CANARY}", [line]))
    edge = house.directory / "runtime" / "edge"
    for place in ("routes", "log"):
        (edge / place).mkdir(parents=True)
    route = {"kind": "redirect", "id": CANARY, "hostnames": [f"{CANARY}.test"], "target": f"https://{CANARY}@x/"}
    (edge / "routes" / "r.json").write_text(json.dumps(route))
    complaint = {"level": "error", "ts": "2026-01-01", "logger": "tls", "msg": CANARY, "error": f"for {CANARY}.test"}
    (edge / "log" / "caddy.json").write_text(json.dumps(complaint) + "\n" + CANARY)
    (edge / "log" / "access.json").write_text(CANARY)
    (house.directory / "runtime" / "releases" / CANARY).mkdir(parents=True)
    (house.directory / "quarterdeck.toml").write_text(f'acme_email = "{CANARY}@example.com"\n')
    return token


def test_nothing_that_a_person_put_anywhere_gets_into_it(house: House, tmp_path: Path) -> None:
    secrets = [CANARY, *sow(house), (house.directory / "master.key").read_text().split()[2]]
    made = bundled(house, tmp_path / "support.tar.gz", QUARTERDECK_PUBLIC_URL=f"https://{CANARY.lower()}.example.com")
    everything = "\n".join(made.values())
    for secret in [*secrets, CANARY.lower()]:
        assert secret not in everything, [name for name, text in made.items() if secret in text]
    assert "hunter" not in everything
    database = json.loads(made["database.json"])
    assert all("error" not in part for part in database.values() if isinstance(part, dict)), database
    assert database["rows"]["identity_users"] == 2
    assert [one["code"] for one in database["failedJobs"]] == ["(not a word)"] * 5
    assert database["audit"]["whole"] is True
    assert json.loads(made["edge.json"])["routes"] == [{"kind": "redirect", "tls": "disabled"}]
    assert json.loads(made["settings.json"])["given"][-2:] == ["public_url", "acme_email"]
    assert json.loads(made["directory.json"])["files"]["master.key"]["mode"] == "600"


def test_it_is_made_while_the_server_runs_and_where_nothing_is_left(house: House, tmp_path: Path) -> None:
    with house.opened():
        assert json.loads(bundled(house, tmp_path / "1.tar.gz")["database.json"])["rows"]["audit_events"] > 0
    options = ("--bundle", str(tmp_path / "1.tar.gz"), "--data-dir", str(house.directory))
    status, told = typed("doctor", *options, **addressed(house.directory, house.url))
    assert (status, told["error"]["code"]) == (1, "bundle_failed")
    if house.url is None:
        (house.directory / "quarterdeck.db").write_bytes(b"no database at all" * 400)
        broken = bundled(house, tmp_path / "2.tar.gz")
        assert json.loads(broken["schema.json"]) == {"error": "database_damaged"}
        assert json.loads(broken["program.json"])["release"]
