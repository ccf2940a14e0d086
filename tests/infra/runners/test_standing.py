"""How a runner stands is derived when it is asked for, and what is said of it is kept without credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from quarterdeck.fleet.workers import standing
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners import metadata, releases
from quarterdeck.infra.runners.model import Release
from quarterdeck.infra.runners.standing import status
from quarterdeck.infra.runners.waking import concerns
from quarterdeck.kernel.bus import Concern, Message
from quarterdeck.kernel.errors import Invalid

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seen", "drained", "expected"),
    [
        (None, False, "OFFLINE"),
        (0, False, "ONLINE"),
        (60, False, "ONLINE"),
        (61, False, "OFFLINE"),
        (10, True, "DRAINING"),
        (61, True, "OFFLINE"),
        (None, True, "OFFLINE"),
    ],
)
def test_a_status_is_of_the_last_sign_of_life(seen, drained, expected):
    worker = Worker(
        last_seen_at=None if seen is None else NOW - timedelta(seconds=seen),
        drain_requested_at=NOW if drained else None,
    )
    assert status(worker, NOW) == expected


def test_a_runner_that_went_by_itself_is_offline_at_once():
    worker = Worker(last_seen_at=NOW, left_at=NOW)
    assert status(worker, NOW) == "OFFLINE"
    assert standing.status(worker, NOW, 180) == "offline"


def test_what_goes_under_the_name_of_a_credential_is_masked_at_any_depth():
    said = {"a": [{"worker_token": "x"}], "password": "y", "empty_token": "", "token_id": "7", "deep": {"api_key": [1]}}
    assert metadata.kept(said) == {
        "a": [{"worker_token": "****"}], "password": "****", "empty_token": "", "token_id": "7",
        "deep": {"api_key": "****"},
    }  # fmt: skip


def test_metadata_is_bounded_in_size_and_depth():
    assert metadata.kept({"a": "x" * (metadata.LARGEST - 10)})
    with pytest.raises(Invalid):
        metadata.kept({"a": "x" * metadata.LARGEST})
    deep: dict = {}
    for _ in range(metadata.DEEPEST + 1):
        deep = {"a": deep}
    with pytest.raises(Invalid):
        metadata.kept(deep)


@pytest.mark.parametrize("name", ["worker_token", "apiKey", "password", "client_secret", "authorization", "dsn"])
@pytest.mark.parametrize("value", ["x", 7, True, [1], {"a": "x"}, [["x"]]])
def test_no_value_under_a_sensitive_name_survives(name, value):
    assert metadata.kept({"a": [{name: value}]}) == {"a": [{name: "****"}]}


@pytest.mark.parametrize(
    ("payload", "mine"),
    [
        (frozenset({Concern(7, "infra-job:x")}), True),
        (frozenset({Concern(None, "infra-job:x")}), True),
        (frozenset({Concern(8, "infra-job:x")}), False),
        (frozenset({Concern(7, "deployment:x")}), False),
        (frozenset({Concern(7, None)}), False),
        (None, False),
        ("cancel:12", False),
    ],
)
def test_a_runner_looks_only_for_what_may_concern_it(payload, mine):
    assert concerns([Message("jobs", payload)], 7) is mine
    assert concerns([Message("infra-jobs", "uid")], 7)


def test_a_cloud_hosted_runner_looks_for_everybodys():
    assert concerns([Message("jobs", frozenset({Concern(8, "infra-job:x")}))], None)


@pytest.mark.parametrize(
    ("one", "other"),
    [("0.1.0", "0.2"), ("0.9.9", "0.10.0"), ("1", "1.0.1"), ("1.0rc1", "1.0"), ("1.0.dev3", "1.0a1"),
     ("1.0b2", "1.0rc1"), ("1.0rc9", "1.0rc10"), ("1.0", "1.0.post1"), ("v0.1.0", "0.1.1"), ("0.1.0+local", "0.1.1")],
)  # fmt: skip
def test_a_version_that_comes_before_the_servers_is_outdated(one, other):
    assert releases.older(one, other)
    assert not releases.older(other, one)
    assert releases.due(Worker(version=one), None, foreign=False, server=other) == other
    assert releases.due(Worker(version=other), None, foreign=False, server=one) is None


@pytest.mark.parametrize(("one", "other"), [("1.0", "1.0.0"), ("1.0+a", "1.0"), ("0", "9"), ("", "9"), ("main", "9"),
                                            ("1." * 50 + "1", "9"), ("9" * 40, "10")])  # fmt: skip
def test_what_is_the_same_or_no_version_is_not_outdated(one, other):
    assert not releases.older(one, other)
    assert not releases.older(other, one)


def test_who_has_told_no_version_is_not_outdated():
    assert releases.due(Worker(version=None), Release(version="2"), foreign=True) is None
    assert releases.due(Worker(version=None), None, foreign=False, server="2") is None
    assert releases.due(Worker(version="1"), None, foreign=True, server="2") is None, "nothing was published"
