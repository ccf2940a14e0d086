"""Where things are kept unless somebody says otherwise. On the standard library alone."""

from __future__ import annotations

import os
from pathlib import Path


def default_data_dir() -> Path:
    """`/var/lib/quarterdeck` for root, else the user's own data directory."""
    if os.geteuid() == 0:
        return Path("/var/lib/quarterdeck")
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return (home / "quarterdeck").absolute()
