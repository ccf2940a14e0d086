"""Looks for drift may work with a cloud identity of their own, of the account of what was applied."""

from __future__ import annotations

import pytest
from tests.infra.plans.test_identities import applied, aws, cloud, connected, edited, now  # noqa: F401 - a fixture

from quarterdeck.infra.clouds import binding, connecting
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs import cloning, flat
from quarterdeck.kernel.errors import Problem


def code(run) -> str:
    with pytest.raises(Problem) as refused:
        run()
    return refused.value.code


def test_looks_alone_work_with_it(yard, cloud):  # noqa: F811
    own, reader = cloud(1), cloud(1, "reader")
    spec = aws(yard, own, drift_cloud_identity_id=reader.uid)
    assert now(yard, spec).configuration_hash == aws(yard, own).configuration_hash
    applied(yard, spec)
    look = yard.job(yard.ask("PLAN", now(yard, spec), read_only=True))
    assert (look.cloud_identity_id, look.snapshot["cloud_identity_id"]) == (reader.id, reader.uid)
    for job_type in ("PLAN", "DESTROY"):
        assert yard.job(yard.ask(job_type, now(yard, spec))).cloud_identity_id == own.id


def test_what_a_change_leaves_out_stays_and_null_takes_it_away(yard, cloud):  # noqa: F811
    own, reader = cloud(1), cloud(1, "reader")
    spec = aws(yard, own, drift_cloud_identity_id=reader.uid)
    edited(yard, spec, cloud_identity_id=own.uid)
    assert now(yard, spec).drift_cloud_identity_id == reader.id
    kept = now(yard, spec)
    (shown,) = yard.db.read_sync(lambda tx: flat.around(tx, [kept]))
    assert flat.flat(shown)["drift_cloud_identity_id"] == reader.uid
    assert yard.act(cloning.clone, spec.uid, "other").drift_cloud_identity_id == reader.id
    edited(yard, spec, cloud_identity_id=own.uid, drift_cloud_identity_id=None)
    assert now(yard, spec).drift_cloud_identity_id is None
    look = yard.job(yard.ask("PLAN", now(yard, spec), read_only=True))
    assert look.cloud_identity_id == own.id


def test_one_that_does_not_see_what_was_applied_is_refused(yard, cloud):  # noqa: F811
    own, foreign, google = cloud(1), cloud(2), yard.identity("gcp")
    assert code(lambda: aws(yard, own, drift_cloud_identity_id=foreign.uid)) == "drift_identity_foreign"
    assert code(lambda: aws(yard, own, drift_cloud_identity_id=google.uid)) == "infra_provider_mismatch"
    assert code(lambda: aws(yard, own, drift_cloud_identity_id="0" * 8 + own.uid[8:])) == "spec_invalid"
    spec, unproved = aws(yard, own), cloud(1)
    yard.act(lambda tx: setattr(tx.get(CloudIdentity, unproved.id), "verified_at", None))
    both = {"cloud_identity_id": own.uid, "drift_cloud_identity_id": unproved.uid}
    assert code(lambda: edited(yard, spec, **both)) == "cloud_identity_unverified"
    assert now(yard, spec).drift_cloud_identity_id is None


def test_both_go_to_another_account_together(yard, cloud):  # noqa: F811
    own, reader, other = cloud(1), cloud(1, "reader"), cloud(2)
    spec = aws(yard, own, drift_cloud_identity_id=reader.uid)
    assert code(lambda: edited(yard, spec, cloud_identity_id=other.uid)) == "drift_identity_foreign"
    edited(yard, spec, cloud_identity_id=other.uid, drift_cloud_identity_id=None)
    assert now(yard, spec).cloud_identity_id == other.id


def test_a_look_with_one_that_was_connected_to_another_account_is_refused(yard, cloud):  # noqa: F811
    own, reader = cloud(1), cloud(1, "reader")
    spec = aws(yard, own, drift_cloud_identity_id=reader.uid)
    connected(yard, reader, 2, "reader")
    assert yard.refused("PLAN", spec, read_only=True) == "drift_identity_foreign"


def test_what_looks_work_with_is_neither_disconnected_nor_bound_elsewhere(yard, cloud):  # noqa: F811
    own, reader = cloud(1), cloud(1, "reader")
    aws(yard, own, drift_cloud_identity_id=reader.uid)
    assert code(lambda: yard.act(connecting.disconnect, "aws", reader.uid)) == "cloud_identity_in_use"
    zone = yard.zone()
    assert code(lambda: yard.act(binding.bind, reader.uid, [zone.uid])) == "cloud_identity_in_use"
