"""Notifications, outgoing webhooks and chat bots."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.notify import tell
from quarterdeck.notify.bots import links
from support.acts import Act, Stage, act
from support.chats import task_project
from surfaces.acts.identity import whose

SECRETS = {"appSecret": "xoxb-1-abc", "webhookToken": "8f742231b10e8888abcd99yyyzzz85a5"}


def home(tx: Tx, stage: Stage) -> int:
    return tx.one(select(Organization).where(Organization.ref == stage.organization), what="organization").id


async def bot(stage: Stage) -> str:
    body = {"platform": "slack", "appId": stage.name("A0"), "name": stage.name("bot"), **SECRETS}
    return str((await stage.ok("POST", "/api/admin/bots", body))["id"])


async def hook(stage: Stage) -> str:
    body = {"name": stage.name("hook"), "url": "https://hooks.example.com/quarterdeck", "events": ["task.*"]}
    return str((await stage.ok("POST", "/api/admin/hooks", body))["id"])


async def told(stage: Stage) -> str:
    def verb(tx: Tx) -> int:
        place = home(tx, stage)
        rows = tell(tx, "task_failed", [stage.owner.id], stage.name("task"), "It failed.", organization_id=place)
        return rows[0].id

    return str(await stage.write(verb))


@act("POST /api/admin/bots")
async def make_bot(stage: Stage) -> Act:
    return Act(body={"platform": "slack", "appId": stage.name("A0"), "name": stage.name("bot"), **SECRETS})


@act("PUT /api/admin/bots/{id}")
async def change_bot(stage: Stage) -> Act:
    return Act({"id": await bot(stage)}, {"name": stage.name("bot")})


@act("DELETE /api/admin/bots/{id}")
async def delete_bot(stage: Stage) -> Act:
    return Act({"id": await bot(stage)})


@act("POST /api/admin/bots/{id}/bindings")
async def bind(stage: Stage) -> Act:
    body = {"platformChatId": stage.name("C0"), "projectKey": await task_project(stage.deck, stage.organization)}
    return Act({"id": await bot(stage)}, body)


@act("DELETE /api/admin/bots/{id}/bindings")
async def unbind(stage: Stage) -> Act:
    made = await bind(stage)
    await stage.ok("POST", f"/api/admin/bots/{made.path['id']}/bindings", made.body)
    return Act(made.path, query={"platformChatId": made.body["platformChatId"]})


@act("POST /api/admin/hooks")
async def make_hook(stage: Stage) -> Act:
    return Act(body={"name": stage.name("hook"), "url": "https://hooks.example.com/quarterdeck"})


@act("PUT /api/admin/hooks/{id}")
async def change_hook(stage: Stage) -> Act:
    return Act({"id": await hook(stage)}, {"name": stage.name("hook")})


@act("DELETE /api/admin/hooks/{id}")
async def delete_hook(stage: Stage) -> Act:
    return Act({"id": await hook(stage)})


@act("POST /api/web/notifications/{id}/read")
async def read(stage: Stage) -> Act:
    return Act({"id": await told(stage)})


@act("POST /api/web/notifications/read-all")
async def read_all(stage: Stage) -> Act:
    await told(stage)
    return Act()


@act("PUT /api/web/notifications/preferences")
async def prefer(stage: Stage) -> Act:
    return Act(body={"muted": ["tunnel_ready"]}, known=whose(stage.owner))


@act("POST /api/web/profile/bind-platform")
async def bind_platform(stage: Stage) -> Act:
    made = int(await bot(stage))

    def verb(tx: Tx) -> str:
        place = home(tx, stage)
        return links.issue(tx, made, place, stage.name("U0")).reveal()

    return Act(body={"token": await stage.write(verb)}, known=whose(stage.owner))
