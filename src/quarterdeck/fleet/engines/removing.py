"""Taking away again an engine that Quarterdeck has installed, when nothing of anybody else is in it. Its data stays."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.engines import packages
from quarterdeck.fleet.engines.running import Running
from quarterdeck.fleet.engines.seeing import look
from quarterdeck.fleet.engines.values import Seen
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.host import Host
from quarterdeck.kernel.errors import ProviderFailure
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.text import several

DATA = "Its data stays in /var/lib/docker."


async def why_kept(host: Host, seen: Seen, instance: str, label: str) -> str | None:
    """Why an engine with a mark of ours has to stay. `label` is the one that names the installation in an engine."""
    assert seen.mark is not None  # noqa: S101 - asked by the caller
    if seen.mark.instance != instance:
        return "Another installation of Quarterdeck installed it."
    if seen.origin == "found":
        return "Somebody has replaced what Quarterdeck installed."
    if seen.state == "absent":
        return None
    if seen.state != "ready":
        return "It does not answer, so nobody knows what is in it. Start it first."
    async with await open_engine(host) as engine:
        rows = await containers.listed(engine)
    foreign = sorted(row.names[0].lstrip("/") for row in rows if row.labels.get(label) != instance)
    if not foreign:
        return None
    return f"Containers of others are in it: {several(foreign)}."


async def remove(running: Running, instance: str, label: str) -> str | None:
    """Remove the packages that came with it and that nothing else needs, then the mark. May be repeated after a cut.
    Whether it has to stay is asked once more, as `why_kept` does: if so, nothing is removed and the reason answered.
    """
    await running.ended()  # what was begun before a cut
    host = running.host
    seen = await look(host)
    manager = packages.named(seen.mark.manager, seen.mark.package) if seen.mark else None
    if seen.mark is None or manager is None:
        return None
    kept = await why_kept(host, seen, instance, label)
    if kept is not None:
        return kept
    rooted = seen.system.rooted
    if seen.origin == "installed":
        await _run(running, [*rooted, *packages.end(seen.system, manager)])
    if manager.unneeded is not None:
        said = (await host.run([*rooted, *manager.unneeded], seconds=60)).text
        leftover = manager.leftover(said, seen.mark.new)
        if leftover:
            await _run(running, [*rooted, *manager.remove(leftover)])
    await host.run([*rooted, "rm", "-f", packages.MARK])
    await running.clear()
    return None


async def _run(running: Running, argv: Sequence[str]) -> None:
    point("engine.remove")
    status = await running.run(argv)
    point("engine.removed")
    if status != 0:
        raise ProviderFailure(
            f"The engine could not be removed: {' '.join(running.last[-2:])[:400]}",
            code="engine_remove_failed",
            hint="See on that machine what is in its way, then uninstall again.",
        )
