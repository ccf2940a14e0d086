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


def record(key: str, figure: float, unit: str, budget: float) -> dict[str, Any]:
    """Write down and print one figure. `ratio` is figure / budget."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    entry = {
        "figure": round(figure, 3),
        "unit": unit,
        "budget": budget,
        "ratio": round(figure / budget, 3),
        "commit": _commit(),
        "date": datetime.now(UTC).date().isoformat(),
    }
    results[key] = entry
    RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=2) + "\n")
    print(f"{key}: {entry['figure']} {unit} (budget {budget}, ratio {entry['ratio']})")
    return entry
