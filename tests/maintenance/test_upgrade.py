"""Migrations pending at a start: locked, backed up, all or nothing."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest

from e2e.server import PROGRAM, environment
from maintenance.commands import addressed
from quarterdeck.backups.restoring import check
from quarterdeck.backups.taking import take
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.db.migrate import create, current, pending, revisions
from support.databases import empty_database

OLD, NEW = revisions()[-2], revisions()[-1]


@pytest.fixture
def old(database_kind, tmp_path, request):
    """An installation at the schema before the present one, as its own release left it: directory and address."""
    server = request.getfixturevalue("postgresql") if database_kind == "postgresql" else None
    data = DataDirectory.open(tmp_path / "data")
    with contextlib.ExitStack() as undo:
        address: str | Path = data.database
        if server:
            address = str(undo.enter_context(empty_database(database_kind, tmp_path, server)))
        create(address, OLD, lambda connection: connection.execute(
            "INSERT INTO instance (id, uid, signing_key, created_at) VALUES (1, 'uid-of-old', 'x', 0)"
        ))  # fmt: skip
        yield data, address


def migrate(data: DataDirectory, address: str | Path, **faults: str) -> subprocess.CompletedProcess[str]:
    """What `serve` does at its start, ended right after it."""
    script = (
        "import sys; from pathlib import Path; from quarterdeck.instance import Instance; "
        "from quarterdeck.kernel.settings_reading import load; "
        "Instance.open(load({'data_dir': sys.argv[1], 'no_edge': True}))"
    )
    url = address if isinstance(address, str) else None
    variables = {**addressed(data.path, url), **faults}
    return subprocess.run(
        [PROGRAM[0], "-c", script, str(data.path)], env=environment(None, **variables), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("point", ["migrate.begin", "migrate.applied"])
def test_an_upgrade_that_is_cut_off_changes_nothing_and_is_begun_again(old, tmp_path, point):
    data, address = old
    cord = tmp_path / "cord"
    cord.mkdir()
    (cord / "armed").write_text(f"{point} 1")
    assert migrate(data, address, QUARTERDECK_FAULTS=str(cord)).returncode == -9
    assert current(address) == OLD
    assert pending(address) == [NEW]
    kept = sorted((data.path / "backups").iterdir())
    assert [file.name.split("-")[1] for file in kept] == [OLD]
    assert kept[0].stat().st_mode & 0o777 == 0o600
    migrate(data, address)
    assert current(address) == NEW
    assert pending(address) == []


def test_the_copy_made_before_an_upgrade_is_sound(old):
    data, address = old
    migrate(data, address)
    (kept,) = (data.path / "backups").iterdir()
    if isinstance(address, str):
        from quarterdeck.backups.restoring import Wanted

        assert check(kept, Wanted(address=address)).header.schema == OLD
    else:
        assert current(kept) == OLD


def test_a_backup_can_be_made_before_the_upgrade_by_the_new_program(old, tmp_path):
    data, address = old
    release = data.runtime / "releases" / "dep_1"
    release.mkdir(parents=True)
    (release / "file").write_text("kept")
    _, manifest = take(data, address, tmp_path)
    assert manifest.header.schema == OLD
    assert manifest.releases == {"dep_1"}
