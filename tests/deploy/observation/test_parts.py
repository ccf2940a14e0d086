"""The state of a stack is that of its worst service, by name; lines and restarts belong to who wrote and had them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quarterdeck.deploy.observation.observations import Seen, Served
from quarterdeck.deploy.observation.parts import part_seen, parts, worst
from quarterdeck.deploy.observation.runtime_logs import runtime_kind, services
from quarterdeck.fleet.docker.containers import Listed


def record(name: str, by: str = "dep_1", policy: str = "unless-stopped") -> dict[str, Any]:
    return {"service": name, "container": f"c-{name}", "policy": {"Name": policy}, "by": by, "number": 1}


STACK = {
    "kind": "container", "container": "c-web", "target": "web",
    "services": [record("db"), record("job", policy="no"), record("worker", by="dep_2")],
}  # fmt: skip
SERVED = Served(1, "res_1", 1, 2, "dep_2", "running", STACK, 2)


def listed(**states: str) -> dict[str, Listed]:
    """Containers by id; a state such as `exited 1` has an exit code."""
    found = {}
    for name, state in states.items():
        word, _, code = state.partition(" ")
        status = f"Exited ({code}) 3 seconds ago" if word == "exited" else f"{word} for 2 minutes"
        ident = f"c-{name}"
        found[ident] = Listed(ident, [name], "i", "sha256:i", 0, word, status)
    return found


WELL = {"web": "running", "db": "running", "job": "exited 0", "worker": "running"}


@pytest.mark.parametrize(
    ("states", "wanted", "expected"),
    [
        ({}, "running", Seen("running")),
        ({"worker": "exited 1"}, "running", Seen("degraded", "worker: Exited (1) 3 seconds ago", lost=True)),
        ({"job": "exited 2"}, "running", Seen("degraded", "job: Exited (2) 3 seconds ago")),
        ({"db": "restarting"}, "running", Seen("restarting", "db: restarting for 2 minutes")),
        ({"web": "exited 3"}, "running", Seen("exited", "web: Exited (3) 3 seconds ago", lost=True)),
        ({"web": "restarting", "db": "exited 1"}, "running", Seen(
            "restarting", "web: restarting for 2 minutes; db: Exited (1) 3 seconds ago", lost=True)),
        ({"web": "exited 0", "db": "exited 0", "worker": "exited 137"}, "stopped", Seen("stopped")),
    ],
)  # fmt: skip
def test_a_stack_is_as_well_as_the_worst_of_its_services(states: dict[str, str], wanted: str, expected: Seen) -> None:
    there = listed(**{**WELL, **states})
    found = worst([(part, part_seen(part, there, wanted)) for part in parts(SERVED)])
    assert replace(found, services=None) == expected
    wrong = dict(one.split(": ") for one in (expected.message or "").split("; ") if one)
    assert found.services == {name: wrong.get(name) for name in ("web", "db", "job", "worker")}


def test_a_service_that_was_removed_is_named_and_does_not_come_back_by_itself() -> None:
    there = listed(**{name: state for name, state in WELL.items() if name != "db"})
    found = worst([(part, part_seen(part, there, "running")) for part in parts(SERVED)])
    assert replace(found, services=None) == Seen("degraded", "db: The container was removed.", lost=True)
    assert found.services == {"web": None, "db": "The container was removed.", "job": None, "worker": None}


def test_each_service_speaks_for_the_version_that_started_it() -> None:
    assert [part.speaker for part in parts(SERVED)] == [
        "v2 dep_2 web",
        "v1 dep_1 db",
        "v1 dep_1 job",
        "v1 dep_2 worker",
    ]
    assert services(STACK) == {"web": "c-web", "db": "c-db", "job": "c-job", "worker": "c-worker"}
    assert runtime_kind(STACK) == "docker-compose-stack"


def test_an_application_of_one_container_speaks_and_is_as_before() -> None:
    alone = Served(1, "res_1", 1, 2, "dep_2", "running", {"kind": "container", "container": "c-web"}, 2)
    (part,) = parts(alone)
    assert part.speaker == "v2 dep_2"
    assert worst([(part, part_seen(part, listed(web="exited 1"), "running"))]) == Seen(
        "exited", "Exited (1) 3 seconds ago", lost=True
    )
    assert runtime_kind(alone.runtime) == "docker-container"


def test_a_stack_without_a_door_has_no_part_that_receives_requests() -> None:
    runtime = {"kind": "container", "container": "c-b", "target": None, "services": [record("a"), record("b")]}
    found = parts(Served(1, "res_1", 1, 2, "dep_2", "running", runtime, 2))
    assert [part.name for part in found] == ["a", "b"]
