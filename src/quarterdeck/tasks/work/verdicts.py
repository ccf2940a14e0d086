"""What an answer to a gate says: go on with a result, or no (contract: tasks §1.2, §3.2)."""

from __future__ import annotations

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.confirming import confirms
from quarterdeck.tasks.work.model import Gate

REJECTED = "rejected"
"""What a task is cancelled for that somebody rejected, or its pipeline in their place."""
LONGEST = 20_000


def read(gate: Gate, text: str | None, *, approved: bool | None = None) -> tuple[bool, str | None]:
    """Whether it is a rejection, and the result that goes into the command. `approved` False rejects whatever the
    question is. Raises `Invalid` (`answer_invalid`).
    """
    if approved is False:
        return True, None
    if gate.kind == "confirm":
        says = True if text is None and approved else confirms(text or "")
        if says is None:
            raise _unreadable(f"Stage {gate.stage_name} is confirmed or rejected.", "Send confirm, or reject.")
        return not says, "confirm" if says else None
    if text is None or not text.strip():
        what = "one of its choices" if gate.kind == "choice" else "a text"
        raise _unreadable(f"Stage {gate.stage_name} needs {what} as result.", "Send it as result.")
    if gate.kind == "choice" and text not in gate.choices:
        raise _unreadable(
            f"{text[:80]!r} is no choice of stage {gate.stage_name}.", f"Choose one of {', '.join(gate.choices)}."
        )
    if len(text) > LONGEST:
        raise _unreadable(f"The answer has more than {LONGEST} characters.", "Send a shorter one.")
    return False, text


def _unreadable(message: str, hint: str) -> Invalid:
    return Invalid(message, code="answer_invalid", hint=hint, field="result")
