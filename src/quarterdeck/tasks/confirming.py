"""The words that confirm or reject a stage, whoever says one: a person, or a pipeline for when nobody answers
(contract: tasks §3.2, §3.3).
"""

from __future__ import annotations

YES = frozenset({"confirm", "confirmed", "approve", "approved", "yes", "true", "ok"})
NO = frozenset({"reject", "rejected", "cancel", "no", "false"})


def confirms(text: str) -> bool | None:
    """Whether a text confirms (True) or rejects (False); None: it is neither."""
    word = text.strip().lower()
    return True if word in YES else False if word in NO else None
