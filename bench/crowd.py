"""An installation with many rows of everything, copied in bulk from one that was made by the rules themselves."""

from __future__ import annotations

import contextlib
import random
import zlib
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import func, select, text

from quarterdeck.deploy.deployments import admission
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources import resources, variables
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.identity import signing_in
from quarterdeck.instance import Instance
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.db import Base, Tx
from quarterdeck.kernel.events.model import domain_events
from quarterdeck.kernel.principal import Context, Principal, current
from quarterdeck.kernel.settings_reading import load
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace import environments, projects
from quarterdeck.workspace.model import Environment, Project

USER, PASSWORD = "ada@example.com", "correct horse battery staple"
BUSY = 1_000
"""So many attempts, and a tenth of the resources where that is less, are of one resource and of one environment."""
SOURCE = {"kind": "git-public", "locator": "https://git.example.com/team/shop.git", "gitRef": "main"}


@dataclass
class Crowd:
    """The references of some of the rows."""

    known: dict[str, list[str]]

    def fill_in(self, route: str) -> str:
        """A route with each `{word}` replaced by the reference of some row."""
        return route.format_map({word: random.choice(refs) for word, refs in self.known.items()})  # noqa: S311


@dataclass
class First:
    """The rows that the others are copies of."""

    project: Project
    environment: Environment
    resource: Resource
    server: Server
    deployment: Deployment


def made(tx: Tx) -> First:
    project = projects.create(tx, "Shop")
    environment = environments.create(tx, project.ref, "production", "production")
    server = servers.local(tx)
    resource = resources.create(
        tx, project_ref=project.ref, environment_ref=environment.ref, name="web", source=dict(SOURCE)
    )
    variables.set_variable(
        tx, resource.ref, key="GREETING", value="hello", kind="plain-config", exposure="runtime", secret=False
    )
    deployment = admission.create(tx, resource_ref=resource.ref, server_ref=server.ref)
    tx.session.flush()
    return First(project, environment, resource, server, deployment)


class Bulk:
    """Copies of the row 1 of a table as the rows 2 to `count`, made inside the database."""

    def __init__(self, tx: Tx, count: int) -> None:
        self.tx = tx
        self.count = count

    def text(self, prefix: str, *parts: tuple[str, int]) -> str:
        """SQL for a text: the prefix, then numbers with leading zeros up to a width."""
        padded = (
            f"substr('{'0' * width}' || CAST({number} AS varchar), -{width})"
            if self.tx.dialect == "sqlite"
            else f"lpad(CAST({number} AS varchar), {width}, '0')"
            for number, width in parts
        )
        return " || ".join([f"'{prefix}'", *padded])

    def ref(self, prefix: str) -> str:
        """SQL for the reference of row n, as `ref` makes it."""
        return self.text(f"{prefix}_", ("(n.i * 7919 % 1000003)", 7), ("n.i % 100000", 5))

    def uid(self, table: str) -> str:
        """SQL for a uid of its own in each table."""
        return self.text(f"{zlib.crc32(table.encode()):08x}-0000-7000-8000-", ("n.i", 12))

    def copy(self, table: str, first: int, **changes: str) -> None:
        """`changes` are SQL over `n.i`; a column that is not named is as in the row `first`."""
        columns = [column.name for column in Base.metadata.tables[table].columns]
        numbers = (
            f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {self.count})"
            if self.tx.dialect == "sqlite"
            else f"WITH n(i) AS (SELECT generate_series(2::bigint, {self.count}::bigint))"
        )
        if "uid" in columns:
            changes.setdefault("uid", self.uid(table))
        if "id" in columns:
            changes.setdefault("id", f"{first} - 1 + n.i")
        kept = [name for name in columns if name in changes or name != "id"]
        named = ", ".join(f'"{name}"' for name in kept)
        taken = ", ".join(changes.get(name, f't."{name}"') for name in kept)
        key = "id" if "id" in columns else "stream"
        one = first if key == "id" else f"(SELECT min(stream) FROM {table})"
        self.tx.connection.exec_driver_sql(
            f"INSERT INTO {table} ({named}) {numbers} SELECT {taken} FROM n, {table} t WHERE t.{key} = {one}".replace(
                "%", "%%" if self.tx.dialect == "postgresql" else "%"
            )
        )


def ref(prefix: str, number: int) -> str:
    """In no order, as references are."""
    return f"{prefix}_{number * 7919 % 1_000_003:07d}{number % 100_000:05d}"


