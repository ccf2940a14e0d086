"""Every table of the program in one place, for what makes migrations and what compares them."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import MetaData

import quarterdeck
from quarterdeck.kernel.db.types import Base


def tables() -> MetaData:
    """The tables of all rooms; a room declares its own in `model.py`."""
    for module in pkgutil.walk_packages(quarterdeck.__path__, "quarterdeck."):
        if module.name.endswith(".model"):
            importlib.import_module(module.name)
    return Base.metadata
