"""What starting git needs wherever it is started."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from quarterdeck.kernel.vault import MASK


@functools.cache
def bound_to_us() -> tuple[str, ...]:
    """A prefix that lets git die with the process that started it, where the host has the program for it."""
    return ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()


def tree_size(place: Path) -> int:
    """Bytes of all files below `place`, while others may be writing there."""
    total = 0
    border = [str(place)]
    while border:
        with contextlib.suppress(OSError), os.scandir(border.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        border.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
    return total


def masks(secrets: Iterable[str]) -> Callable[[str], str]:
    """Hides each secret and, of an authorization header, its bare credential."""
    words = {word for secret in secrets for word in (secret, secret.rpartition(" ")[2]) if len(word) > 3}

    def hide(text: str) -> str:
        for word in words:
            text = text.replace(word, MASK)
        return text

    return hide
