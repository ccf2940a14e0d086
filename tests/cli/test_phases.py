"""The phases of a deployment, as its events tell them."""

from __future__ import annotations

from typing import Any

from quarterdeck.cli.phases import Phases


def progress(second: int, phase: str) -> dict[str, Any]:
    at = f"2026-05-31T12:00:{second:02d}Z"
    return {"emittedAt": at, "eventType": "deployment-progress", "status": "running", "phase": phase, "summary": ""}


def test_a_phase_whose_execution_was_killed_is_not_told_as_done() -> None:
    phases = Phases()
    for second, phase in enumerate(("detect", "plan", "package", "detect", "plan", "package", "deploy")):
        phases.tell(progress(second, phase))
    told = [(phase.name, phase.tone) for phase in phases.finished]
    assert told == [
        ("detect", "good"), ("plan", "good"), ("package", "off"), ("detect", "good"), ("plan", "good"),
        ("package", "good"),
    ]  # fmt: skip
    assert phases.finished[2].detail == "interrupted; all of it begins again"