def multiply(tx: Tx, first: First, count: int) -> None:
    """Rows 2 to `count` of everything. Row n of each table belongs to row n of the table above it, but a busy share."""
    bulk, busy = Bulk(tx, count), min(BUSY, count // 10)
    owner = f"CASE WHEN n.i <= {busy} THEN 1 ELSE n.i END"
    name, deployment = bulk.text("web-", ("n.i", 6)), bulk.ref("dep")
    subject, now = f"'deployment:' || {deployment}", "t.created_at"
    shop = {"name": bulk.text("Shop ", ("n.i", 6)), "slug": bulk.text("shop-", ("n.i", 6))}
    bulk.copy("workspace_projects", 1, ref=bulk.ref("prj"), **shop)
    bulk.copy("workspace_environments", 1, ref=bulk.ref("env"), project_id="n.i")
    bulk.copy("fleet_servers", 1, ref=bulk.ref("srv"), name=bulk.text("Server ", ("n.i", 6)), provider="'generic-ssh'")
    bulk.copy(
        "deploy_resources", 1, ref=bulk.ref("res"), name=name, slug=name, live_slug=name, environment_id=owner,
        project_id=owner, latest_id="n.i", serving_id="n.i",
    )  # fmt: skip
    bulk.copy(
        "deploy_deployments", 1, ref=deployment, resource_id=owner, environment_id=owner, project_id=owner,
        server_id="n.i", number="n.i", job_id="n.i", started_at=now, finished_at=now, retired_at=now,
        artifact="""'{"image":"sha256:0123456789abcdef"}'""", runtime="""'{"kind":"docker-container","port":3000}'""",
        artifact_retained="TRUE", status="CASE WHEN n.i % 100 = 0 THEN 'failed' ELSE 'succeeded' END",
    )  # fmt: skip
    seal(tx, first)
    bulk.copy("workspace_variables", 1, owner="'resource:' || CAST(n.i AS varchar)")
    bulk.copy(
        "jobs", 1, subject=subject, started_at=now, finished_at=now, attempts="1", idempotency_key="NULL",
        state="CASE WHEN n.i % 1000 = 0 THEN 'failed' ELSE 'succeeded' END",
        due_at="NULL", route="NULL", lease_until="NULL", turn_key="NULL", parked_key="NULL", wake_at="NULL",
    )  # fmt: skip
    last = int(tx.execute(select(func.max(audit_events.c.id))).scalar_one())
    bulk.copy(
        "audit_events", last, ref=bulk.ref("aud"), resource_type="'deployment'", resource_id=deployment,
        aggregate_id=deployment, outcome="CASE WHEN n.i % 1000 = 0 THEN 'denied' ELSE 'success' END",
    )  # fmt: skip
    last = int(tx.execute(select(func.max(domain_events.c.id))).scalar_one())
    bulk.copy("domain_events", last, stream=subject, sequence="1", cursor=bulk.text("", ("n.i", 32)))
    bulk.copy("event_streams", 1, stream=subject, head="1")


def seal(tx: Tx, first: First) -> None:
    """The variables of each attempt are sealed for its own row."""
    assert tx.vault is not None
    table, vault = Deployment.__tablename__, tx.vault
    spelt = vault.open(table, first.deployment.uid, "variables", first.deployment.variables).reveal()
    rows = tx.execute(select(Deployment.id, Deployment.uid).where(Deployment.id > 1)).all()
    sealed = [{"key": row.id, "text": vault.seal(table, row.uid, "variables", spelt)} for row in rows]
    tx.connection.execute(text(f"UPDATE {table} SET variables = :text WHERE id = :key"), sealed)


def settle(tx: Tx, first: First) -> None:
    """The first attempt is over: nothing is left to be run."""
    tx.connection.exec_driver_sql(
        "UPDATE jobs SET state = 'succeeded', due_at = NULL, route = NULL, turn_key = NULL, finished_at = created_at"
    )
    tx.connection.exec_driver_sql(
        f"UPDATE deploy_deployments SET status = 'succeeded' WHERE id = {first.deployment.id}"
    )
    if tx.dialect == "postgresql":
        for table in ("workspace_projects", "workspace_environments", "fleet_servers", "deploy_resources",
                      "deploy_deployments", "jobs", "audit_events", "domain_events"):  # fmt: skip
            tx.connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )


async def crowd(data: Path, address: str | None, count: int) -> Crowd:
    """Fill a new installation at `data`; its administrator is `USER`."""
    instance = Instance.open(
        load({"data_dir": data, "database_url": Secret(address) if address else None, "no_edge": True})
    )
    try:
        user, organization = await signing_in.create_first_administrator(
            instance.db, instance.access, email=USER, username=None, display_name="Ada", password=Secret(PASSWORD)
        )
        current.set(Context(principal=Principal("user", user.id, user.uid, user.username, organization.id)))
        first = await instance.db.write(made)
        await instance.db.write(multiply, first, count)
        await instance.db.write(settle, first)
    finally:
        await instance.close()
    if address is not None:
        vacuum(address)
    some = range(2, count + 1, max(1, count // 2000))
    words = {"project": "prj", "environment": "env", "resource": "res", "server": "srv", "deployment": "dep"}
    known = {word: [ref(prefix, n) for n in some] for word, prefix in words.items()}
    return Crowd({**known, "busy": [first.resource.ref]})


def vacuum(address: str) -> None:
    """What autovacuum would do within the first minutes."""
    with contextlib.closing(psycopg.connect(address, autocommit=True)) as connection:
        connection.execute("VACUUM ANALYZE")
