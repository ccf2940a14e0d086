"""Why a command ends without having done its work: the exit status, what happened, what to try."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit statuses, the same for every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_SIGNED_IN = 3
    NOT_ALLOWED = 4
    NOT_FOUND = 5
    CONFLICT = 6
    WAITS = 7
    TIMED_OUT = 8
    UNREACHABLE = 9
    INTERRUPTED = 130


class Failure(Exception):
    """Told to the person as `Error: message` and `Try: hint`, and to a program as `{"error": …}`."""

    def __init__(
        self,
        message: str,
        *,
        exit: Exit = Exit.FAILED,  # noqa: A002 - the word that everybody uses for it
        code: str | None = None,
        hint: str | None = None,
        request_id: str | None = None,
        facts: dict[str, Any] | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit = exit
        self.code = code or exit.name.lower()
        self.hint = hint
        self.request_id = request_id
        self.facts = facts or {}
        self.status = status
        """That the server answered, where it did."""

    def body(self) -> dict[str, Any]:
        """The error as one JSON document, beside what is known of the thing that failed."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.hint:
            error["hint"] = self.hint
        if self.request_id:
            error["requestId"] = self.request_id
        return {**self.facts, "error": error}


def usage(message: str, hint: str | None = None, *, code: str = "usage") -> Failure:
    """The command cannot be carried out as it was typed."""
    return Failure(message, exit=Exit.USAGE, code=code, hint=hint)
