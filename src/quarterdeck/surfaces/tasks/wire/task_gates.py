"""Shapes of questions to people and their answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Index = Annotated[int, Meta(ge=0, le=1000)]
Text = Annotated[str, Meta(max_length=20_000)]


class StageAnswer(Struct, kw_only=True, rename="camel"):
    """Three documented forms: `stageIndex` and `result`; `stage` and `result`, where `confirm` confirms; `stageName`
    and `approved`. Stages count from 0; without one, that which waits is meant. `approved` false rejects.
    """

    stage_index: Index | UnsetType = UNSET
    stage: Index | UnsetType = UNSET
    stage_name: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    result: Text | UnsetType | None = UNSET
    approved: bool | UnsetType | None = UNSET


class PendingConfirm(Struct, kw_only=True, rename="camel"):
    """What a task waits for. Where `pending` is false, there is nothing more to say."""

    pending: bool
    task_id: int | UnsetType = UNSET
    stage_index: int | UnsetType = UNSET
    stage_name: str | UnsetType = UNSET
    kind: Literal["confirm", "choice", "input"] | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    choices: list[str] | UnsetType | None = UNSET
    requested_at: str | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET
