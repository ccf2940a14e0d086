"""Shapes below /api/deployments. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.deployments_shapes import Envelope, Envelope2, Envelope3, EventType
from quarterdeck.surfaces.deploy.wire.scalars import Text


class DeploymentsStreamEventsQuery(Struct, kw_only=True, rename="camel"):
    cursor: Text | UnsetType = UNSET
    history_limit: Annotated[int, Meta(ge=0, le=200)] = 100
    include_history: bool | UnsetType = UNSET
    follow: bool | UnsetType = UNSET
    until_terminal: bool | UnsetType = UNSET


class DeploymentsStreamEventsResponseEnvelopesItemEventEvent(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    sequence: Annotated[int, Meta(gt=0)]
    cursor: str
    emitted_at: str
    source: Literal["domain-event", "process-observation", "progress-projection"]
    event_type: EventType
    phase: Literal["detect", "plan", "package", "deploy", "verify", "rollback"] | UnsetType = UNSET
    status: str | UnsetType = UNSET
    retriable: bool | UnsetType = UNSET
    summary: str | UnsetType = UNSET


class DeploymentsStreamEventsResponseEnvelopesItemEvent(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="event"
):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    event: DeploymentsStreamEventsResponseEnvelopesItemEventEvent


class DeploymentsStreamEventsResponseEnvelopesItemGapGap(Struct, kw_only=True, rename="camel"):
    code: str
    phase: Literal["event-replay", "live-follow"]
    retriable: bool
    cursor: str | UnsetType = UNSET
    last_sequence: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    recommended_action: Literal["restart-stream", "open-deployment-detail"] | UnsetType = UNSET


class DeploymentsStreamEventsResponseEnvelopesItemGap(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="gap"
):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    gap: DeploymentsStreamEventsResponseEnvelopesItemGapGap


class DeploymentsStreamEventsResponse(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    envelopes: list[
        DeploymentsStreamEventsResponseEnvelopesItemEvent
        | Envelope3
        | DeploymentsStreamEventsResponseEnvelopesItemGap
        | Envelope2
        | Envelope
    ]


class DeploymentsStreamEventsStreamQuery(Struct, kw_only=True, rename="camel"):
    cursor: Text | UnsetType = UNSET
    history_limit: Annotated[int, Meta(ge=0, le=200)] = 100
    include_history: bool | UnsetType = UNSET
    follow: bool | UnsetType = UNSET
    until_terminal: bool | UnsetType = UNSET


class DeploymentsStreamEventsStreamResponseEventEvent(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    sequence: Annotated[int, Meta(gt=0, le=9007199254740991)]
    cursor: str
    emitted_at: str
    source: Literal["domain-event", "process-observation", "progress-projection"]
    event_type: EventType
    phase: Literal["detect", "plan", "package", "deploy", "verify", "rollback"] | UnsetType = UNSET
    status: str | UnsetType = UNSET
    retriable: bool | UnsetType = UNSET
    summary: str | UnsetType = UNSET


class DeploymentsStreamEventsStreamResponseEvent(Struct, kw_only=True, rename="camel", tag_field="kind", tag="event"):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    event: DeploymentsStreamEventsStreamResponseEventEvent


class DeploymentsStreamEventsStreamResponseGapGap(Struct, kw_only=True, rename="camel"):
    code: str
    phase: Literal["event-replay", "live-follow"]
    retriable: bool
    cursor: str | UnsetType = UNSET
    last_sequence: Annotated[int, Meta(gt=0, le=9007199254740991)] | UnsetType = UNSET
    recommended_action: Literal["restart-stream", "open-deployment-detail"] | UnsetType = UNSET


class DeploymentsStreamEventsStreamResponseGap(Struct, kw_only=True, rename="camel", tag_field="kind", tag="gap"):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    gap: DeploymentsStreamEventsStreamResponseGapGap


DeploymentsStreamEventsStreamResponse = (
    DeploymentsStreamEventsStreamResponseEvent
    | Envelope3
    | DeploymentsStreamEventsStreamResponseGap
    | Envelope2
    | Envelope
)


class DeploymentsStreamEventsStreamDone(Struct, kw_only=True, rename="camel"):
    deployment_id: str
