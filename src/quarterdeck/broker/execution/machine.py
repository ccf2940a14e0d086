"""What a worker brings to jobs of the broker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """`own` is the server's own worker, which alone keeps secrets in its directory and asks the server for those that
    it keeps. `environment` has what an agent brings itself, such as `VAULT_TOKEN`.
    """

    directory: Path
    own: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
