"""Backups of installations whose master keys lie elsewhere: no key belongs to them, and a restore proves what opens."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from backups.house import SECRET, House, opens
from fakes.transit_server import OPERATOR, Key, transit_server
from quarterdeck.backups import taking
from quarterdeck.backups.record import last
from quarterdeck.backups.restoring import Wanted, check, restore
from quarterdeck.backups.taking import take
from quarterdeck.cli.main import run
from quarterdeck.kernel.errors import Conflict, Problem, Unavailable
from quarterdeck.kernel.settings_reading import load
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.choosing import backends


@pytest.fixture
def server():
    with transit_server() as found:
        yield found
        assert found.unknown == []


@pytest.fixture
def moved(house: House, server) -> House:
    """Under Transit, with no master key left here."""
    switch(house, server)
    house.data.master_key.unlink()
    return house


def switch(house: House, server, *, rotated: bool = True) -> None:
    house.settings = {"key_backend": "transit", "transit_address": server.url, "transit_token": OPERATOR}
    with house.opened() as instance:
        if rotated:
            instance.vault.rotate(instance.db)
        else:
            instance.vault.renew_data_key(instance.db)


def wanted(house: House, **given) -> Wanted:
    known = backends(load(house.settings), house.directory / "master.key")
    return house.wanted(backends=known, **given)


def refused(kind: type[Problem], call, *given) -> Problem:
    with pytest.raises(kind) as raised:
        call(*given)
    assert OPERATOR not in f"{raised.value.message}{raised.value.hint}"
    return raised.value


@pytest.mark.parametrize("passphrase", [None, Secret("correct horse battery")])
def test_no_master_key_belongs_to_a_backup_of_a_backend_elsewhere(moved: House, tmp_path: Path, passphrase) -> None:
    file, manifest = take(moved.data, moved.address, tmp_path / "kept.tar.gz", passphrase=passphrase)
    assert (manifest.header.key, manifest.backends, manifest.needs_master_key) == ("backend", {"transit"}, False)
    with tarfile.open(file) as opened:
        assert not any("master.key" in name for name in opened.getnames())
    noted = last(moved.data)
    assert noted is not None
    assert noted.key == "backend"
    shutil.rmtree(moved.directory)
    restore(file, moved.directory, wanted(moved))
    assert not (moved.directory / "master.key").exists()
    with moved.opened(restored=True) as instance:
        assert opens(instance, moved) == SECRET


def test_a_restore_is_refused_where_the_backend_is_not_configured_down_or_another_one(
    moved: House, server, tmp_path: Path
) -> None:
    file, _ = take(moved.data, moved.address, tmp_path / "kept.tar.gz")
    elsewhere = tmp_path / "elsewhere"

    def tried(wanted: Wanted) -> Conflict:
        told = refused(Problem, restore, file, elsewhere, wanted)
        assert not elsewhere.exists()
        return told

    assert tried(moved.wanted(elsewhere=True)).code == "backup_backend_missing"
    server.sealed = True
    assert tried(wanted(moved, elsewhere=True)).code == "key_backend_unavailable"
    assert refused(Unavailable, check, file, wanted(moved)).code == "key_backend_unavailable"
    server.sealed = False
    kept, server.keys["transit/quarterdeck"] = server.keys["transit/quarterdeck"], Key()
    told = tried(wanted(moved, elsewhere=True))
    assert (told.code, "transit/quarterdeck:v1" in told.message) == ("backup_key_wrong", True)
    server.keys["transit/quarterdeck"] = kept
    restore(file, elsewhere, wanted(moved, elsewhere=True))


def test_secrets_of_two_backends_need_both(house: House, server, tmp_path: Path) -> None:
    switch(house, server, rotated=False)
    file, manifest = take(house.data, house.address, tmp_path / "kept.tar.gz")
    assert (manifest.header.key, manifest.backends, manifest.needs_master_key) == ("apart", {"transit"}, True)
    key = house.wipe()
    assert refused(Conflict, restore, file, house.directory, wanted(house)).code == "backup_key_missing"
    assert refused(Conflict, restore, file, house.directory, house.wanted(key=key)).code == "backup_backend_missing"
    restore(file, house.directory, wanted(house, key=key))
    with house.opened(restored=True) as instance:
        assert opens(instance, house) == SECRET


def test_a_key_that_was_rotated_under_the_backup_is_not_put_into_it(house: House, tmp_path: Path, monkeypatch) -> None:
    copied = taking._copy

    def rotated_meanwhile(*given):
        made = copied(*given)
        with house.opened() as instance:
            instance.vault.rotate(instance.db)
        return made

    monkeypatch.setattr(taking, "_copy", rotated_meanwhile)
    kept = tmp_path / "kept"
    kept.mkdir()
    with pytest.raises(Conflict) as raised:
        take(house.data, house.address, kept, with_key=True)
    assert raised.value.code == "backup_key_rotated"
    assert list(kept.iterdir()) == []
    monkeypatch.undo()
    take(house.data, house.address, kept, with_key=True)


def test_the_command_line_says_which_backend_opens_the_secrets(server, tmp_path: Path, capsys, monkeypatch) -> None:
    house = House(tmp_path / "data", None, None)
    with house.opened():
        pass
    switch(house, server)
    house.data.master_key.unlink()
    places = ("--data-dir", str(house.directory))
    assert run(("backup", str(tmp_path / "kept.tar.gz"), "--with-key", *places)) == 0
    assert "opened by the key backend (transit)" in capsys.readouterr().out
    file = str(tmp_path / "kept.tar.gz")
    assert run(("restore", "--check", file)) == 0
    assert "give the settings of the key backend transit." in capsys.readouterr().out
    monkeypatch.setenv("QUARTERDECK_TRANSIT_ADDRESS", server.url)
    monkeypatch.setenv("QUARTERDECK_TRANSIT_TOKEN", OPERATOR)
    assert run(("restore", "--check", file, "-o", "json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["dataKeysOpened"], told["masterKey"], told["keyBackends"]) == (1, "backend", ["transit"])
    house.directory.rename(tmp_path / "lost")
    house.directory.mkdir(mode=0o700)
    (house.directory / "quarterdeck.toml").write_text('key_backend = "transit"\n')
    assert run(("restore", file, *places)) == 0
