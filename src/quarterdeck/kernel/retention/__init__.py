"""What is kept for how long, and the housekeeping that takes the rest away."""

from __future__ import annotations

from quarterdeck.kernel.retention.categories import (
    Category,
    Share,
    Sweep,
    categories,
    lasting,
    lines_apart,
    register,
    spare,
    spared,
)
from quarterdeck.kernel.retention.jobs import KIND, schedule_all, tidy

__all__ = [
    "KIND",
    "Category",
    "Share",
    "Sweep",
    "categories",
    "lasting",
    "lines_apart",
    "register",
    "schedule_all",
    "spare",
    "spared",
    "tidy",
]
