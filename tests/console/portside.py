"""A harbour to look at: the console's ports over values that stand still, for tests of pages. It never ships."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from console.backed_up import backed_up
from console.kept_side import KeptSide
from console.ledgerside import BASE, NOW, LedgerSide
from console.letting_in import LettingIn
from console.own_side import OwnSide
from console.people_side import ACCESS, PeopleSide
from console.quay import FLEET, Quay
from quarterdeck.console.ports import (
    AccountRow,
    Begun,
    Bootstrap,
    Finished,
    Place,
    ProviderChoice,
    SignedIn,
    SourceChoice,
    Step,
    Update,
)
from quarterdeck.console.views.backups import BackupView
from quarterdeck.console.views.deployments import (
    DeploymentRow,
    DeploymentView,
    Difference,
    Fact,
    Failure,
    LineView,
    LogView,
    PhaseView,
    PlanPart,
    RollbackView,
)
from quarterdeck.console.views.home import Happening, Home, NeedsYou, RunningNow, Tile
from quarterdeck.console.views.ledger import (
    Found,
    HostRow,
    SessionRow,
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
    CheckRow,
    Inspection,
    ResourceHead,
    ResourceView,
    RouteRow,
    Serving,
    Settings,
)
from quarterdeck.console.views.shell import Count, Viewer
from quarterdeck.identity.passwords import check_new
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from quarterdeck.kernel.vault import Secret

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
) | {"servers:engine", *ACCESS}
LINES = (
    ("detect", "info", "fetch https://git.saltmarsh.example/storefront.git main → 9f2c1ab"),
    (None, "info", "found package.json, pnpm-lock.yaml → \x1b[32mSvelteKit (node adapter)\x1b[0m"),
    ("plan", "info", "install: pnpm install --frozen-lockfile"),
    ("package", "debug", "#1 [build 1/6] FROM node:22-slim@sha256:4c41…"),
    (None, "warn", "src/lib/cart.ts: “currency” is imported but never used"),
    ("deploy", "info", "start web-v42 on fra-1 beside web-v41"),
    ("verify", "info", "GET http://web-v42:3000/healthz"),
    (None, "error", "try 2 of 10  503 <b>warming</b> product cache " + "x" * 180),
)


def row(number: int, state: str, **more: Any) -> DeploymentRow:
    known: dict[str, Any] = {
        "ref": f"dep_{number:012d}",
        "number": number,
        "state": state,
        "phase": None,
        "commit": "9f2c1abdd0e1",
        "message": "Show delivery slots at checkout",
        "by": "Mara",
        "at": NOW - timedelta(hours=(43 - number) * 17),
        "seconds": 54.0,
        "serving": False,
        "may_return": False,
        "href": f"{BASE}/deployments/{number}",
    }
    return DeploymentRow(**(known | more))


ROWS = (
    row(42, "running", phase="Verifying", at=NOW - timedelta(seconds=71), seconds=None),
    row(41, "succeeded", serving=True, message="Retry webhooks with jitter"),
    row(40, "succeeded", may_return=True, message="Fix VAT rounding for bundles", by="Aiko"),
    row(39, "rolled-back", message="New search index", by="push"),
    row(38, "failed", message="New search index", by="push"),
    row(37, "canceled", message="Bump dependencies", by="Jonas"),
)
PHASES = (
    PhaseView("detect", "Detect", "succeeded", 1.2, "Node 22 and pnpm"),
    PhaseView("plan", "Plan", "succeeded", 0.3, "Dockerfile generated"),
    PhaseView("package", "Package", "succeeded", 48.0, "212 MB"),
    PhaseView("deploy", "Deploy", "succeeded", 3.1, "beside v41"),
    PhaseView("verify", "Verify", "running", None, "try 3 of 10", NOW - timedelta(seconds=9)),
    PhaseView("cut-over", "Cut over", "pending", None, ""),
)
DIFFERENCES = (Difference("FEATURE_SLOTS", "on", None), Difference("CACHE_TTL", "86400", "3600"))


@dataclass
class Portside(Quay, LedgerSide, KeptSide, PeopleSide, LettingIn, OwnSide):
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

    # doors
    async def bootstrap(self) -> Bootstrap:
        return self.bootstrap_state

    async def first_admin(self, *, email: str, name: str, password: str, setup_token: str, request: Any) -> SignedIn:
        check_new(Secret(password))
        self._did("first-admin", email, name, setup_token)
        return SignedIn("mara", 604_800)

    async def sign_in(self, *, login: str, password: str, request: Any) -> SignedIn | Step:
        if login == "aiko" and password == "correct horse battery":
            return Step("right-password")
        if password != "correct horse battery":
            raise Unauthenticated("This name and password do not go together.", hint="Check both and try again.")
        return SignedIn("mara", 604_800)

    async def second_step(self, *, token: str, code: str, request: Any) -> SignedIn:
        if token != "right-password":
            raise Invalid("It is too long ago that your password was right.", code="link_invalid")
        if code not in {"123456", "0a1b2c3d-4e5f6a7b"}:
            raise Unauthenticated("The code is wrong.", code="second_factor_code_wrong")
        self._did("second-step", code)
        return SignedIn("mara", 604_800)

    async def identity_providers(self) -> tuple[ProviderChoice, ...]:
        return (ProviderChoice("team", "Saltmarsh login"),)

    async def begin_external(self, slug: str, *, back: str, address: str, member: Any) -> Begun:
        self._did("begin-external", slug, back, address, member)
        return Begun("Saltmarsh login", "https://login.saltmarsh.example/authorize?state=x", "kept")

    async def finish_external(self, slug: str, *, back: str, answer: Any, browser: str, request: Any) -> Finished:
        self._did("finish-external", slug, dict(answer), browser)
        return Finished("/console/projects", SignedIn("mara", 604_800))

    async def external_accounts(self, who: Any) -> tuple[AccountRow, ...]:
        return (
            AccountRow("team", "Saltmarsh login", "acc_1", NOW - timedelta(days=9)),
            AccountRow("old", "Old login", None, None),
        )

    async def disconnect_external(self, who: Any, ref: str) -> None:
        self._did("disconnect", ref)

    async def sign_out(self, who: Any) -> None:
        self._did("sign-out", who)

    async def sessions(self, who: Any) -> tuple[SessionRow, ...]:
        return (
            SessionRow("ses_1", "Chromium on Linux", "127.0.0.1", NOW - timedelta(hours=2), NOW, True),
            SessionRow(
                "ses_2", "qd on fra-1", "198.51.100.7", NOW - timedelta(days=3), NOW - timedelta(hours=9), False
            ),
        )

    async def revoke_session(self, who: Any, ref: str) -> None:
        self._did("revoke", ref)

    # reads
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

    async def resource_head(self, who: Any, place: Place) -> ResourceHead:
        if place.resource == "secret":
            raise Forbidden(
                "Seeing storefront / secret needs deploy:resources.show on storefront.",
                hint="Jonas Weber can grant it.",
                permission="deploy:resources.show",
            )
        if place != Place("storefront", "production", "web"):
            raise NotFound(f"There is no resource {place.resource!r} in {place.environment}.", hint="Look in Projects.")
        active = None if self.ended else ROWS[0]
        return ResourceHead(
            ref="res_web",
            name="web",
            slug="web",
            kind="application",
            lifecycle=self.lifecycle,
            project="storefront",
            project_name="Storefront",
            environment="production",
            environment_name="production",
            source="saltmarsh/storefront, main",
            server="fra-1",
            url="http://web.localhost:8080/",
            state=("deployment", "running") if active else ("health", "healthy"),
            state_word="Verifying v42" if active else "",
            active=active,
            blocked="v42 is being deployed." if active else "",
            version=self.version,
            builder="hel-2",
        )

    async def resource(self, who: Any, place: Place) -> ResourceView:
        head = await self.resource_head(who, place)
        if self.empty:
            bare = replace(head, url=None, state=("runtime", "not-deployed"), state_word="", active=None, blocked="")
            return ResourceView(bare, None, None, (), 0, (), None)
        return ResourceView(
            head=head,
            deployment=await self.deployment(who, place, 42),
            log=await self.deployment_log(who, place, 42, 5000),
            history=ROWS,
            total=42,
            routes=(
                RouteRow("http://web.localhost:8080/", "web.localhost:8080", "58 ms", "ready"),
                RouteRow("https://shop.saltmarsh.example", "shop.saltmarsh.example", "", "not-ready"),
            ),
            serving=Serving(
                41,
                NOW - timedelta(hours=17),
                "sha256:a41c…90fe",
                "running",
                "healthy",
                "container",
                (CheckRow("Inside", "passed", "200 in 3 ms"), CheckRow("Through the edge", "passed", "")),
            ),
            undeployed=("network.internalPort", "variables.runtime.CACHE_TTL"),
        )

    async def deployments(self, who: Any, place: Place, before: int | None, limit: int) -> tuple[DeploymentRow, ...]:
        await self.resource_head(who, place)
        older = tuple(row(n, "succeeded", may_return=n % 5 == 0) for n in range(36, 0, -1))
        return tuple(one for one in (*ROWS, *older) if before is None or one.number < before)[:limit]

    async def deployment(self, who: Any, place: Place, number: int) -> DeploymentView:
        found = next((one for one in await self.deployments(who, place, None, 99) if one.number == number), None)
        if found is None:
            raise NotFound(f"web has no deployment v{number}.", hint="The newest is v42.")
        if self.ended and number == 42:
            found = replace(found, state="succeeded", phase=None, seconds=74.0, serving=True)
        phases = PHASES if found.active else tuple(replace(one, state="succeeded", since=None) for one in PHASES)
        failure = None
        if found.state == "failed":
            phases = (
                *PHASES[:4],
                replace(PHASES[4], state="failed", since=None, seconds=52.1),
                replace(PHASES[5], state="skipped"),
            )
            failure = Failure(
                "health_check_failed",
                "web v38 did not answer on port 4321 after 10 tries.",
                "The app listens on 3000. Set the port to 3000 and deploy again. v37 keeps serving.",
                "verify",
            )
        return DeploymentView(
            row=found,
            resource="web",
            trigger="started",
            phases=phases,
            plan=(
                PlanPart("Build", (Fact("Strategy", "Dockerfile, generated"), Fact("Install", "pnpm install", True))),
                PlanPart(
                    "Run",
                    (Fact("Start", "node build", True), Fact("Port", "3000"), Fact("Health", "GET /healthz", True)),
                ),
            ),
            differs_from=number - 1 if number > 1 else None,
            differences=DIFFERENCES if number == 40 else (),
            failure=failure,
            serving_note="v41 serves until v42 is healthy" if found.active else "",
            may_retry=found.state == "failed",
            retry_reason="Its snapshot is gone." if found.state == "canceled" else "",
            may_cancel=found.active,
        )

    async def deployment_log(self, who: Any, place: Place, number: int, limit: int) -> LogView:
        lines = tuple(
            LineView(n, NOW - timedelta(seconds=71 - n * 4), text, level, phase)
            for n, (phase, level, text) in enumerate(LINES, 1)
        )
        return LogView(f"deployment:dep_{number:012d}", lines, len(lines), 120 if number == 40 else 0, number != 42)

    async def rollback_plan(self, who: Any, place: Place, number: int) -> RollbackView:
        target = (await self.deployment(who, place, number)).row
        blocked = "" if target.may_return else f"v{number} keeps no image to go back to."
        kept = ("The database is not rolled back.",)
        return RollbackView(target, ROWS[1], ROWS[0].ref, "its exact image sha256:0d3e…", DIFFERENCES, kept, blocked)

    async def variables(self, who: Any, place: Place) -> tuple[VariableRow, ...]:
        return (
            *await self.environment_variables(who, place.project, place.environment),
            VariableRow("CACHE_TTL", "3600", "runtime", False, "resource", True),
        )

    async def settings(self, who: Any, place: Place) -> Settings:
        return Settings(
            self.version,
            {
                "source": {
                    "kind": "remote-git",
                    "locator": "https://git.saltmarsh.example/storefront.git",
                    "gitRef": "main",
                    "baseDirectory": "",
                    "buildServerId": "srv_2",
                },
                "runtime": {"strategy": "auto", "startCommand": "node build"},
                "network": {"internalPort": "3000", "upstreamProtocol": "http", "exposureMode": "reverse-proxy"},
                "health": {"enabled": "yes", "path": "/healthz", "retries": "10"},
                "access": {"generatedAccessMode": "inherit", "pathPrefix": "/"},
            },
            () if self.lifecycle == "active" else self.blockers,
        )

    async def hosts(self, who: Any) -> tuple[HostRow, ...]:
        return (
            HostRow("server", "fra-1", ("server", "ready", None), "198.51.100.24, Docker 27", ("containers",), "", NOW),
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

    # deeds
    async def create_project(self, who: Any, *, name: str, description: str) -> str:
        self._did("create-project", name)
        return name

    async def change_project(self, who: Any, slug: str, *, name: str, description: str, version: str) -> str:
        if version != self.version:
            raise Conflict("Storefront was changed by somebody else.", hint="Compare both and save again.")
        self._did("change-project", slug, name, description)
        return slug

    async def archive_project(self, who: Any, slug: str) -> None:
        self._did("archive-project", slug)

    async def restore_project(self, who: Any, slug: str) -> None:
        self._did("restore-project", slug)

    async def project_blockers(self, who: Any, slug: str) -> tuple[str, ...]:
        return ("2 resources",) if slug == "storefront" else ()

    async def delete_project(self, who: Any, slug: str, confirmation: str) -> None:
        if confirmation != slug:
            raise Invalid("The name typed is not the name of the project.", hint=f"Type {slug}.", field="confirmation")
        self._did("delete-project", slug)

    async def create_environment(self, who: Any, project: str, *, name: str, kind: str) -> str:
        self._did("create-environment", project, name, kind)
        return name

    async def deploy_source(self, who: Any, source: SourceChoice) -> tuple[Place, int]:
        self._did("deploy-source", source)
        return Place("storefront", "production", "web"), 42

    async def deploy(self, who: Any, place: Place) -> int:
        self._did("deploy", place)
        return 42

    async def cancel(self, who: Any, place: Place, number: int) -> None:
        self._did("cancel", place, number)

    async def retry(self, who: Any, place: Place, number: int) -> int:
        self._did("retry", place, number)
        return 42

    async def roll_back(self, who: Any, place: Place, number: int) -> int:
        self._did("roll-back", place, number)
        return 42

    async def control(self, who: Any, place: Place, operation: str) -> None:
        self._did("control", place, operation)

    async def set_variable(self, who: Any, place: Any, *, key: str, value: str, exposure: str, secret: bool) -> None:
        self._did("set-variable", place, key, value, exposure, secret)

    async def import_variables(
        self, who: Any, place: Place, *, content: str, exposure: str, secret: str, plain: str
    ) -> int:
        self._did("import-variables", place, content, exposure, secret, plain)
        return content.count("=")

    async def unset_variable(self, who: Any, place: Any, *, key: str, exposure: str) -> None:
        self._did("unset-variable", place, key, exposure)

    async def change_settings(self, who: Any, place: Place, form: str, values: Mapping[str, str], version: str) -> None:
        if version != self.version:
            raise Conflict("web was changed by somebody else.", hint="Compare both and save again.")
        self._did("change-settings", place, form, dict(values))

    async def archive_resource(self, who: Any, place: Place) -> None:
        self._did("archive-resource", place)

    async def delete_resource(self, who: Any, place: Place, confirmation: str) -> None:
        if confirmation != place.resource:
            raise Invalid("The name typed is not the name of the resource.", hint="Type web.", field="confirmation")
        self._did("delete-resource", place)

    async def admitted(self, who: Any, topics: tuple[str, ...]) -> None:
        """Nobody is refused."""

    async def follow(self, who: Any, topics: tuple[str, ...], after: int) -> AsyncIterator[Update]:
        self.followed.append((topics, after))
        while (update := await self.updates.get()) is not None:
            yield update
