"""How a server is got rid of: what stands in the way of deleting it, and the command that clears each of it away."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.blockers import in_words

STEPS = {
    "active-server": "qd server deactivate {server}",
    "active-deployment": "qd work ls --kind deployment --server {server}",
    "runtime-task": "qd work ls --server {server}",
    "resource-placement": "qd deploy … --server OTHER, or qd stop RESOURCE and qd archive RESOURCE",
    "source-link": "qd deploy … --build-on OTHER",
    "runtime-log-retention": "qd log-archive prune --before 0s",
    "deployment-history": "qd server rm {server} --with-history",
}
"""The command for each documented word; in an order in which they can be done."""
FALLBACK = "qd server show {server}"
HISTORY = "deployment-history"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing in the way: the documented word, how many, in words, and the command that looks after it."""

    kind: str
    count: int
    words: str
    command: str


def steps(server: Server, standing: Sequence[tuple[str, int]]) -> list[Step]:
    """What stands in the way, in the order in which it is best cleared away."""
    order = {kind: place for place, kind in enumerate(STEPS)}
    name = shlex.quote(server.name)
    return [
        Step(kind, number, in_words(kind, number), STEPS.get(kind, FALLBACK).format(server=name))
        for kind, number in sorted(standing, key=lambda one: order.get(one[0], len(order)))
    ]


def hint(found: Sequence[Step]) -> str:
    return "In this order: " + "; ".join(step.command for step in found)
