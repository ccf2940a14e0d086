"""Passwords are kept as argon2id hashes that are dear to guess from."""

from __future__ import annotations

import subprocess
import sys

import pytest

from quarterdeck.identity import passwords
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret

PRINT = """
from quarterdeck.identity import passwords
from quarterdeck.kernel.vault import Secret
print(passwords.hashed(Secret("correct horse")), passwords.hashed(Secret("correct horse")), passwords._decoy())
"""


def test_a_hash_of_the_program_costs_what_rfc_9106_asks_for() -> None:
    """Asked of a process of its own, as a server is: hashes in this one are cheap."""
    told = subprocess.run([sys.executable, "-c", PRINT], capture_output=True, text=True, check=True).stdout.split()
    assert [one.rsplit("$", 2)[0] for one in told] == ["$argon2id$v=19$m=65536,t=3,p=4"] * 3
    assert len(set(told)) == 3


def test_a_password_is_known_again_and_no_other_is() -> None:
    stored = passwords.hashed(Secret("correct horse"))
    assert "correct" not in stored
    assert passwords.matches(stored, Secret("correct horse"))
    assert not passwords.matches(stored, Secret("correct hors"))
    assert not passwords.matches(None, Secret("a password that nobody has"))
    assert not passwords.matches("no hash", Secret("correct horse"))


@pytest.mark.parametrize("length", [0, 9, 513])
def test_a_password_of_a_strange_length_is_refused(length: int) -> None:
    with pytest.raises(Invalid, match="10 to 512"):
        passwords.check_new(Secret("x" * length))
