"""One vault and several key backends: switching, mixtures, backends that are down, and rotations that are cut off."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from fakes.transit_server import OPERATOR, Key, transit_server
from kernel.vault.house import PLACE, House
from quarterdeck.kernel.errors import Conflict, Problem, Unavailable
from quarterdeck.kernel.settings import Settings
from quarterdeck.kernel.vault import Secret, rotating
from quarterdeck.kernel.vault.choosing import vault_of
from support.kms import SESSION, kms


@pytest.fixture
def house(database, tmp_path):
    with transit_server() as server:
        yield House(database, tmp_path / "master.key", server)
        assert server.unknown == []


def refused(kind: type[Problem], call, *given, **named) -> Problem:
    with pytest.raises(kind) as raised:
        call(*given, **named)
    assert raised.value.hint
    assert OPERATOR not in f"{raised.value.message}{raised.value.hint}{raised.value.details}"
    return raised.value


def test_an_installation_begins_with_a_backend_elsewhere_and_has_no_master_key_here(house) -> None:
    sealed = house.unlocked("transit").seal(*PLACE, "x")
    assert house.under() == ["transit/quarterdeck:v1"]
    assert [row.backend for row in house.rows()] == ["transit"]
    assert not house.master_key.exists()
    assert house.unlocked("transit").open(*PLACE, sealed).reveal() == "x"


def test_switching_is_settings_a_start_and_a_rotation(house) -> None:
    before = house.unlocked("local")
    before.renew_data_key(house.database)
    sealed = before.seal(*PLACE, "x")
    switched = house.unlocked("transit")
    assert switched.elsewhere == ("local",)
    assert switched.open(*PLACE, sealed).reveal() == "x"
    assert switched.rotate(house.database) == 2
    assert house.under() == ["transit/quarterdeck:v1"] * 2  # a key that wraps nothing yet needs no new version
    house.master_key.unlink()
    alone = house.unlocked("transit")
    assert (alone.elsewhere, alone.open(*PLACE, sealed).reveal()) == ((), "x")
    assert alone.rotate(house.database) == 2
    assert house.under() == ["transit/quarterdeck:v2"] * 2
    assert before.open(*PLACE, sealed).reveal() == "x"  # a server that runs on has them in memory
    back = house.unlocked("local")
    assert back.rotate(house.database) == 2
    house.server.down = 503
    assert house.unlocked("local").open(*PLACE, sealed).reveal() == "x"


def test_every_change_of_keys_stands_in_the_trail(house) -> None:
    vault = house.unlocked("local")
    key_id = vault.renew_data_key(house.database)
    house.unlocked("transit").rotate(house.database)
    (renewed, first), (rotated, second) = house.audited()
    assert (renewed, rotated) == ("vault.data-key-renewed", "vault.rotated")
    assert (key_id in first, key_id in second) == (True, True)
    assert '"transit/quarterdeck:v1"' in second
    assert OPERATOR not in first + second


def test_a_backend_that_is_not_configured_any_more_is_named(house) -> None:
    house.unlocked("transit")
    told = refused(Conflict, vault_of(Settings(), house.master_key).unlock, house.database)
    assert (told.code, "transit" in told.message) == ("key_backend_not_configured", True)


def test_a_master_key_that_some_data_key_still_needs_is_missed(house) -> None:
    house.unlocked("local")
    house.unlocked("transit").renew_data_key(house.database)
    assert [row.backend for row in house.rows()] == ["local", "transit"]
    house.master_key.unlink()
    assert refused(Conflict, house.vault("transit").unlock, house.database).code == "master_key_missing"
    assert not house.master_key.exists()


def test_keys_of_several_backends_open_side_by_side(house) -> None:
    first = house.unlocked("local")
    one = first.seal(*PLACE, "one")
    second = house.unlocked("transit")
    second.renew_data_key(house.database)
    two = second.seal(*PLACE, "two")
    third = house.unlocked("local")
    assert [third.open(*PLACE, sealed).reveal() for sealed in (one, two)] == ["one", "two"]
    assert first.open(*PLACE, two).reveal() == "two"  # taken up when it is met
    assert [one.wrong for one in third.standing(house.database)] == [None, None]


@pytest.mark.parametrize("made_before", [False, True])
def test_a_backend_that_is_down_at_the_start_stops_it_and_nothing_is_made_anew(house, made_before) -> None:
    if made_before:
        house.unlocked("transit")
    rows = house.rows()
    house.server.down = 503
    told = refused(Unavailable, house.vault("transit").unlock, house.database)
    assert (told.code, house.server.url in told.message) == ("key_backend_unavailable", True)
    assert house.rows() == rows
    assert not house.master_key.exists()
    house.server.down = None
    house.unlocked("transit")


def test_a_backend_that_goes_down_later_stops_new_keys_alone(house) -> None:
    vault = house.unlocked("transit")
    sealed, rows = vault.seal(*PLACE, "x"), house.rows()
    house.server.sealed = True
    assert vault.open(*PLACE, vault.seal(*PLACE, "y")).reveal() == "y"
    vault.refresh()
    for call in (vault.renew_data_key, vault.rotate):
        assert refused(Unavailable, call, house.database).code == "key_backend_unavailable"
    assert house.rows() == rows
    assert house.audited() == []
    assert [one.wrong.code for one in house.vault("transit").standing(house.database)] == ["key_backend_unavailable"]
    house.server.sealed = False
    assert vault.rotate(house.database) == 1
    assert house.unlocked("transit").open(*PLACE, sealed).reveal() == "x"


def test_a_data_key_that_cannot_be_unwrapped_now_changes_nothing_that_is_known(house) -> None:
    vault = house.unlocked("transit")
    sealed = vault.seal(*PLACE, "x")
    house.unlocked("transit").renew_data_key(house.database)
    house.server.down = 500
    assert refused(Unavailable, vault.refresh).code == "key_backend_unavailable"
    assert vault.open(*PLACE, sealed).reveal() == "x"
    assert vault.seal(*PLACE, "y").split(".")[1] == sealed.split(".")[1]
    house.server.down = None
    vault.refresh()
    assert vault.seal(*PLACE, "y").split(".")[1] == house.rows()[1].id


def test_a_backend_that_wraps_and_does_not_unwrap_gets_no_data_key(house) -> None:
    vault = house.unlocked("local")
    sealed, rows = vault.seal(*PLACE, "x"), house.rows()
    house.server.policies[OPERATOR] = {"*/keys/*": {"read"}, "*/encrypt/*": {"update"}}
    switched = house.unlocked("transit")
    for call in (switched.renew_data_key, switched.rotate):
        assert refused(Conflict, call, house.database).code == "key_backend_refused"
    assert house.rows() == rows
    assert house.unlocked("local").open(*PLACE, sealed).reveal() == "x"


def test_a_key_that_may_not_be_rotated_by_us_is_rotated_by_its_operator(house) -> None:
    vault = house.unlocked("transit")
    house.server.policies[OPERATOR] = {"*/keys/quarterdeck": {"read"}, "*crypt/*": {"update"}}
    assert "--keep-master-key" in (refused(Conflict, vault.rotate, house.database).hint or "")
    house.server.keys["transit/quarterdeck"].rotate()
    assert vault.rotate(house.database) == 1  # there is a newer version already: none is made
    assert vault.rotate(house.database, stage=False) == 1
    assert house.under() == ["transit/quarterdeck:v2"]


def test_another_key_of_the_same_name_opens_nothing(house) -> None:
    house.unlocked("transit")
    house.server.keys["transit/quarterdeck"] = Key()
    told = refused(Conflict, house.vault("transit").unlock, house.database)
    assert (told.code, "transit/quarterdeck:v1" in told.message) == ("data_key_unreadable", True)


@pytest.mark.parametrize("field", ["wrapped", "master_key_id", "id"])
@pytest.mark.parametrize("backend", ["local", "transit"])
def test_wraps_that_were_exchanged_do_not_open(house, backend, field) -> None:
    house.unlocked(backend).renew_data_key(house.database)
    house.unlocked(backend).rotate(house.database)
    first, second = house.rows()
    values = {
        "wrapped": f"UPDATE vault_keys SET wrapped = '{second.wrapped}' WHERE id = '{first.id}'",
        "master_key_id": f"UPDATE vault_keys SET master_key_id = 'transit/other:v1' WHERE id = '{first.id}'",
        "id": f"UPDATE vault_keys SET id = 'other' WHERE id = '{first.id}'",
    }
    house.database.write_sync(lambda tx: tx.execute(values[field]))
    told = refused(Conflict, house.vault(backend).unlock, house.database)
    assert told.code in {"data_key_unreadable", "key_backend_key_missing"}
    assert refused(Conflict, house.vault(backend).rotate, house.database).code == told.code


class Cut(BaseException):
    """As the end of the process: nothing catches it."""


@pytest.mark.parametrize("at", ["vault.staged", "vault.rewrapped"])
@pytest.mark.parametrize("backend", ["local", "transit"])
def test_a_rotation_that_was_cut_off_leaves_everything_readable_and_is_finished(
    house, monkeypatch, backend, at
) -> None:
    vault = house.unlocked(backend)
    sealed = vault.seal(*PLACE, "x")

    def cut(name: str) -> None:
        if name == at:
            raise Cut

    monkeypatch.setattr(rotating, "point", cut)
    monkeypatch.setattr(rotating, "committing", lambda tx, name: cut(name))
    with pytest.raises(Cut):
        vault.rotate(house.database)
    assert len(set(house.under())) == 1
    assert house.audited() == []
    monkeypatch.undo()
    again = house.unlocked(backend)
    assert again.open(*PLACE, sealed).reveal() == "x"
    assert again.rotate(house.database) == 1
    assert house.unlocked(backend).open(*PLACE, sealed).reveal() == "x"
    if backend == "local":
        assert len(house.master_key.read_text().splitlines()) == 1
    else:
        assert house.under() == ["transit/quarterdeck:v2"]  # the version that was made and not used yet


@pytest.mark.parametrize("backend", ["local", "transit"])
def test_rotations_and_new_data_keys_at_one_moment_lose_none(house, backend) -> None:
    vault = house.unlocked(backend)
    sealed = vault.seal(*PLACE, "x")
    busy: list[str] = []

    def run(call) -> None:
        try:
            call(house.database)
        except Conflict as problem:
            busy.append(problem.code)

    calls = [house.unlocked(backend).rotate for _ in range(3)]
    calls += [house.unlocked(backend).renew_data_key for _ in range(3)]
    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(busy) <= {"vault_busy"}
    after = house.unlocked(backend)
    assert after.open(*PLACE, sealed).reveal() == "x"
    assert [one.wrong for one in after.standing(house.database)] == [None] * len(house.rows())
    assert sum(row.active for row in house.rows()) == 1
    after.rotate(house.database)
    assert len(set(house.under())) == 1


def test_a_data_key_wrapped_under_a_master_key_that_is_gone_is_not_kept(house, monkeypatch) -> None:
    vault, rows = house.unlocked("local"), house.rows()
    wrapped = vault._wrapping.wrapped

    def rotated_meanwhile(key_id: str, plain: bytes):
        made = wrapped(key_id, plain)
        house.unlocked("local").rotate(house.database)
        return made

    monkeypatch.setattr(vault._wrapping, "wrapped", rotated_meanwhile)
    assert refused(Conflict, vault.renew_data_key, house.database).code == "vault_busy"
    assert [row.id for row in house.rows()] == [row.id for row in rows]


def test_a_vault_of_the_local_backend_imports_nothing_of_the_others() -> None:
    made = "from quarterdeck.kernel.vault.choosing import vault_of; vault_of(Settings(), Path('master.key'))"
    seen = f"import sys; from pathlib import Path; from quarterdeck.kernel.settings import Settings; {made}; "
    seen += "print([name for name in sys.modules if name.endswith(('.transit', '.aws_kms')) or name == 'httpx'])"
    assert subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_data_keys_move_from_transit_to_aws_and_back(house, monkeypatch) -> None:
    monkeypatch.setattr("boto3.session.Session", lambda: SESSION)
    sealed = house.unlocked("transit").seal(*PLACE, "x")
    with kms() as aws:
        given = {"aws_kms_key": aws.key(), "aws_kms_endpoint": aws.url}
        given |= {"aws_kms_access_key": Secret("AKIAHIDDEN"), "aws_kms_secret_key": Secret("hidden")}
        moved = house.unlocked("aws-kms", **given)
        assert moved.elsewhere == ("transit",)
        assert moved.rotate(house.database) == 1
        assert house.under() == [given["aws_kms_key"].rpartition("/")[2]]
        house.server.sealed = True
        alone = house.unlocked("aws-kms", **given)
        assert alone.open(*PLACE, sealed).reveal() == "x"
        alone.renew_data_key(house.database)
        assert alone.rotate(house.database) == 2  # under the same key: KMS has its material rotated itself
        house.server.sealed = False
        assert house.unlocked("transit", **given).rotate(house.database) == 2
        assert aws.unknown == []
    after = house.unlocked("transit")
    assert after.open(*PLACE, sealed).reveal() == "x"
    assert not house.master_key.exists()
