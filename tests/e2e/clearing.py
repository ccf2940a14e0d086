"""Ends the edge and the host processes of an installation. Argument: its target directory."""

import asyncio
import sys
from pathlib import Path

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.processes.runtime import Processes


async def main(root: Path) -> None:
    if (root / "edge").exists():
        edge = Edge(root)
        await edge.stop(grace_seconds=0)
        await edge.close()
    processes = Processes(root)
    for status in processes.list():
        await processes.remove(status.instance, grace=0)


if Path(sys.argv[1]).exists():
    asyncio.run(main(Path(sys.argv[1])))
