"""What the frame leaves out of a start."""

from __future__ import annotations

import subprocess
import sys

ASKED = """
import sys
from quarterdeck.app import openapi_document
assert openapi_document()["paths"]
print(*sorted(name for name in sys.modules if name in {"pydantic.v1", "litestar.plugins.pydantic"}))
"""


def test_an_application_is_made_without_libraries_that_nothing_of_ours_uses() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == ""
