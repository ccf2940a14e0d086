"""A resource and its deployments, as the made-up installation of `portside` shows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.ledgerside import BASE, NOW
from quarterdeck.console.ports import Place
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
from quarterdeck.console.views.resources import CheckRow, ResourceHead, ResourceView, RouteRow, Serving, Settings
from quarterdeck.kernel.errors import Forbidden, NotFound

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


class ResourceSide:
    """storefront / production / web, whose 42nd deployment runs until it has `ended`."""

    empty: bool
    ended: bool
    lifecycle: str
    version: str
    blockers: tuple[str, ...]

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
