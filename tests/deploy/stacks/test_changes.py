"""What is done about a service, and when others may count on it."""

from __future__ import annotations

import msgspec
import pytest

from quarterdeck.deploy.stacks.changes import Change, There, change
from quarterdeck.deploy.stacks.containers import definition_of, network_name, service_spec, volume_name
from quarterdeck.deploy.stacks.ordering import refused_as_target, shared_volumes
from quarterdeck.deploy.stacks.readiness import READY, WAIT, verdict
from quarterdeck.deploy.stacks.values import Condition, Dependency, HealthTest, Mounted, Service, Stack
from quarterdeck.fleet.docker.containers import Health, State
from quarterdeck.fleet.docker.specs import create_spec

OLD, NEW = There("old", "one", running=True), There("new", "two", running=True)
RUNS, ENDED, BROKEN = State(status="running", running=True), State(status="exited"), State("exited", exit_code=3)


@pytest.mark.parametrize(
    ("wanted", "more", "expected"),
    [
        ("one", {"before": OLD}, Change("keep", "old")),
        ("one", {"before": There("old", "one", running=False)}, Change("start", "old")),
        ("one", {"before": There("old", "one", running=False, ended_well=True)}, Change("start", "old")),
        ("one", {"before": There("old", "one", False, True), "may_end": True}, Change("keep", "old")),
        ("two", {}, Change("replace")),
        ("two", {"before": OLD}, Change("replace", old="old")),
        ("two", {"before": OLD, "has_volumes": True}, Change("replace", old="old", stop_first=True)),
        ("two", {"before": OLD, "mine": NEW}, Change("keep", "new", old="old")),
        ("two", {"before": OLD, "mine": There("new", "two", False)}, Change("replace", old="old", discard="new")),
        ("two", {"before": There("old", "one", False), "mine": NEW}, Change("keep", "new")),
        ("three", {"before": OLD, "mine": OLD}, Change("replace", discard="old")),
    ],
)
def test_only_what_is_not_as_wanted_is_touched(wanted: str, more: dict[str, object], expected: Change) -> None:
    given = {"may_end": False, "has_volumes": False, **more}
    assert change(wanted, **given) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "asked", "may_end", "expected"),
    [
        (None, "service_started", False, "was removed by somebody else"),
        (State(status="created"), "service_started", False, WAIT),
        (RUNS, "service_started", False, READY),
        (RUNS, "service_completed_successfully", True, WAIT),
        (RUNS, "service_healthy", False, "has no health check, and another service waits until it is healthy"),
        (State("running", running=True, health=Health("starting")), "service_healthy", False, WAIT),
        (State("running", running=True, health=Health("healthy")), "service_healthy", False, READY),
        (State("running", running=True, health=Health("unhealthy")), "service_healthy", False, "is unhealthy"),
        (ENDED, "service_started", False, "ended with exit code 0"),
        (ENDED, "service_started", True, READY),
        (ENDED, "service_completed_successfully", True, READY),
        (BROKEN, "service_completed_successfully", True, "ended with exit code 3"),
        (BROKEN, "service_started", True, "ended with exit code 3"),
        (State("exited", oom_killed=True, exit_code=137), "service_started", False, "ran out of memory"),
    ],
)
def test_others_count_on_a_service_when_it_is_as_they_asked(
    state: State | None, asked: Condition, may_end: bool, expected: str
) -> None:
    assert verdict(state, asked, may_end=may_end) == expected


def test_a_service_is_a_hardened_container_of_its_resource_with_its_volumes() -> None:
    service = Service(
        name="db", environment={"A": "1"}, volumes=(Mounted("data", "/d"),), aliases=("database",), memory=8 << 20,
        health=HealthTest(test=("CMD", "a"), interval=1.5, retries=2), tmpfs=("/t",), stop_seconds=5,
    )  # fmt: skip
    body = create_spec(service_spec(service, "sha256:1", "0000-12345678", "res_a", memory=64 << 20, cpus=2.0))
    host = body["HostConfig"]
    assert body["Healthcheck"] == {"Test": ["CMD", "a"], "Interval": 1_500_000_000, "Retries": 2}
    assert body["NetworkingConfig"] == {
        "EndpointsConfig": {"quarterdeck-12345678-res-a": {"Aliases": ["db", "database"]}}
    }
    assert host["Mounts"] == [
        {"Type": "volume", "Source": "quarterdeck-12345678-res-a-data", "Target": "/d", "ReadOnly": False}
    ]
    assert (host["Memory"], host["NanoCpus"]) == (8 << 20, 2_000_000_000), "what the server grants is the most"
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert "PortBindings" not in host
    assert (network_name("0000-12345678", "res_a"), volume_name("0000-12345678", "res_a", "data")) == (
        "quarterdeck-12345678-res-a",
        "quarterdeck-12345678-res-a-data",
    )


def test_a_definition_changes_with_everything_that_makes_the_container_another_one() -> None:
    def digest(service: Service, image: str = "sha256:1") -> str:
        return definition_of(service_spec(service, image, "0000-12345678", "res_a"), service)

    usual = Service(name="a", environment={"A": "1"})
    changed = [
        digest(msgspec.structs.replace(usual, **one))
        for one in (
            {"environment": {"A": "2"}}, {"command": ("x",)}, {"restart": "no"}, {"memory": 8 << 20},
            {"volumes": (Mounted("v", "/v"),)}, {"health": HealthTest(test=("NONE",))}, {"labels": {"a": "b"}},
        )
    ]  # fmt: skip
    every = [digest(usual), digest(usual, "sha256:2"), *changed]
    assert len(set(every)) == len(every)
    assert digest(usual) == digest(Service(name="a", environment={"A": "1"}))


def test_only_the_target_publishes_and_nothing_waits_for_its_end() -> None:
    stack = Stack(
        file="compose.yml",
        services=(
            Service(name="web", ports=(80,), published=True, volumes=(Mounted("v", "/v"), Mounted("r", "/r", True))),
            Service(name="db", ports=(5432,), published=True),
            Service(name="job", depends_on=(Dependency("web", "service_completed_successfully"),)),
        ),
    )
    told = [one.message for one in refused_as_target(stack, "web")]
    assert told == [
        "compose.yml: service db, ports publishes a port on the server, where anybody could reach it past the edge.",
        "compose.yml: service web receives the requests, and another service waits until it has ended.",
    ]
    assert shared_volumes(stack, "web") == ("v",)
    assert refused_as_target(Stack(file="compose.yml", services=(Service(name="a"),)), None) == ()
    (alone,) = refused_as_target(Stack(file="compose.yml", services=(Service(name="a", restart="no"),)), None)
    assert alone.message == "compose.yml has no service that goes on running."
