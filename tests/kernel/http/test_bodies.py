"""Large bodies: how many of them are in memory at once."""

from __future__ import annotations

import asyncio

import pytest
from litestar import Request

from quarterdeck.kernel.errors import RateLimited
from quarterdeck.kernel.http.bodies import SMALL, Bodies


def full(bodies: Bodies, key: str, size: int) -> None:
    with pytest.raises(RateLimited) as refused, bodies.room(key, size):
        raise AssertionError("there is no room")
    assert refused.value.retry_after >= 1


def test_room_is_given_by_bytes_and_by_key_and_given_back() -> None:
    bodies = Bodies(10 * SMALL, 2)
    with bodies.room("a", 4 * SMALL), bodies.room("a", 4 * SMALL):
        full(bodies, "a", SMALL + 1)
        full(bodies, "b", 3 * SMALL)
        with bodies.room("a", SMALL), bodies.room("b", 2 * SMALL):
            assert bodies.taken == 10 * SMALL
    assert bodies.taken == 0
    with bodies.room("a", 10 * SMALL):
        pass


def test_whoever_is_gone_holds_nothing() -> None:
    bodies = Bodies(10 * SMALL, 2)
    with pytest.raises(asyncio.CancelledError), bodies.room("a", 9 * SMALL):
        raise asyncio.CancelledError
    assert bodies.taken == 0


@pytest.mark.parametrize(
    ("said", "counted"),
    [("1000000", 1_000_000), ("", 5_000_000), ("-1", 5_000_000), ("9" * 30, 5_000_000), ("9" * 11, 5_000_000)],
)
def test_a_body_without_a_length_counts_as_the_largest(said: str, counted: int) -> None:
    bodies = Bodies(50_000_000, 2)
    scope = {
        "type": "http",
        "headers": [(b"content-length", said.encode())] if said else [],
        "path_params": {"id": "x"},
    }
    with bodies.place("id", 5_000_000)(Request(scope)):  # type: ignore[arg-type]  # as much of it as is read
        assert bodies.taken == counted
