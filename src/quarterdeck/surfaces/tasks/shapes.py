"""Small pieces that the routes of the tasks surface answer with."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from quarterdeck.identity.model import User
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.failures import Issue, Malformed
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.wire.developers import Developer
from quarterdeck.surfaces.tasks.wire.lists import Paging
from quarterdeck.tasks import developers

T = TypeVar("T")


def at(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)


def number(text: str) -> int | None:
    """An id of a path; None for what is none, so that it is looked for and not found."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def page(rows: Sequence[T], id_of: Callable[[T], int], query: Paging) -> tuple[list[T], str | None]:
    """The rows of a page, of a list newest first, and the cursor of the page after it."""
    after = position(query)
    return cut([row for row in rows if after is None or id_of(row) < after], id_of, query)


def cut(rows: Sequence[T], id_of: Callable[[T], int], query: Paging) -> tuple[list[T], str | None]:
    """As `page`, of the rows behind the cursor: one more than the page has shows that there is another page."""
    shown = list(rows[: query.limit])
    return shown, _cursor(id_of(shown[-1])) if len(rows) > len(shown) else None


def position(query: Paging) -> int | None:
    """The number that the cursor of a list newest first stands for."""
    return _read(given(query.cursor))


def _cursor(row_id: int) -> str:
    return base64.urlsafe_b64encode(str(row_id).encode()).decode().rstrip("=")


def _read(cursor: str | None) -> int | None:
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        text = ""
    row_id = number(text)
    if row_id is None:
        raise Malformed(Issue("invalid_value", ("cursor",), "This is no cursor of this list.", "query"))
    return row_id


def developer_fields(tx: Tx, user: User) -> dict[str, Any]:
    return _fields(developers.described(tx, user))


def developer(tx: Tx, user: User) -> Developer:
    return Developer(**developer_fields(tx, user))


def listed_developer(one: developers.Developer) -> Developer:
    return Developer(**_fields(one))


def _fields(one: developers.Developer) -> dict[str, Any]:
    user = one.user
    return {
        "id": user.id,
        "name": user.username,
        "role": one.role,
        "git_name": developers.preference(user, "gitName"),
        "git_email": developers.preference(user, "gitEmail"),
        "platform_uid": developers.preference(user, "platformUid"),
        "totp_enabled": user.totp_enabled_at is not None,
        "is_active": user.active,
        "created_at": wire_time(user.created_at),
        "last_login_at": at(user.last_sign_in_at),
    }


def told(**values: Any) -> dict[str, Any]:
    """What a body gave, without what it left out; null stays None."""
    from msgspec import UNSET

    return {name: value for name, value in values.items() if value is not UNSET}
