"""Renders migrations: Alembic's comparison of models and schema, spelt so that one file serves both databases."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from alembic.autogenerate import produce_migrations, render_python_code  # noqa: E402 - the path comes first
from alembic.operations import ops  # noqa: E402 - the path comes first
from alembic.runtime.migration import MigrationContext  # noqa: E402 - the path comes first
from sqlalchemy import DDL, MetaData, Table  # noqa: E402 - the path comes first

from quarterdeck.kernel.db.migrate import MIGRATIONS, create, engine_for, migrate, revisions  # noqa: E402 - see above
from quarterdeck.kernel.db.newest import NEWEST, written  # noqa: E402 - the path comes first
from quarterdeck.kernel.db.types import Instant  # noqa: E402 - the path comes first
from quarterdeck.schema import tables  # noqa: E402 - the path comes first

VERSIONS = MIGRATIONS / "versions"
FIRST = {
    "0001": ("kernel", "The kernel: vault, ledger, events, audit trail, log lines.", ()),
    "0002": ("identity", "People, organizations, sessions, and who has which role where.", ("identity_", "access_")),
    "0003": ("workspace", "Projects, environments and variables; servers and workers.", ("workspace_", "fleet_")),
    "0004": ("deploy", "Resources, their deployments, and what was seen of them.", ("deploy_",)),
}


def item(kind: str, thing: Any, _context: Any) -> str | bool:
    """Types of ours in terms of the database, so that an old migration never depends on code of today."""
    return "sa.BigInteger()" if kind == "type" and isinstance(thing, Instant) else False


def difference(address: Path | None) -> tuple[MigrationContext, list[ops.MigrateOperation]]:
    """What would make the schema at `address` (an empty one without) into the models'."""
    with tempfile.TemporaryDirectory() as directory:
        engine = engine_for(address or Path(directory) / "empty.db")
        try:
            with engine.connect() as connection:
                context = MigrationContext.configure(connection, opts={"compare_type": True, "render_item": item})
                with warnings.catch_warnings(action="ignore"):  # see `by_expression`
                    found = produce_migrations(context, tables())
        finally:
            engine.dispose()
    assert found.upgrade_ops is not None  # noqa: S101 - produced a line above
    return context, list(found.upgrade_ops.ops)


def home(operation: Any) -> str:
    """The first migration that a table's creation belongs to."""
    name = table_of(operation)
    for revision, (_, _, prefixes) in FIRST.items():
        if name.startswith(prefixes or "\n"):
            return revision
    return "0001"


def table_of(operation: Any) -> str:
    return str(getattr(operation, "table_name", ""))


def triggers(table: Table) -> list[str]:
    """What the model adds to its table besides columns and indexes: statements for one database each."""
    written = []
    for listener in table.dispatch.after_create:
        ddl = getattr(listener, "__self__", listener)
        if isinstance(ddl, DDL):
            dialect = ddl._ddl_if.dialect if ddl._ddl_if else None  # noqa: SLF001 - there is no public way to read it
            said = quoted(ddl.statement.strip().replace("%%", "%"))
            written.append(f'    if op.get_bind().dialect.name == "{dialect}":\n        op.execute(\n{said}\n        )')
    return written


def quoted(statement: str) -> str:
    """A statement as a Python string over several lines."""
    pieces = []
    for line in statement.split("\n"):
        folded = textwrap.wrap(line, 95, break_long_words=False) or [""]
        pieces += [f"{piece} " for piece in folded[:-1]] + [f"{folded[-1]}\n"]
    pieces[-1] = pieces[-1].removesuffix("\n")
    return "\n".join(f"            {piece!r}" for piece in pieces if piece)


def by_expression(table: Table) -> list[ops.CreateIndexOp]:
    """Indexes over expressions: SQLite cannot show them to a comparison, so it passes them over."""
    return [
        ops.CreateIndexOp.from_index(index)
        for index in sorted(table.indexes, key=str)
        if not index.columns or any(not hasattr(expression, "table") for expression in index.expressions)
    ]


