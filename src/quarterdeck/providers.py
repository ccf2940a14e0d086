"""What can be deployed to and what helps, with what is known of it: this machine, servers over SSH, certificates."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from quarterdeck.deploy.observation import observations
from quarterdeck.fleet.edge import certificates
from quarterdeck.fleet.servers import sightings
from quarterdeck.fleet.servers.sightings import Finding
from quarterdeck.identity.machine import Machine
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.projects import organization_of

if TYPE_CHECKING:
    from quarterdeck.instance import Instance

Provider = dict[str, Any]
FEW = 5
SECONDS = 5
"""What one look may take: a busy machine is slow and not wrong, and an engine that hangs must not hang the doctor."""
NO_WORKER = "No worker is connected, so nothing can be deployed. Start one: quarterdeck worker."
CONTAINERS = ["docker-container", "docker-compose-stack", "host-process", "static-site", "runtime-logs", "edge-proxy"]


async def known(instance: Instance) -> list[Provider]:
    """Three providers in the deploy API's shape. `configuration.status` is `configured`, `not-configured` or, where one
    of several is wrong, `partial`; `diagnostics` say what is known (`info`) and what is to be done. Of certificates
    they say nothing in another organization than the one that the installation began with.
    """
    told = [*await instance.db.read(sightings.told), *await instance.db.read(_unwatched)]
    # Certificates are those of the whole installation, names of other organizations' applications among them.
    ours = await instance.db.read(lambda tx: Machine.belongs_to(tx, tx.principal.organization_id or 0))
    authority: tuple[str, list[Finding]] = await _authority(instance) if ours else ("unknown", [])
    here = [] if instance.can_deploy else [Finding("no_worker", "error", NO_WORKER)]
    return [
        _provider("local-shell", "This machine", "deploy-target", CONTAINERS, _status(here, there=not here), here),
        _provider(
            "generic-ssh", "Servers over SSH", "deploy-target", CONTAINERS, _status(told, there=bool(told)), told
        ),
        _provider("acme", "ACME certificates", "infra-service", ["certificates"], *authority),
    ]


def _unwatched(tx: Tx) -> list[Finding]:
    """Servers of the caller's organization on which something serves and that are too many to be watched."""
    named = list(observations.unwatched(tx, organization_of(tx)).values())
    if not named:
        return []
    some = ", ".join(named[:FEW]) + (" …" if len(named) > FEW else "")
    say = (
        f"Only {observations.MOST_SERVERS} servers are watched, the oldest first; {some} not: what runs there is not "
        "looked at, its log is not kept, and an edge that ends is not started again. Uninstall and delete servers that "
        "nobody needs, or share them among two installations."
    )
    return [Finding("servers_not_watched", "warning", say)]


async def _authority(instance: Instance) -> tuple[str, list[Finding]]:
    """What the edge of this machine has got from its certificate authority. Names of applications are other people's
    too: they are counted, and named only where something is wrong with them.
    """
    edge = instance.edge
    if edge is None:
        say = "This server runs without an edge (--no-edge), so nobody asks a certificate authority for anything."
        return "not-configured", [Finding("edge_off", "info", say)]
    try:
        async with asyncio.timeout(SECONDS):
            if not await edge.answers():
                say = "The edge is not running, so no certificates are asked for. It starts with the first route."
                return "unknown", [Finding("edge_stopped", "info", say)]
            names = await certificates.asked_for(edge)
            shown = await certificates.all_shown(edge, names)
            lacking = await certificates.lacking(edge, instance.db.clock.now(), shown)
    except TimeoutError:
        return "unknown", [Finding("edge_silent", "warning", f"The edge did not answer within {SECONDS:g} s.")]
    if not names:
        say = "No name asks for a certificate yet: give an application a domain with TLS, or serve with --public-url."
        return "not-configured", [Finding("no_names", "info", say)]
    found = [Finding("certificate_lacking", "error", certificates.told(one)) for one in lacking]
    made = sorted((one for one in shown.values() if one is not None), key=lambda one: one.ends)
    if made:
        say = certificates_told(len(made), len(names))
        found.insert(0, Finding("certificates", "info", f"{say} {wire_time(made[0].ends)}, from {made[0].issuer}."))
    return _status(found, there=bool(made)), found


def certificates_told(made: int, names: int) -> str:
    """The beginning of a sentence that goes on with the end of the certificate that ends first."""
    if names == 1:
        return "The only name has a certificate; it ends on"
    has, ends = ("has", "it ends") if made == 1 else ("have", "the first ends")
    return f"{made} of {names} names {has} a certificate; {ends} on"


def _status(found: list[Finding], *, there: bool) -> str:
    if not there:
        return "not-configured"
    return "partial" if any(one.severity != "info" for one in found) else "configured"


def _provider(
    key: str, title: str, category: str, capabilities: list[str], status: str, found: list[Finding]
) -> Provider:
    said = [{"code": one.code, "severity": one.severity, "message": one.message} for one in found]
    return {
        "key": key,
        "title": title,
        "category": category,
        "capabilities": list(capabilities),
        "configuration": {"status": status, "diagnostics": said},
    }
