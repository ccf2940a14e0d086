"""Which releases a backup holds: those that its own rows need."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from quarterdeck.backups import databases, postgresql
from quarterdeck.backups.taking import take
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.kernel.db import Tx
from support.harbour import Harbour


async def test_a_release_that_is_given_up_while_a_backup_is_made_is_in_it(
    tmp_path: Path, database_address: str | Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path if isinstance(database_address, Path) else tmp_path / "data"
    harbour = await Harbour.open(directory, database_address, 0, {"kind": "local-folder", "locator": str(tmp_path)})
    await harbour.end(await harbour.create())  # needed as well, but no directory is kept of it
    kept = await harbour.end(await harbour.create())
    data = harbour.instance.data
    for name in (kept.ref, "unneeded"):
        place = data.runtime / "releases" / name
        place.mkdir(parents=True)
        (place / "file").write_text("served")

    def give_up(tx: Tx) -> None:
        row, resource = tx.get(Deployment, kept.id), tx.first(select(Resource))
        assert row is not None
        assert resource is not None
        resource.serving_id, row.artifact_retained, row.retired_at = None, False, tx.now

    def meanwhile(told: Any) -> Any:
        def facts(*args: Any) -> Any:
            answer = told(*args)
            harbour.instance.db.write_sync(give_up)
            return answer

        return facts

    # The first that is asked of a copy: from then on the installation goes on without it.
    monkeypatch.setattr(databases, "facts", meanwhile(databases.facts))
    monkeypatch.setattr(postgresql.Snapshot, "facts", meanwhile(postgresql.Snapshot.facts))
    out = tmp_path / "out"
    out.mkdir()
    told: list[str] = []
    file, _ = take(data, database_address, out, say=told.append)
    await harbour.instance.close()
    with tarfile.open(file) as packed:
        names = {name for name in packed.getnames() if "releases/" in name}
    assert names == {f"runtime/releases/{kept.ref}", f"runtime/releases/{kept.ref}/file"}
    assert told[1] == "Packing them, with 1 release."