def rendered(context: MigrationContext, operations: Iterable[Any], metadata: MetaData) -> str:
    shared: list[Any] = []
    apart: list[Any] = []
    flat = [step for one in operations for step in (one.ops if isinstance(one, ops.ModifyTableOps) else [one])]
    new = [metadata.tables[step.table_name] for step in flat if isinstance(step, ops.CreateTableOp)]
    flat += [index for table in new for index in by_expression(table)]
    for step in flat:
        table = metadata.tables.get(table_of(step))
        (apart if table is not None and table.info.get("own_file") else shared).append(step)
    body = code(context, shared)
    if apart:
        inner = "\n".join(f"    {line}" if line else "" for line in code(context, apart).splitlines())
        reason = "SQLite keeps log lines in a file of their own"
        body += f'\n    if op.get_bind().dialect.name == "postgresql":  # {reason}\n{inner}\n'
    return body + "".join(f"\n{statement}" for table in new for statement in triggers(table))


def code(context: MigrationContext, operations: list[Any]) -> str:
    for step in operations:
        if isinstance(step, ops.CreateTableOp):
            step.info = {}
    text = render_python_code(ops.UpgradeOps(operations), render_item=item, migration_context=context)
    lines = [line for line in text.splitlines() if not line.strip().startswith("# ###")]
    return "\n".join(f"    {line.strip()}" if line.strip() else "" for line in lines)


def write(revision: str, before: str | None, name: str, title: str, body: str) -> Path:
    path = VERSIONS / f"v{revision}_{name}.py"
    head = [f'"""{title}"""', "", "import sqlalchemy as sa", "from alembic import op"]
    if "postgresql." in body:
        head.append("from sqlalchemy.dialects import postgresql")
    head += ["", f'revision = "{revision}"', f"down_revision = {before!r}", "branch_labels = None", "depends_on = None"]
    text = "\n".join([*head, "", "", "def upgrade() -> None:", body or "    pass", ""])
    text = re.sub(r"op\.f\(('[^']*')\)", r"\1", text).replace("astext_type=Text()", "")
    path.write_text(text)
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "check", "--fix-only", "--quiet", path], check=False)
    subprocess.run([ruff, "format", "--quiet", path], check=True)
    print(path.relative_to(ROOT))
    return path


def first() -> None:
    metadata = tables()
    for path in VERSIONS.glob("v*.py"):
        path.unlink()
    context, found = difference(None)
    before = None
    for revision, (name, title, _) in FIRST.items():
        mine = [step for step in found if home(step) == revision]
        write(revision, before, name, title, rendered(context, mine, metadata))
        before = revision


def made_already(step: Any) -> bool:
    """Whether an earlier migration makes this, for PostgreSQL alone: the comparison is with SQLite, where such a table
    stands in a file of its own and is missing.
    """
    if isinstance(step, ops.ModifyTableOps):
        return all(made_already(one) for one in step.ops)
    made = (
        f'"{step.index_name}"'
        if isinstance(step, ops.CreateIndexOp)
        else f'create_table(\n            "{table_of(step)}"'
    )
    known = isinstance(step, ops.CreateIndexOp | ops.CreateTableOp)
    return known and any(made in path.read_text() for path in VERSIONS.glob("v*.py"))


def following(name: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        address = Path(directory) / "present.db"
        migrate(address)
        context, found = difference(address)
    found = [step for step in found if not made_already(step)]
    last = revisions()[-1]
    words = name.replace("_", " ").capitalize()
    write(f"{int(last) + 1:04d}", last, name, f"{words}.", rendered(context, found, tables()))


def newest() -> None:
    """Write down what the migrations make of an empty SQLite file."""
    with tempfile.TemporaryDirectory() as directory:
        address = Path(directory) / "newest.db"
        create(address, revisions()[-1], lambda _connection: None)
        NEWEST.write_text(written(address))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", help="what it brings, in snake case (custom_domains)")
    parser.add_argument("--first", action="store_true", help="write the first migrations anew")
    parser.add_argument("--newest", action="store_true", help="after an edit by hand: write the newest schema anew")
    arguments = parser.parse_args()
    if arguments.first:
        first()
    elif arguments.name and arguments.name.isidentifier():
        following(arguments.name)
    elif not arguments.newest:
        parser.error("give a name in snake case")
    revisions.cache_clear()
    newest()


if __name__ == "__main__":
    main()
