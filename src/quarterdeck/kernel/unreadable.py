"""What reading JSON raises for bytes that are not what was expected."""

from __future__ import annotations

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""A text that is not UTF-8 is not a `msgspec.DecodeError`, nor is one nested too deeply: whoever reads what others
wrote (a file, a frame, an engine's answer) refuses all three alike."""
