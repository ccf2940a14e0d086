"""The bots of an organization: registered, changed, deleted. Their secrets are sealed and shown to nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from quarterdeck.identity.machine import Machine
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.text import one_line
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify import actions, addresses
from quarterdeck.notify.actions import NotifyAction
from quarterdeck.notify.bots.model import Binding, Bot

TABLE = Bot.__tablename__
PLATFORMS = ("lark", "slack")
API = {"slack": "https://slack.com/api", "lark": "https://open.larksuite.com"}
SECRETS = ("app_secret", "webhook_token", "encrypt_key")
MOST = 50
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Login:
    """What is needed to speak as a bot, and to know that a platform speaks to it. For Slack `app_secret` is the bot's
    token and `webhook_token` the signing secret.
    """

    id: int
    organization_id: int
    platform: str
    app_id: str
    api_url: str
    near: bool
    app_secret: Secret[str]
    webhook_token: Secret[str]
    encrypt_key: Secret[str] | None


def page(tx: Tx, before: int | None, limit: int) -> tuple[Sequence[Bot], int]:
    """So many of the caller's organization, newest first, behind a number, and how many there are."""
    here = Bot.organization_id == tx.principal.acts_in
    query = select(Bot).where(here)
    if before is not None:
        query = query.where(Bot.id < before)
    rows = list(tx.scalars(query.order_by(Bot.id.desc()).limit(limit)))
    return rows, int(tx.execute(select(func.count()).select_from(Bot).where(here)).scalar() or 0)


def bound(tx: Tx, rows: Sequence[Bot]) -> dict[int, int]:
    """How many chats each of them is bound to, by the bot's number."""
    query = select(Binding.bot_id, func.count()).where(Binding.bot_id.in_([row.id for row in rows]))
    return {bot: int(count) for bot, count in tx.execute(query.group_by(Binding.bot_id))}


def find(tx: Tx, number: int | None) -> Bot:
    """One of the caller's organization. Raises `NotFound` (`bot_not_found`), for another's too."""
    here = Bot.organization_id == tx.principal.acts_in
    row = None if number is None else tx.first(select(Bot).where(here, Bot.id == number))
    if row is None:
        raise NotFound("There is no such bot.", code="bot_not_found", hint="Look at the list of bots.")
    return row


