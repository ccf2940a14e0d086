"""Channel tokens and recordings of terminals."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class PtyTokenRequest(Struct, kw_only=True, rename="camel"):
    """Without a mode: control where the caller may act on the task, else watch."""

    mode: Literal["control", "watch"] | UnsetType = UNSET


class PtyToken(Struct, kw_only=True, rename="camel"):
    """The token is shown this once and opens one socket at `wsPath`, in the first frame."""

    channel_token: str
    expires_at: str
    ws_path: str
    mode: Literal["control", "watch"]


class Recording(Struct, kw_only=True, rename="camel"):
    """A terminal of an attempt. `size` in bytes; `truncated`: the recording ends before the terminal did."""

    id: str
    task_id: int
    attempt: int
    cols: int
    rows: int
    opened_at: str
    ended_at: str | None
    exit_code: int | None
    reason: str | None
    size: int
    truncated: bool
    path: str


class Recordings(Struct, kw_only=True, rename="camel"):
    items: list[Recording]
    next_cursor: str | None
    total: int


class EventsAuth(Struct, kw_only=True, rename="camel", tag_field="type", tag="auth"):
    """The first frame of the live feed; in a browser the cookie stands for the token."""

    token: str | None = None


class EventsReady(Struct, kw_only=True, rename="camel", tag_field="type", tag="ready"):
    pass


class TaskUpdated(Struct, kw_only=True, rename="camel", tag_field="type", tag="task.updated"):
    """`event` is the word of the newest event of the task."""

    task_id: int
    event: str | None


class MachineUpdated(Struct, kw_only=True, rename="camel", tag_field="type", tag="machine.updated"):
    machine_id: str
    event: str | None


class NotificationCame(Struct, kw_only=True, rename="camel", tag_field="type", tag="notification"):
    event: str | None


class Resync(Struct, kw_only=True, rename="camel", tag_field="type", tag="resync"):
    """More happened than was told: ask for everything that is shown."""
