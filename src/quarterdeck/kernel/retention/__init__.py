"""What is kept for how long, and the housekeeping that takes the rest away."""

from __future__ import annotations

from quarterdeck.kernel.retention.categories import Category, categories, register, spare, spared
from quarterdeck.kernel.retention.jobs import KIND, schedule_all, tidy

__all__ = ["KIND", "Category", "categories", "register", "schedule_all", "spare", "spared", "tidy"]
