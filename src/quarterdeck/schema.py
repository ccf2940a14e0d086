"""Every table of the program in one place, for what makes migrations and what compares them."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import MetaData

import quarterdeck
from quarterdeck.kernel.db.types import Base


def tables() -> MetaData:
    """The tables of all rooms; a room declares its own in `model.py`, a kernel module of one file in itself."""
    for module in pkgutil.walk_packages(quarterdeck.__path__, "quarterdeck."):
        alone = not module.ispkg and module.name.startswith("quarterdeck.kernel.") and module.name.count(".") == 2
        if module.name.endswith(".model") or alone:
            importlib.import_module(module.name)
    return Base.metadata
