from __future__ import annotations

import pytest

from quarterdeck.kernel.errors import Conflict, Unavailable
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Unreadable, Vault

PLACE = ("workspace_variables", "uid-1", "value")


@pytest.fixture
def key_file(tmp_path):
    return tmp_path / "master.key"


@pytest.fixture
def vault(database, key_file):
    return unlocked(database, key_file)


def unlocked(database, key_file) -> Vault:
    vault = Vault(LocalBackend(key_file))
    vault.unlock(database)
    return vault


def test_a_sealed_text_opens_where_it_was_sealed(vault):
    sealed = vault.seal(*PLACE, "påss\nword")
    version, key_id, rest = sealed.split(".")
    assert (version, len(key_id)) == ("v1", 12)
    assert "=" not in rest
    assert "word" not in sealed
    assert vault.open(*PLACE, sealed).reveal() == "påss\nword"
    assert vault.seal(*PLACE, "påss\nword") != sealed


@pytest.mark.parametrize("moved", [("other", *PLACE[1:]), (PLACE[0], "uid-2", PLACE[2]), (*PLACE[:2], "other")])
def test_a_sealed_text_that_was_moved_does_not_open(vault, moved):
    sealed = vault.seal(*PLACE, "value-itself")
    with pytest.raises(Unreadable) as refusal:
        vault.open(*moved, sealed)
    assert refusal.value.code == "secret_unreadable"
    assert moved[1] in refusal.value.message
    assert "value-itself" not in f"{refusal.value.message}{refusal.value.details}"


def test_a_sealed_text_that_was_altered_or_is_none_does_not_open(vault):
    sealed = vault.seal(*PLACE, "value")
    flipped = "A" if sealed[-5] != "A" else "B"
    for wrong in (
        sealed[:-5] + flipped + sealed[-4:],
        sealed[:-8],
        "value",
        "v1..",
        "v1.unknown.AAAA",
        "v2" + sealed[2:],
    ):
        with pytest.raises(Unreadable):
            vault.open(*PLACE, wrong)


def test_another_process_opens_what_this_one_sealed(vault, database, key_file):
    other = unlocked(database, key_file)
    assert other.open(*PLACE, vault.seal(*PLACE, "x")).reveal() == "x"
    vault.renew_data_key(database)
    assert other.open(*PLACE, vault.seal(*PLACE, "y")).reveal() == "y"


def test_a_locked_vault_seals_nothing(key_file):
    with pytest.raises(Unavailable):
        Vault(LocalBackend(key_file)).seal(*PLACE, "x")


def test_a_new_master_key_rewraps_and_the_old_one_is_gone(vault, database, key_file):
    sealed, before = vault.seal(*PLACE, "x"), key_file.read_text()
    vault.renew_data_key(database)
    assert vault.rotate(database) == 2
    after = key_file.read_text()
    assert len(after.splitlines()) == 1
    assert after != before
    assert unlocked(database, key_file).open(*PLACE, sealed).reveal() == "x"


def test_a_process_that_runs_on_during_a_rotation_seals_under_the_new_master_key(vault, database, key_file):
    unlocked(database, key_file).rotate(database)
    vault.renew_data_key(database)
    sealed = vault.seal(*PLACE, "x")
    assert unlocked(database, key_file).open(*PLACE, sealed).reveal() == "x"


def test_the_key_file_is_readable_by_its_owner_alone(vault, key_file):
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key_file.parent.glob("*master*")] == ["master.key"]


def test_a_key_file_that_others_may_read_is_refused_with_the_remedy(vault, database, key_file):
    key_file.chmod(0o640)
    with pytest.raises(Conflict) as refusal:
        unlocked(database, key_file)
    assert refusal.value.code == "master_key_permissions"
    assert f"chmod 600 {key_file}" in (refusal.value.hint or "")


def test_no_new_master_key_is_made_where_data_keys_exist(vault, database, key_file):
    key_file.unlink()
    with pytest.raises(Conflict) as refusal:
        unlocked(database, key_file)
    assert refusal.value.code == "master_key_missing"
    assert not key_file.exists()


@pytest.mark.parametrize("text", ["", "garbage\n", "v1 abc AAAA\n"])
def test_a_damaged_key_file_is_refused(vault, database, key_file, text):
    key_file.write_text(text)
    with pytest.raises(Conflict) as refusal:
        unlocked(database, key_file)
    assert refusal.value.code == "master_key_damaged"


def test_a_master_key_of_another_installation_is_refused(vault, database, key_file, tmp_path):
    foreign = LocalBackend(tmp_path / "foreign.key")
    foreign.open(create=True)
    key_file.write_text((tmp_path / "foreign.key").read_text())
    with pytest.raises(Conflict) as refusal:
        unlocked(database, key_file)
    assert refusal.value.code == "data_key_unreadable"
