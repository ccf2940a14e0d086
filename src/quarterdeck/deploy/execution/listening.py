"""Where an application listens instead of where it should."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.execution.target import Target
from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.processes.listening import TABLES, heard


async def wrong_port(target: Target, runtime: dict[str, Any], resource: str) -> str | None:
    """What to do when it listens on another port, or on localhost alone; None when nothing can be said. `resource` is
    its short name.
    """
    port = int(runtime["port"])
    if runtime["kind"] == "container":
        found = await containers.find(target.need_engine(), runtime["container"])
        if found is None or not found.state.pid or not target.engine_is_there:
            return None
        tables = [f"/proc/{found.state.pid}/net/{table}" for table in TABLES]
        rows = heard((await target.host.run(["cat", *tables])).text)
        advice = "Set that port (qd set {} port={}; in the console, Settings, Network) and deploy again."
    else:
        status = await target.processes.find(runtime["instance"])
        if status is None or not status.pid:
            return None
        rows = await target.processes.heard(status.pid)
        advice = f"Let it listen on the port that PORT names ({port} here)."
    if (port, True) in rows and (port, False) not in rows and runtime["kind"] == "container":
        return f"The application listens on port {port} of localhost alone. Let it listen on 0.0.0.0."
    others = sorted({other for other, _ in rows if other != port})
    if not others:
        return None
    return f"The application listens on {', '.join(map(str, others))}. {advice.format(resource, others[0])}"


async def answers_itself(target: Target, runtime: dict[str, Any]) -> bool:
    """Whether the one that listens on a host process's port is that process or one that it started."""
    status = await target.processes.find(runtime["instance"])
    if status is None or not status.pid:
        return False
    return await target.processes.listens(status.pid, int(runtime["host_port"]))
