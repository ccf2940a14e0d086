"""Directories inside a source tree."""

from __future__ import annotations

import re

from quarterdeck.kernel.errors import Invalid

_SHELL = re.compile(r"[\x00-\x1f\x7f;&|<>$`\"'\\*?!(){}\[\]~#^%]")


def base_directory(value: str | None) -> str | None:
    """The normal form: relative, forward slashes, no `.` parts; None for the root. Raises Invalid."""
    if value is None:
        return None
    text = value.strip()
    problem = None
    if "://" in text or re.match(r"[A-Za-z]+:", text) or ("@" in text.partition("/")[0] and ":" in text):
        problem = "is an address, not a directory"
    elif text.startswith("/"):
        problem = "is absolute"
    elif _SHELL.search(text):
        problem = "contains characters with a meaning to a shell"
    elif ".." in text.split("/"):
        problem = "leaves the source tree"
    elif text.startswith("-"):
        problem = "begins like an option"
    if problem:
        raise Invalid(
            f"The base directory {problem}.",
            code="validation_error",
            hint="Give a path relative to the root of the source, such as apps/web.",
            field="baseDirectory",
        )
    parts = [part for part in text.split("/") if part not in {"", "."}]
    return "/".join(parts) or None