def create(
    tx: Tx,
    *,
    platform: str,
    app_id: str,
    name: str,
    app_secret: Secret[str],
    webhook_token: Secret[str],
    encrypt_key: Secret[str] | None = None,
    api_url: str | None = None,
) -> Bot:
    """A new bot. Raises `Invalid`, and `Conflict` (`bot_exists`, `too_many_bots`)."""
    place = tx.principal.acts_in
    tx.lock(f"notify-bots:{place}")
    if page(tx, None, 1)[1] >= MOST:
        raise Conflict(f"There are {MOST} bots already.", code="too_many_bots", hint="Delete one first.")
    if platform not in PLATFORMS:
        raise Invalid(f"There is no platform {platform[:40]!r}.", hint="Use lark or slack.", field="platform")
    app_id = one_line(app_id, "appId", 100)
    _free(tx, place, platform, app_id)
    uid = tx.ids.uid()
    row = tx.add(
        Bot(
            uid=uid,
            organization_id=place,
            platform=platform,
            app_id=app_id,
            name=one_line(name, "name", 100),
            app_secret=_sealed(tx, uid, "app_secret", app_secret),
            webhook_token=_sealed(tx, uid, "webhook_token", webhook_token),
            encrypt_key=_encrypt_key(tx, uid, platform, encrypt_key),
            api_url=_api(tx, place, api_url),
            enabled=True,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    note(tx, NotifyAction.BOT_CREATED, row, {"platform": platform, "appId": app_id, "name": row.name})
    return row


def change(
    tx: Tx,
    row: Bot,
    *,
    platform: str | None = None,
    app_id: str | None = None,
    name: str | None = None,
    api_url: str | None = None,
    enabled: bool | None = None,
    **secrets: Secret[str] | None,
) -> Bot:
    """Change what is given; of `encrypt_key` and `api_url` an empty text takes it away. Raises as `create` does, and
    `Invalid` for another platform.
    """
    tx.lock(f"notify-bots:{row.organization_id}")
    if platform is not None and platform != row.platform:
        raise Invalid(
            "A bot stays on its platform.", hint="Register another one there, and delete this one.", field="platform"
        )
    given: dict[str, Any] = {
        "app_id": None if app_id is None else one_line(app_id, "appId", 100),
        "name": None if name is None else one_line(name, "name", 100),
        "enabled": enabled,
    }
    changed = [key for key, value in given.items() if value is not None and getattr(row, key) != value]
    if "app_id" in changed:
        _free(tx, row.organization_id, row.platform, given["app_id"])
    if api_url is not None and (news := _api(tx, row.organization_id, api_url)) != row.api_url:
        if "app_secret" not in secrets or secrets["app_secret"] is None:
            raise Invalid(
                "Where the API is cannot be changed without the bot's secret: it would be sent there.",
                code="bot_secret_required",
                hint="Give appSecret as well.",
                field="apiUrl",
            )
        row.api_url = news
        changed.append("api_url")
    for key, value in given.items():
        if key in changed:
            setattr(row, key, value)
    for field, secret in secrets.items():
        if secret is None:
            continue
        if field == "encrypt_key":
            row.encrypt_key = _encrypt_key(tx, row.uid, row.platform, secret)
        else:
            setattr(row, field, _sealed(tx, row.uid, field, secret))
        changed.append(field)
    if changed:
        row.updated_at = tx.now
        tx.flush()
        note(tx, NotifyAction.BOT_CHANGED, row, {"changed": changed})
    return row


def remove(tx: Tx, row: Bot) -> None:
    """Delete it with its bindings, and forget its chats."""
    note(tx, NotifyAction.BOT_DELETED, row, {"platform": row.platform, "appId": row.app_id, "name": row.name})
    tx.session.delete(row)
    tx.flush()


def candidates(tx: Tx, platform: str, app_id: str | None) -> list[Login]:
    """Enabled bots that a platform's request may be for: those with the application's id, or, where it names none, all
    of the platform. Whose secret fits is whose request it is.
    """
    there = select(Organization.id).where(Organization.deleted_at.is_(None))
    query = select(Bot).where(Bot.platform == platform, Bot.enabled.is_(True), Bot.organization_id.in_(there))
    if app_id is not None:
        query = query.where(Bot.app_id == app_id)
    return [login(tx, row) for row in tx.scalars(query.order_by(Bot.id).limit(200))]


def login(tx: Tx, row: Bot) -> Login:
    def opened(field: str, sealed: str) -> Secret[str]:
        return tx.vault.open(TABLE, row.uid, field, sealed)

    return Login(
        row.id,
        row.organization_id,
        row.platform,
        row.app_id,
        row.api_url or API[row.platform],
        Machine.belongs_to(tx, row.organization_id),
        opened("app_secret", row.app_secret),
        opened("webhook_token", row.webhook_token),
        None if row.encrypt_key is None else opened("encrypt_key", row.encrypt_key),
    )


def note(tx: Tx, action: NotifyAction, row: Bot, detail: Mapping[str, object]) -> None:
    actions.note(tx, action, "bot", row.id, row.organization_id, detail)


def _free(tx: Tx, organization_id: int, platform: str, app_id: str) -> None:
    taken = select(Bot).where(Bot.organization_id == organization_id, Bot.platform == platform, Bot.app_id == app_id)
    if tx.first(taken) is not None:
        raise Conflict(
            f"There is a bot of the application {app_id} already.", code="bot_exists", hint="Change that one instead."
        )


def _api(tx: Tx, organization_id: int, address: str | None) -> str | None:
    if not address:
        return None
    return addresses.check(address, "apiUrl", near=Machine.belongs_to(tx, organization_id)).rstrip("/")


def _encrypt_key(tx: Tx, uid: str, platform: str, key: Secret[str] | None) -> str | None:
    if key is None or not key.reveal():
        return None
    if platform != "lark":
        raise Invalid("Only Lark encrypts what it sends.", hint="Leave encryptKey out.", field="encryptKey")
    return _sealed(tx, uid, "encrypt_key", key)


def _sealed(tx: Tx, uid: str, field: str, secret: Secret[str]) -> str:
    text = secret.reveal()
    if not text.strip() or len(text) > LONGEST or not text.isprintable() or not text.isascii():
        raise Invalid(f"{field} is no secret of a platform.", hint="Copy it once more.", field=field)
    return tx.vault.seal(TABLE, uid, field, text.strip())
