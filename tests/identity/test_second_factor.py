"""Codes of an authenticator are good once; recovery codes too; and the secret lies sealed."""

from __future__ import annotations

import pyotp
import pytest
from sqlalchemy import text

from quarterdeck.identity import second_factor
from quarterdeck.identity.model import User
from quarterdeck.kernel.errors import Conflict, Invalid


def begun(house) -> pyotp.TOTP:
    secret, address = house.write(lambda tx: second_factor.begin(tx, tx.get(User, house.ada.id)))
    assert address.reveal().startswith("otpauth://totp/Quarterdeck:ada?secret=" + secret.reveal())
    return pyotp.TOTP(secret.reveal())


def code(house, totp: pyotp.TOTP, steps: int = 0) -> str:
    return totp.at(int(house.db.clock.now().timestamp()) + 30 * steps)


def enabled(house) -> tuple[pyotp.TOTP, list[str]]:
    totp = begun(house)
    codes = house.write(lambda tx: second_factor.confirm(tx, tx.get(User, house.ada.id), code(house, totp, -1)))
    return totp, [one.reveal() for one in codes]


def check(house, given: str) -> bool:
    return house.write(lambda tx: second_factor.check(tx, tx.get(User, house.ada.id), given))


def test_a_code_is_good_for_its_step_and_the_ones_beside_it_and_once(house):
    totp, _ = enabled(house)
    assert not check(house, code(house, totp, -1))  # it confirmed
    assert not check(house, code(house, totp, 2))
    assert check(house, code(house, totp))
    assert not check(house, code(house, totp))
    assert check(house, code(house, totp, 1))
    assert not check(house, code(house, totp))  # older than the newest that was used


@pytest.mark.parametrize("wrong", ["", "000000x", "\uff11" * 6, "12345", "abcdef", "-" * 20, "\x00" * 6])
def test_what_is_no_code_is_wrong(house, wrong):
    enabled(house)
    assert not check(house, wrong)


def test_a_wrong_code_confirms_nothing_and_a_new_beginning_replaces_the_pending_one(house):
    first = begun(house)
    second = begun(house)
    with pytest.raises(Invalid):
        house.write(lambda tx: second_factor.confirm(tx, tx.get(User, house.ada.id), code(house, first)))
    assert house.fresh(house.ada).totp_enabled_at is None
    house.write(lambda tx: second_factor.confirm(tx, tx.get(User, house.ada.id), code(house, second)))
    with pytest.raises(Conflict):
        begun(house)


def test_recovery_codes_are_ten_good_once_and_end_with_new_ones(house):
    _, codes = enabled(house)
    assert len(set(codes)) == 10
    assert check(house, codes[0])
    assert not check(house, codes[0])
    assert check(house, codes[1].upper().replace("-", ""))
    assert house.db.read_sync(lambda tx: second_factor.codes_left(tx, tx.get(User, house.ada.id))) == 8
    new = house.write(lambda tx: second_factor.renew_codes(tx, tx.get(User, house.ada.id)))
    assert not check(house, codes[2])
    assert check(house, new[0].reveal())
    assert house.told("user.recovery") == [
        "user.recovery-code-used", "user.recovery-code-used", "user.recovery-codes-renewed", "user.recovery-code-used",
    ]  # fmt: skip


def test_switching_it_off_forgets_everything(house):
    totp, codes = enabled(house)
    house.write(lambda tx: second_factor.disable(tx, tx.get(User, house.ada.id)))
    assert not check(house, code(house, totp))
    assert not check(house, codes[0])
    with pytest.raises(Conflict):
        house.write(lambda tx: second_factor.disable(tx, tx.get(User, house.ada.id)))


def test_neither_the_secret_nor_a_code_lies_open(house):
    totp, codes = enabled(house)
    stored = house.db.read_sync(
        lambda tx: [
            str(row)
            for table in ("identity_users", "identity_recovery_codes", "audit_events")
            for row in tx.execute(text(f"SELECT * FROM {table}"))
        ]
    )
    for secret in (totp.secret, *codes, *(one.replace("-", "") for one in codes)):
        assert not any(secret in row for row in stored)
