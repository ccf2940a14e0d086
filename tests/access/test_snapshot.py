"""The snapshot of grants, and changes that come while it is made."""

from __future__ import annotations

import threading

import pytest

from quarterdeck.access import Access, decide, grants
from quarterdeck.access.decide import compiled
from quarterdeck.identity import granting, setup, users
from quarterdeck.identity.machine import Machine
from quarterdeck.kernel.db import Tx, open_database
from quarterdeck.kernel.principal import Principal
from support.databases import fresh_database


async def test_a_change_that_comes_while_the_snapshot_is_made_is_not_lost(database, monkeypatch):
    access = Access()

    def granted(tx: Tx) -> tuple[int, int]:
        user, organization = users.create(tx, username="ada"), setup.default_organization(tx)
        grants.give(tx, access, user.id, organization.id, "organization:owner")
        return user.id, organization.id

    user, organization = await database.write(granted)
    access.changed()
    execute = Tx.execute

    def slow(tx, *given):
        """Between what the snapshot reads and its keeping, the grant goes."""
        rows = execute(tx, *given).freeze()
        monkeypatch.setattr(Tx, "execute", execute)
        other = threading.Thread(target=database.write_sync, args=(grants.take_all, access, user, organization))
        other.start()
        other.join()
        access.changed()
        return rows()

    monkeypatch.setattr(Tx, "execute", slow)
    await access.ready(database)
    assert access.loaded
    assert access.roles(user, organization) == frozenset()


async def test_a_snapshot_made_of_the_one_before_is_the_one_that_all_grants_make(database):
    access = Access()

    def people(tx: Tx) -> tuple[list[int], int]:
        organization = setup.default_organization(tx).id
        made = [users.create(tx, username=name).id for name in ("ada", "ben", "eve")]
        for user in made:
            grants.give(tx, access, user, organization, "organization:owner")
        return made, organization

    (ada, ben, eve), organization = await database.write(people)
    steps = (
        (grants.take, ada, organization, "organization:owner"),
        (grants.give, ben, organization, "tasks:admin"),
        (grants.take_all, eve, organization),
        (grants.give, eve, organization + 1, "broker:admin"),
    )
    await access.ready(database)
    for verb, *given in steps:
        await database.write(verb, access, *given)
        assert not access.loaded
        await access.ready(database)
        assert access._snapshot == await database.read(compiled)
    await database.write(lambda tx: grants.give(tx, access, eve, organization, "tasks:developer", scope="[1]"))
    access.changed()
    await access.ready(database)
    assert access._snapshot == await database.read(compiled)
    assert access.roles(ben, organization) == {"organization:owner", "tasks:admin"}


async def test_after_many_changes_all_grants_are_read_again(database, monkeypatch):
    monkeypatch.setattr(decide, "MOST_STALE", 1)
    access = Access()
    organization = await database.write(lambda tx: setup.default_organization(tx).id)
    await access.ready(database)
    for user in (7, 8, 9):
        await database.write(grants.give, access, user, organization, "organization:owner")
    await access.ready(database)
    assert [access.roles(user, organization) for user in (7, 8, 9)] == [frozenset({"organization:owner"})] * 3


async def test_what_a_unit_sees_that_began_before_a_change_is_nobody_elses_snapshot(database):
    """Nor the base of later ones: a role that was taken would come back."""
    access = Access()

    def people(tx: Tx) -> tuple[int, int, int]:
        ada, ben = (users.create(tx, username=name).id for name in ("ada", "ben"))
        organization = setup.default_organization(tx).id
        grants.give(tx, access, ada, organization, "organization:owner")
        return ada, ben, organization

    ada, ben, organization = await database.write(people)
    await access.ready(database)

    def reads(tx: Tx) -> None:
        setup.default_organization(tx)  # from here on it sees what stands now
        other = threading.Thread(target=database.write_sync, args=(grants.take_all, access, ada, organization))
        other.start()
        other.join()
        access.load(tx)

    await database.read(reads)
    assert not access.loaded
    await access.ready(database)
    assert access.roles(ada, organization) == frozenset()
    await database.write(grants.give, access, ben, organization, "organization:viewer")
    await access.ready(database)
    assert (access.roles(ada, organization), len(access.roles(ben, organization))) == (frozenset(), 1)


async def test_a_unit_that_nobody_prepared_has_the_snapshot_it_needs(database):
    """Dropped in the same unit, too: nothing waits for somebody else to make one."""
    access = Access()

    def asked(tx: Tx) -> list[bool]:
        user, organization = users.create(tx, username="ada"), setup.default_organization(tx)
        grants.give(tx, access, user.id, organization.id, "organization:owner")
        tx.act_as(users.principal(user, organization.id))
        answers = []
        for _ in range(2):
            access.changed()
            answers.append(Machine(access).answers(tx, "access:read"))
            answers.append(granting.explain(tx, access, user, "access:read").allowed)
            access.changed()
            answers.append(granting.could_give(tx, access, "access:read") == ("ada",))
        return answers

    assert await database.write(asked) == [True] * 6
    await access.ready(database)
    assert access.loaded


async def test_nobody_is_refused_for_want_of_a_snapshot(database):
    """A grant of somebody else changes in the middle of a request, which has asked for the snapshot already."""
    access = Access()

    def granted(tx: Tx) -> tuple[Principal, int]:
        user, organization = users.create(tx, username="ada"), setup.default_organization(tx)
        grants.give(tx, access, user.id, organization.id, "organization:owner")
        return users.principal(user, organization.id), organization.id

    asking, organization = await database.write(granted)
    await access.ready(database)
    access.changed()
    assert access.decide(asking, "deploy:projects.list").allowed
    await database.write(grants.take_all, access, asking.id, organization)
    await access.ready(database)
    assert not access.decide(asking, "deploy:projects.list").allowed


@pytest.mark.postgresql
async def test_what_another_server_changes_counts_from_the_next_decision_on_without_any_wake_up(postgresql, tmp_path):
    with fresh_database("postgresql", tmp_path, postgresql) as url:
        here, there = open_database(str(url)), open_database(str(url))
        mine, theirs = Access(), Access()
        theirs.from_elsewhere = True

        def granted(tx: Tx) -> tuple[int, int]:
            user, organization = users.create(tx, username="ada"), setup.default_organization(tx)
            grants.give(tx, mine, user.id, organization.id, "organization:owner")
            return user.id, organization.id

        user, organization = await here.write(granted)
        await theirs.ready(there)
        assert theirs.roles(user, organization) == {"organization:owner"}
        known = theirs._snapshot
        await theirs.ready(there)
        assert theirs._snapshot is known, "nothing has changed, so nothing is read again"
        await here.write(grants.take, mine, user, organization, "organization:owner")
        await theirs.ready(there)
        assert theirs.roles(user, organization) == frozenset()

        def fails(tx: Tx) -> None:
            grants.give(tx, mine, user, organization, "organization:viewer")
            raise RuntimeError

        with pytest.raises(RuntimeError):
            await here.write(fails)
        await theirs.ready(there)
        assert theirs.roles(user, organization) == frozenset()
        here.close_sync()
        there.close_sync()
