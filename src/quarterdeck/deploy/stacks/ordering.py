"""Which service starts after which, and which one receives the requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

import msgspec

from quarterdeck.deploy.stacks.refusals import Place, Refusal
from quarterdeck.deploy.stacks.values import Service, Stack


def ordered(file: str, services: Mapping[str, Service], inactive: Iterable[str]) -> tuple[Service, ...]:
    """Dependencies first, otherwise as the file has them. Raises `Refused` for one that is unknown, or a cycle."""
    asleep = set(inactive)
    for service in services.values():
        place = Place(file, service.name, "depends_on")
        for one in service.depends_on:
            if one.service in asleep:
                raise place.refuse(
                    f"names {one.service}, whose profile is not asked for",
                    "Name the profile in the variable COMPOSE_PROFILES, or take the dependency out.",
                )
            if one.service not in services:
                raise place.refuse(f"names {one.service[:60]}, which is no service", "Name a service of this file.")
    try:
        graph = {name: [one.service for one in service.depends_on] for name, service in services.items()}
        names = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise Place(file).refuse(f"has a circle in depends_on ({circle})", "Take one of these out.") from None
    return tuple(_once(file, services[name], services.values()) for name in names)


def _once(file: str, service: Service, all_of_them: Iterable[Service]) -> Service:
    """The service as those that wait for it need it: what has to complete is not started again by the engine."""
    asked = {one.condition for other in all_of_them for one in other.depends_on if one.service == service.name}
    if "service_healthy" in asked and service.health is not None and service.health.test == ("NONE",):
        raise Place(file, service.name, "healthcheck").refuse(
            "is disabled, and another service waits until it is healthy", "Give it a test, or wait for service_started."
        )
    if "service_completed_successfully" not in asked:
        return service
    if asked != {"service_completed_successfully"}:
        raise Place(file, service.name).refuse(
            "is waited for until it is there, and until it has ended", "Use one condition for it."
        )
    return msgspec.structs.replace(service, restart="no")


def refused_as_target(stack: Stack, target: str | None) -> tuple[Refusal, ...]:
    """What can be said only once it is known which service receives the requests."""
    found = []
    for service in stack.services:
        place = Place(stack.file, service.name, "ports")
        if service.published and service.name != target:
            refused = place.refuse(
                "publishes a port on the server, where anybody could reach it past the edge",
                "Take it out, or write expose: services of a stack reach each other without it.",
            )
            found.append(refused.refusal)
    if target is None and all(service.restart != "unless-stopped" for service in stack.services):
        refused = Place(stack.file).refuse("has no service that goes on running", "Let one restart, or name a target.")
        found.append(refused.refusal)
    if target is not None and stack.waited_for(target) == "service_completed_successfully":
        refused = Place(stack.file, target).refuse(
            "receives the requests, and another service waits until it has ended", "Use another condition."
        )
        found.append(refused.refusal)
    return tuple(found)


def shared_volumes(stack: Stack, target: str | None) -> tuple[str, ...]:
    """Volumes that two versions of the target service write to while both run."""
    if target is None:
        return ()
    return tuple(one.volume for one in stack.service(target).volumes if not one.read_only)
