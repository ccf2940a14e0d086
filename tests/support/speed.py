"""How fast this machine is just now: what a start may take is meant for one that has nothing else to do, and processor
time is no measure by itself, since two programs that share a core make each other's dearer.
"""

from __future__ import annotations

import subprocess
import sys

LIBRARIES = "import time, sqlalchemy.orm, litestar, httpx, cryptography.x509; print(time.process_time())"
OF_A_START = 4.0
"""A start takes about 3.2 times what importing these libraries does, whatever else runs."""


def start_budget(seconds: float) -> float:
    """Seconds that a start may take here: so many, or more where the machine needs longer for a known work."""
    return max(seconds, OF_A_START * min(_reference() for _ in range(3)))


def _reference() -> float:
    done = subprocess.run([sys.executable, "-c", LIBRARIES], capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


WAKING = """
import asyncio, time
async def wake():
    loop, number = asyncio.get_running_loop(), 0
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() - began < 6:
        await asyncio.sleep(0.025)
        number += 1
        if number % 6 == 0:
            await loop.run_in_executor(None, int)
    print((time.process_time() - used) / (time.monotonic() - began) * 100)
asyncio.run(wake())
"""
"""As often as an idle server wakes up, and does nothing then."""
OF_AN_IDLE_SERVER = 9.0
"""It takes 6 to 8 times what waking up alone does, on machines of any speed, busy or not."""


def idle_budget(percent: float) -> float:
    """Percent of a core that an idle server may take here: so much, or more where waking up is dear."""
    done = subprocess.run([sys.executable, "-c", WAKING], capture_output=True, text=True, check=True, timeout=120)
    return max(percent, OF_AN_IDLE_SERVER * float(done.stdout))
