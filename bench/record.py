"""Keeps what was measured: bench/results.json holds the latest figure, its budget and their ratio."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.json"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=RESULTS.parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def record(key: str, figure: float, unit: str, budget: float, *, at_least: bool = False) -> bool:
    """Write down and print one figure; answers whether it is within its budget, which is the most that it may be, or
    (`at_least`) the least. `ratio` is figure / budget.
    """
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    entry = {
        "figure": round(figure, 3),
        "unit": unit,
        "budget": budget,
        "at_least": at_least,
        "ratio": round(figure / budget, 3),
        "commit": _commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    results[key] = entry
    RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=2) + "\n")
    bound = "at least" if at_least else "at most"
    print(f"{key}: {entry['figure']} {unit} (budget: {bound} {budget}, ratio {entry['ratio']})", flush=True)
    return within(entry)


def within(entry: dict[str, Any]) -> bool:
    """Whether a kept figure is within its budget."""
    ratio: float = entry["ratio"]
    return ratio >= 1 if entry.get("at_least") else ratio <= 1
