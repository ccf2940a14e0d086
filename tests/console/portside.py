"""A harbour to look at: the console's ports over values that stand still, for tests of pages. It never ships."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from console.backed_up import backed_up
from console.deed_side import DeedSide
from console.door_side import DoorSide
from console.infra_side import InfraSide
from console.kept_side import KeptSide
from console.ledgerside import BASE, NOW, LedgerSide
from console.letting_in import LettingIn
from console.own_side import OwnSide
from console.people_side import ACCESS, PeopleSide
from console.quay import FLEET, Quay
from console.resource_side import ResourceSide
from console.secret_side import SecretSide
from console.task_admin_side import TaskAdminSide
from console.task_side import TaskSide
from quarterdeck.access.catalogue import broker, infra
from quarterdeck.console.door_ports import Bootstrap
from quarterdeck.console.ports import Place, SourceChoice, Update
from quarterdeck.console.views.backups import BackupView
from quarterdeck.console.views.home import Happening, Home, NeedsYou, RunningNow, Tile
from quarterdeck.console.views.ledger import (
    Found,
    HostRow,
)
from quarterdeck.console.views.projects import (
    Choice,
    EnvironmentView,
    ProjectRow,
    ProjectView,
    ResourceRow,
    VariableRow,
)
from quarterdeck.console.views.resources import (
    Inspection,
)
from quarterdeck.console.views.shell import Count, Viewer
from quarterdeck.kernel.errors import Invalid, NotFound

TASKS = ("tasks:tasks.view", "tasks:tasks.create", "tasks:tasks.act", "tasks:projects.view", "tasks:projects.manage",
         "tasks:machines.view", "tasks:machines.drain", "tasks:machines.manage", "tasks:settings.manage",
         "tasks:bots.manage")  # fmt: skip
SECRETS = tuple(f"broker:{key}" for key, *_ in broker.PERMISSIONS)
INFRA = tuple(f"infra:{key}" for key, *_ in infra.PERMISSIONS)
EVERYTHING = frozenset(
    "deploy:" + key
    for key in [
        "deployments.create",
        "deployments.redeploy",
        "deployments.cancel",
        "deployments.retry",
        "deployments.rollback",
        "deployments.logs",
        "projects.rename",
        "projects.archive",
        "projects.restore",
        "projects.delete",
        "environments.create",
        "resources.runtime.restart",
        "audit-events.export-global",
        "audit-events.list",
        "resources.archive",
        "resources.delete",
        "resources.runtime-logs.archive",
        "resources.runtime-log-archives.list",
        "resources.runtime-log-archives.show",
        "resources.runtime-log-archives.prune",
        *FLEET,
    ]
) | {"servers:engine", *ACCESS, *TASKS, *INFRA, *SECRETS}


@dataclass
class Portside(
    Quay,
    LedgerSide,
    KeptSide,
    PeopleSide,
    LettingIn,
    DoorSide,
    OwnSide,
    ResourceSide,
    TaskSide,
    TaskAdminSide,
    InfraSide,
    SecretSide,
    DeedSide,
):
    """Values of a small team. `deeds` is what was done; `problem` is raised by the next deed."""

    deeds: list[tuple[Any, ...]] = field(default_factory=list)
    problem: Exception | None = None
    permissions: frozenset[str] = EVERYTHING
    empty: bool = False
    bootstrap_state: Bootstrap = field(default_factory=lambda: Bootstrap(required=False, token_required=False))
    updates: asyncio.Queue[Update | None] = field(default_factory=asyncio.Queue)
    followed: list[tuple[tuple[str, ...], int]] = field(default_factory=list)
    lifecycle: str = "active"
    ended: bool = False
    version: str = "7"
    blockers: tuple[str, ...] = ()

    def _did(self, *deed: Any) -> None:
        if self.problem is not None:
            problem, self.problem = self.problem, None
            raise problem
        self.deeds.append(deed)

    async def viewer(self, who: Any) -> Viewer:
        return Viewer("Mara Lindqvist", "mara", "mara@saltmarsh.example", "Saltmarsh", self.permissions)

    async def counts(self, who: Any) -> Mapping[str, Count]:
        return {} if self.empty else {"home": Count("ask", 2), "projects": Count("run", 1), "jobs": Count("run", 2)}

    async def home(self, who: Any) -> Home:
        if self.empty:
            return Home((), (), (), (), 0)
        return Home(
            needs=(
                NeedsYou(
                    "bad",
                    "docs / staging failed to deploy",
                    "/console/projects/docs/staging/docs/deployments/18",
                    ("verify: no answer on port 4321 after 10 tries", "v17 keeps serving", "9:02"),
                    "See why",
                ),
                NeedsYou(
                    "warn",
                    "Certificate for tides.saltmarsh.example expires in 6 days",
                    "/console/projects/tides",
                    ("renewal failed twice: DNS points at 203.0.113.9",),
                    "Fix DNS",
                ),
            ),
            running=(
                RunningNow(
                    "Deploy storefront / web v42",
                    f"{BASE}/deployments/42",
                    "verify, try 3 of 10",
                    82,
                    NOW - timedelta(seconds=71),
                ),
                RunningNow("Prune images on fra-1", "/console/jobs/9f2c1ab0", "", None, NOW - timedelta(seconds=22)),
            ),
            tiles=(
                Tile("Routes", "23 of 24", "warn", "1 not ready", "/console/projects"),
                Tile("Servers", "5 of 5", "good", "All reachable", "/console/fleet"),
                Tile("Workers", "7 of 8", "off", "hel-2 draining", "/console/fleet"),
                Tile("Ledger", "4 running", "good", "0 waiting, 0 dead", "/console/jobs"),
            ),
            activity=(
                Happening(
                    "run", "Mara Lindqvist", "deployed", "storefront / web v42", BASE, NOW - timedelta(minutes=1)
                ),
                Happening(
                    "bad", "Push to docs", "failed to deploy", "docs / staging v18", None, NOW - timedelta(hours=1)
                ),
            ),
            projects=3,
        )

    async def projects(self, who: Any) -> tuple[ProjectRow, ...]:
        if self.empty:
            return ()
        return (
            ProjectRow("prj_1", "Storefront", "storefront", "The shop", "active", 2, 4, ("deployment", "running"), NOW),
            ProjectRow("prj_2", "Docs", "docs", "", "active", 1, 1, ("deployment", "failed"), NOW),
            ProjectRow("prj_3", "Tides", "tides", "Retired in May", "archived", 1, 0, None, None),
        )

    def _resource_rows(self) -> tuple[ResourceRow, ...]:
        return (
            ResourceRow(
                "res_web",
                "web",
                "web",
                "application",
                "storefront",
                "production",
                ("deployment", "running"),
                "Verifying",
                "http://web.localhost:8080/",
                42,
                NOW - timedelta(seconds=71),
            ),
            ResourceRow(
                "res_mail",
                "mail",
                "mail",
                "worker",
                "storefront",
                "production",
                ("health", "healthy"),
                "",
                None,
                7,
                NOW,
            ),
            ResourceRow(
                "res_new", "search", "search", "application", "storefront", "production", None, "", None, None, None
            ),
        )

    async def project(self, who: Any, slug: str) -> ProjectView:
        if slug != "storefront":
            raise NotFound(f"There is no project {slug!r}.", hint="It may have another name now. Look in Projects.")
        environments = (
            EnvironmentView("env_1", "production", "production", "production", "active", slug, self._resource_rows()),
            EnvironmentView("env_2", "staging", "staging", "staging", "locked", slug, ()),
        )
        return ProjectView("prj_1", "Storefront", slug, "The shop", self.lifecycle, self.version, environments)

    async def environment(self, who: Any, project: str, environment: str) -> EnvironmentView:
        return (await self.project(who, project)).environments[environment == "staging"]

    async def environment_variables(self, who: Any, project: str, environment: str) -> tuple[VariableRow, ...]:
        return (
            VariableRow("DATABASE_URL", "****", "runtime", True, "environment", True),
            VariableRow("PUBLIC_NAME", "Saltmarsh <shop>", "build-time", False, "environment", True),
            VariableRow("LOG_LEVEL", "info", "runtime", False, "project", False),
        )

    async def variables(self, who: Any, place: Place) -> tuple[VariableRow, ...]:
        return (
            *await self.environment_variables(who, place.project, place.environment),
            VariableRow("CACHE_TTL", "3600", "runtime", False, "resource", True),
        )

    async def hosts(self, who: Any) -> tuple[HostRow, ...]:
        return (
            HostRow(
                "server",
                "fra-1",
                ("server", "ready", None),
                "198.51.100.24, Docker 27",
                ("containers",),
                "",
                NOW,
                room="9.3 GiB of 40.0 GiB free",
            ),
            HostRow("worker", "in-process", ("worker", "online", None), "this host", ("deploy",), "1 job", NOW),
            HostRow("worker", "hel-2", ("worker", "online", "degraded"), "0.1.0", ("deploy", "tasks"), "", NOW),
        )

    async def backups(self, who: Any) -> BackupView:
        return backed_up(None if self.empty else NOW)

    async def servers(self, who: Any) -> tuple[Choice, ...]:
        return (Choice("srv_1", "fra-1"), Choice("srv_2", "hel-2"))

    async def search(self, who: Any, words: str, limit: int) -> tuple[Found, ...]:
        known = (
            Found("projects", "Storefront", "/console/projects/storefront", "Projects"),
            Found("projects", "storefront / production / web", BASE, "Resources"),
        )
        return tuple(one for one in known if all(word in one.label.lower() for word in words.lower().split()))[:limit]

    async def inspect(self, who: Any, source: SourceChoice) -> Inspection:
        if "nowhere" in source.locator:
            raise Invalid("The repository cannot be reached.", hint="Check the address.", field="locator")
        return Inspection(
            "SvelteKit (node adapter)",
            ("package.json", "svelte.config.js"),
            "dockerfile",
            (("Runs as", "container"), ("Base image", "node:22-slim")),
            (("Install", "pnpm install --frozen-lockfile"), ("Start", "node build")),
            "3000",
            ("No lock file for the workspace root.",),
            "blocked" not in source.locator,
            "9f2c1ab",
        )

    async def admitted(self, who: Any, topics: tuple[str, ...]) -> None:
        """Nobody is refused."""

    async def follow(self, who: Any, topics: tuple[str, ...], after: int) -> AsyncIterator[Update]:
        self.followed.append((topics, after))
        while (update := await self.updates.get()) is not None:
            yield update
