"""The host's book of user numbers goes with the last installation that is in it, and with nobody else's."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quarterdeck.fleet.processes import accounts
from quarterdeck.fleet.targets import uninstalling
from quarterdeck.fleet.targets.host import LocalHost
from quarterdeck.fleet.targets.uninstalling import SHARED


@pytest.mark.root
@pytest.mark.parametrize(
    ("others", "kept"), [([], None), (["gone"], None), (["there"], SHARED), (["gone", "there"], SHARED)]
)
async def test_it_goes_with_the_last_directory_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: list[str], kept: str | None
) -> None:
    book = tmp_path / "numbers" / "accounts.json"
    monkeypatch.setattr(accounts, "PLACE", book)
    monkeypatch.delenv(accounts.VARIABLE, raising=False)
    root = tmp_path / "runtime"
    remote: Any = SimpleNamespace(host=LocalHost(), root=root)
    assert await uninstalling._numbers(remote, None) == []
    for name in ("there", "gone"):
        if name in others:
            accounts.assign(tmp_path / name / "processes", "app")
    accounts.assign(root / "processes", "app")
    if "gone" in others:
        (tmp_path / "gone" / "processes" / accounts.OWN).unlink()
        (tmp_path / "gone" / "processes").rmdir()
    (one,) = await uninstalling._numbers(remote, None)
    assert (one.kind, one.name, one.kept) == ("directory", str(book.parent), kept)
    (one,) = await uninstalling._numbers(remote, SHARED)  # somebody else's things lie beside ours
    assert one.kept == SHARED
    assert await uninstalling._remove(remote, "instance", one) is None
    assert not book.parent.exists()


async def test_one_that_is_damaged_is_named_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = tmp_path / "numbers" / "accounts.json"
    monkeypatch.setattr(accounts, "PLACE", book)
    book.parent.mkdir()
    book.write_text(json.dumps({"directories": []}))
    remote: Any = SimpleNamespace(host=LocalHost(), root=tmp_path)
    (one,) = await uninstalling._numbers(remote, None)
    assert "damaged" in str(one.kept)
