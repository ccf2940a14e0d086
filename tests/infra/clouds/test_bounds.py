"""What is kept of what a cloud has, whoever listed it."""

from __future__ import annotations

import msgspec
import pytest

from quarterdeck.infra.execution.clouds.bounds import LARGEST, MOST, bounded


def test_a_listing_keeps_its_known_lists_and_says_when_it_is_cut():
    found = bounded({"regions": [{"name": f"r{n}"} for n in range(MOST + 5)], "networks": None, "keys": ["secret"]})
    assert len(found["regions"]) == MOST
    assert found["truncated"] is True
    assert "keys" not in found
    assert found["networks"] == []


def test_a_listing_never_outgrows_the_metadata_of_its_job():
    subnets = [{"id": "s" * 300, "name": "n" * 300} for _ in range(MOST)]
    found = bounded({"networks": [{"id": str(n), "subnets": subnets} for n in range(5)]})
    assert len(msgspec.json.encode(found)) <= LARGEST
    assert found["truncated"] is True


@pytest.mark.parametrize(
    "said",
    [
        {"regions": "all"},
        {"regions": [None, 5, ["x"]]},
        {"networks": [{"subnets": "x", "id": {"deep": 1}}]},
        {"errors": ["x"]},
        {"regions": [{"name": "a\x00b\ud800"}]},
    ],
)
def test_what_a_foreign_runner_tells_is_made_fit_for_storage(said):
    kept = msgspec.json.encode(bounded(said))
    assert b"\\u0000" not in kept
    assert b"deep" not in kept
