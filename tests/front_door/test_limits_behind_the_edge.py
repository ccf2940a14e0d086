"""Behind the edge everybody is counted by the address that he calls from, and nobody can be somebody else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from front_door.conftest import in_a_network_of_its_own
from front_door.limited import CALLERS, ENOUGH, PER_ADDRESS, PROXY
from quarterdeck.kernel.http.strangers import FAILURES
from quarterdeck.surfaces.shared.signing_in import DOOR

pytestmark = [pytest.mark.edge, pytest.mark.root]


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="qd-limits-") as place:
        limited = in_a_network_of_its_own("front_door.limited", place)
        said, errors = limited.communicate(timeout=400)
        assert limited.returncode == 0, errors[-6000:]
        yield json.loads(said)


def test_made_up_addresses_do_not_help_against_the_limits(seen):
    for way, most in (("own", PER_ADDRESS), ("as-local", PER_ADDRESS), ("guesses", DOOR.count)):
        assert most <= seen[way] < ENOUGH, way  # tokens come back meanwhile
    assert FAILURES.count <= seen["bearers"] < ENOUGH


def test_nobody_else_is_shut_out(seen):
    assert seen["neighbour"] == seen["framed"] == 200
    assert PER_ADDRESS <= seen["framing"] < ENOUGH


def test_who_comes_through_a_trusted_proxy_is_counted_by_what_the_proxy_says_alone(seen):
    assert PER_ADDRESS <= seen["through-proxy"] < ENOUGH
    assert seen["the-same-direct"] < PER_ADDRESS / 2, "the same address, however it comes"
    assert seen["another-through-proxy"] == 200


def test_the_log_names_who_really_called(seen):
    called = {*CALLERS[:4], CALLERS[8], "192.0.2.1", "192.0.2.2"}
    assert called <= set(seen["addresses"])
    assert not {"127.0.0.1", PROXY} & set(seen["addresses"])
    assert not [one for one in seen["addresses"] if one.startswith("203.0.113.")]


def test_bodies_that_drip_through_the_edge_are_bounded_together_and_everybody_else_is_served(seen):
    assert seen["served"] == seen["still"] == 200
    assert seen["some"] == 0
    assert 30 <= seen["many"] <= 60
    assert seen["failures"] == 0, "who goes before the body is whole is no failure of ours"
