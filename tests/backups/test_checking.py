"""What `quarterdeck restore --check` says of the key that opens the secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backups.house import House
from quarterdeck.backups.taking import take
from quarterdeck.cli.main import run
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.local import LocalBackend


@pytest.fixture
def checked(capsys: pytest.CaptureFixture[str]):
    def call(file: Path, *words: str) -> tuple[int, str]:
        """Exit status, and what is told."""
        capsys.readouterr()
        status = run(("restore", "--check", str(file), *words))
        said = capsys.readouterr()
        return status, said.out + said.err

    return call


def test_a_check_says_whether_the_key_opens_the_secrets(house: House, tmp_path: Path, checked) -> None:
    with house.opened() as instance:
        instance.vault.renew_data_key(instance.db)
    file, _ = take(house.data, house.address, tmp_path / "kept.tar.gz")
    status, said = checked(file)
    assert (status, f"{file} is whole (" in said) == (0, True)
    assert "Whether its secrets can be opened was not tried" in said
    key = str(house.data.master_key)
    status, said = checked(file, "--key", key)
    assert (status, "The master key opens its secrets (2 data keys)." in said) == (0, True)
    assert json.loads(checked(file, "-o", "json")[1])["dataKeysOpened"] is None
    assert json.loads(checked(file, "--key", key, "-o", "json")[1])["dataKeysOpened"] == 2
    other = tmp_path / "other.key"
    LocalBackend(other).open(create=True)
    status, said = checked(file, "--key", str(other))
    assert (status, "is whole" in said, "does not open the secrets" in said) == (6, False, True)


def test_a_check_opens_the_key_that_lies_in_the_backup(tmp_path: Path, checked) -> None:
    made = House(tmp_path / "data", None, None)
    with made.opened():
        pass
    words = tmp_path / "passphrase"
    words.write_text("correct horse battery\n")
    plain, _ = take(made.data, made.address, tmp_path / "plain.tar.gz", with_key=True)
    assert "opens its secrets (1 data key)." in checked(plain)[1]
    sealed, _ = take(made.data, made.address, tmp_path / "sealed.tar.gz", passphrase=Secret(words.read_text()[:-1]))
    assert "was not tried" in checked(sealed)[1]
    assert "opens its secrets (1 data key)." in checked(sealed, "--passphrase", f"@{words}")[1]
