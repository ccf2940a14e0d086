"""A sealed key that somebody wrote by hand: refused as any other that does not open, whatever it asks for."""

from __future__ import annotations

import base64
import json

import pytest

from quarterdeck.backups.keys import seal, unseal
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault import Secret

PASSPHRASE = Secret("correct horse battery")
FORGED = (
    {"lanes": 0}, {"lanes": -1}, {"lanes": 2**33}, {"lanes": 200}, {"time_cost": 0}, {"time_cost": -5},
    {"time_cost": 10**9}, {"memory_kib": 1}, {"memory_kib": 2**40}, {"salt": ""},
    {"salt": base64.b64encode(b"x").decode()}, {"text": ""}, {"text": base64.b64encode(b"x").decode()},
)  # fmt: skip


@pytest.mark.parametrize("part", FORGED, ids=str)
def test_a_forged_one_is_refused(part: dict[str, object]) -> None:
    sealed = seal(b"k" * 32, PASSPHRASE, "one", Ids())
    assert unseal(sealed, PASSPHRASE, "one") == b"k" * 32
    with pytest.raises(Problem) as caught:
        unseal(json.dumps(json.loads(sealed) | part).encode(), PASSPHRASE, "one")
    assert caught.value.code == "backup_passphrase_wrong"
