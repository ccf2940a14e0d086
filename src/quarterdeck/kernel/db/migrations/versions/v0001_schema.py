"""The first schema."""

import importlib
import pkgutil

from alembic import op

import quarterdeck
from quarterdeck.kernel.db.types import Base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for module in pkgutil.walk_packages(quarterdeck.__path__, "quarterdeck."):
        if module.name.endswith(".model"):
            importlib.import_module(module.name)
    bind = op.get_bind()
    tables = [
        table
        for table in Base.metadata.sorted_tables
        if not (bind.dialect.name == "sqlite" and table.info.get("own_file"))  # SQLite keeps log lines apart
    ]
    Base.metadata.create_all(bind, tables=tables)
