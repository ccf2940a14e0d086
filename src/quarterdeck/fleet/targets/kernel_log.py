"""What the kernel of a host has logged of its containers."""

from __future__ import annotations

from quarterdeck.fleet.targets.host import Host
from quarterdeck.kernel.errors import Timeout

SHORT = 12  # as much of a container's id as an engine itself shows
MARK = "oom-kill:"


async def ran_out_of_memory(host: Host, container: str) -> bool:
    """Whether the kernel has ended something in the container (its full id) for want of memory. Engines learn that by a
    notification which older ones lose on newer kernels, so their word alone is not enough. False where the log may not
    be read: who asks then knows no more than before.
    """
    try:
        ran = await host.run(["dmesg"])
    except Timeout:
        return False
    return any(container[:SHORT] in line for line in ran.text.splitlines() if MARK in line)
