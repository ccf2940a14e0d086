"""The command line as an operator types it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from e2e.server import PROGRAM, environment


def typed(*arguments: str, given: str = "", **variables: str) -> tuple[int, Any]:
    """Exit status and what `-o json` printed."""
    done = subprocess.run(
        [*PROGRAM, "-o", "json", *arguments], env=environment(None, **variables), input=given, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def addressed(directory: Path, url: str | None) -> dict[str, str]:
    """The database of an installation, as an operator names it."""
    if url is None:
        return {}
    file = directory.parent / "url"
    file.write_text(url)
    return {"QUARTERDECK_DATABASE_URL": f"@{file}"}
