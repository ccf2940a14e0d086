"""What is to be done so that a server's engine can be used: decided from what is seen, shown first, run as it is."""

from __future__ import annotations

from quarterdeck.fleet.engines import packages
from quarterdeck.fleet.engines.values import Plan, Seen, Step, System
from quarterdeck.kernel.errors import Conflict, Problem, ProviderFailure

BY_HAND = "Install Docker Engine 20.10 or newer there by hand, as its own documentation says for this system."


def planned(seen: Seen, instance: str) -> Plan:
    """`instance` is the name of this installation, which the mark of what we install carries."""
    if seen.state == "ready":
        return Plan()
    if seen.state == "too-old":
        return Plan(refusal=_by_hand(seen, "It is not upgraded by us: what runs in it would be restarted."))
    if seen.named:
        return Plan(
            refusal=_by_hand(seen, "DOCKER_HOST of the account names it, so it is started in a way of its own.")
        )
    if seen.system.becoming not in {"root", "yes"}:
        return Plan(refusal=sudo_unavailable(seen.system))
    steps: list[tuple[str, tuple[str, ...]]] = []
    if seen.state == "absent":
        manager = packages.manager_of(seen.system)
        if manager is None:
            return Plan(refusal=_no_recipe(seen.system))
        steps += [
            *manager.before,
            ("Note what will be new, so that it can be taken away again", manager.note(instance)),
            (f"Install {manager.package}", manager.install),
        ]
    if seen.state in {"absent", "stopped"}:
        started = packages.start(seen.system)
        if not started:
            return Plan(refusal=_by_hand(seen, "Nothing is known there that starts services."))
        steps += started
    if seen.system.becoming != "root" and (seen.state == "closed" or packages.GROUP not in seen.system.groups):
        steps.append((f"Let {seen.system.account} use it", packages.admit(seen.system)))
    return Plan(tuple(Step(title, (*seen.system.rooted, *argv)) for title, argv in steps))


def sudo_unavailable(system: System) -> Problem:
    line = f"{system.account} ALL=(ALL) NOPASSWD:ALL"
    why = "there is no sudo" if system.becoming == "missing" else "sudo asks for a password or refuses"
    return Conflict(
        f"{system.account} cannot become root there: {why}. Nothing was changed.",
        code="sudo_unavailable",
        hint=f"As root there: echo '{line}' > /etc/sudoers.d/quarterdeck && chmod 440 /etc/sudoers.d/quarterdeck",
    )


def _no_recipe(system: System) -> Problem:
    return ProviderFailure(
        f"How an engine is installed on {system.name or 'this system'} is not known to us.",
        code="engine_by_hand",
        hint=BY_HAND,
    )


def _by_hand(seen: Seen, why: str) -> Problem:
    said = f"{seen.trouble.message} " if seen.trouble else ""
    hint = (seen.trouble.hint if seen.trouble else None) or BY_HAND
    return ProviderFailure(f"{said}{why}", code="engine_by_hand", hint=hint)
