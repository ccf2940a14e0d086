"""`qd audit heads` and `qd audit verify --heads`: a trail that was emptied, cut or made anew is found by what was kept
elsewhere; where there is no database, a sentence says so and nothing is made.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cli.conftest import Result
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.kernel import audit
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.db.migrate import migrate
from quarterdeck.kernel.instance import identity
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault

Command = Callable[..., Result]


def installed(path: Path) -> DataDirectory:
    data = DataDirectory.open(path)
    migrate(data.database)
    vault = Vault(LocalBackend(data.master_key))
    database = open_database(data.database, vault=vault)
    try:
        vault.unlock(database)
        database.write_sync(identity)
        _write(database, 3)
    finally:
        database.close_sync()
    return data


def _write(database, count: int) -> None:
    for number in range(count):
        what = {"resource_type": "thing", "resource_id": f"thg_{number}"}
        database.write_sync(audit.record, IdentityAction.SIGNED_IN, **what)
    database.write_sync(audit.seal)


def further(data: DataDirectory) -> None:
    database = open_database(data.database)
    try:
        _write(database, 2)
    finally:
        database.close_sync()


def rewritten(data: DataDirectory, *statements: str) -> None:
    """As somebody who owns the file can do it: without the triggers."""
    with sqlite3.connect(data.database) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)
    raw.close()


EMPTIED = tuple(
    f"DELETE FROM {table}" for table in ("audit_seals", "audit_events", "audit_tombstones", "audit_unsealed")
)
CUT = tuple(
    f"DELETE FROM {table} WHERE {row} >= 2" for table, row in (("audit_seals", "event_id"), ("audit_events", "id"))
)


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return installed(tmp_path / "data")


@pytest.fixture
def kept(data: DataDirectory, tmp_path: Path, qd: Command) -> Path:
    file = tmp_path / "heads.json"
    result = qd("audit", "heads", "--data-dir", str(data.path), "--to", str(file))
    assert (result.code, result.out) == (0, ""), result.err
    assert "Signed the ends of 1 chain with the key SHA256:" in result.err
    assert file.stat().st_mode & 0o777 == 0o600
    return file


def test_a_trail_that_went_on_holds_against_what_was_signed(data: DataDirectory, kept: Path, qd: Command) -> None:
    further(data)
    result = qd("audit", "verify", "--data-dir", str(data.path), "--heads", str(kept))
    assert result.code == 0, result.err
    assert "The audit trail is whole. Sealed events: 5" in result.out
    assert "It goes on from the ends that were signed at 20" in result.out
    again = qd("audit", "heads", "--data-dir", str(data.path), "--to", str(kept))
    assert (again.code, "is there already" in again.err) == (1, True)


def test_the_file_is_checked_elsewhere_with_nothing_of_ours(kept: Path) -> None:
    """As ADR 0036 says it: the JSON without its signature, keys sorted, no spaces, against the public key in it."""
    fields = json.loads(kept.read_text())
    signature, key = (base64.b64decode(fields[name]) for name in ("signature", "publicKey"))
    del fields["signature"]
    verifier = Ed25519PublicKey.from_public_bytes(key)
    verifier.verify(signature, json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())
    fields["readAt"] = "2020-01-01T00:00:00.000Z"
    with pytest.raises(InvalidSignature):
        verifier.verify(signature, json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())


def test_while_the_server_runs_the_console_is_named(data: DataDirectory, qd: Command) -> None:
    data.lock()
    try:
        result = qd("audit", "verify", "--data-dir", str(data.path))
    finally:
        data.release()
    assert result.code == 6
    assert "While the server runs, the console proves the trail: Audit, Verify now." in result.err


@pytest.mark.parametrize(("done", "ends"), [(EMPTIED, 0), (CUT, 1)], ids=["emptied", "cut"])
def test_a_trail_that_was_emptied_or_cut_is_found_by_what_was_signed(
    done: tuple[str, ...], ends: int, data: DataDirectory, kept: Path, qd: Command
) -> None:
    rewritten(data, *done)
    assert qd("audit", "verify", "--data-dir", str(data.path)).code == 0  # it holds in itself
    result = qd("audit", "verify", "--data-dir", str(data.path), "--heads", str(kept))
    assert result.code == 1
    assert f"seal-missing: The chain ends at {ends}, before 3 that was written down." in result.err
    assert "The audit trail is not whole: 1 finding." in result.err


def test_a_trail_that_was_made_anew_is_found(data: DataDirectory, kept: Path, qd: Command) -> None:
    rewritten(data, *EMPTIED)
    further(data)
    further(data)
    result = qd("audit", "verify", "--data-dir", str(data.path), "--heads", str(kept))
    assert result.code == 1
    assert "differs from the one that was written down" in result.err


def test_heads_that_somebody_changed_or_others_signed_are_refused(
    data: DataDirectory, kept: Path, tmp_path: Path, qd: Command
) -> None:
    found = json.loads(kept.read_text())
    (chain,) = found["heads"]
    found["heads"][chain]["position"] = 1
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(found))
    result = qd("audit", "verify", "--data-dir", str(data.path), "--heads", str(changed))
    assert (result.code, "is not as it was signed" in result.err) == (2, True)

    other = installed(tmp_path / "other")
    result = qd("audit", "verify", "--data-dir", str(other.path), "--heads", str(kept))
    assert (result.code, "was signed by another installation" in result.err) == (2, True)

    for text in ("", "[]", '{"heads": {}}'):
        changed.write_text(text)
        result = qd("audit", "verify", "--data-dir", str(data.path), "--heads", str(changed))
        assert (result.code, "holds no signed chain ends" in result.err) == (2, True)
        result = qd("audit", "verify", "--data-dir", str(data.path), "--anchors", str(changed))
        assert result.code == (0 if "heads" in text else 2)
    result = qd("audit", "verify", "--data-dir", str(data.path), "--heads", str(tmp_path / "nothing"))
    assert (result.code, "cannot be read (No such file or directory)" in result.err) == (2, True)


@pytest.mark.parametrize("verb", ["verify", "heads"])
def test_where_there_is_no_database_a_sentence_says_so_and_nothing_is_made(
    verb: str, tmp_path: Path, qd: Command
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    result = qd("audit", verb, "--data-dir", str(place))
    assert result.code == 5
    assert f"There is no database in {place}" in result.err
    assert list(place.iterdir()) == []
    (place / "quarterdeck.db").touch()
    result = qd("audit", verb, "--data-dir", str(place))
    assert (result.code, f"The database of {place} is empty" in result.err) == (5, True)
    (place / "quarterdeck.db").write_text("no database at all, but a text of some length" * 100)
    result = qd("audit", verb, "--data-dir", str(place))
    assert (result.code, "is damaged, or not a SQLite database" in result.err) == (6, True)


def test_a_database_without_an_installation_gets_none_by_asking(tmp_path: Path, qd: Command) -> None:
    data = DataDirectory.open(tmp_path / "data")
    migrate(data.database)
    result = qd("audit", "heads", "--data-dir", str(data.path))
    assert (result.code, "belongs to no installation" in result.err) == (5, True)
    assert not data.master_key.exists()
