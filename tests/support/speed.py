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
