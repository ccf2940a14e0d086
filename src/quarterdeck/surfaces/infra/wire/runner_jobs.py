"""What foreign runners say and hear (contract: infra §3)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from quarterdeck.surfaces.infra.wire.jobs import Job

Word = Annotated[str, Meta(max_length=200)]


class Heartbeat(Struct, kw_only=True):
    version: Word | UnsetType | None = UNSET


class Alive(Struct, kw_only=True):
    """`cancelled_job_ids` are jobs of the runner that were cancelled within the last 30 minutes."""

    cancelled_job_ids: list[str]
    success: bool = True


class CloudIdentity(Struct, kw_only=True):
    """What a runner becomes somebody in a cloud with; texts that do not apply are empty."""

    provider: str
    role_arn: str = ""
    external_id: str = ""
    account_id: str = ""
    project_id: str = ""
    service_account_email: str = ""
    wif_config: str = ""
    tenant_id: str = ""
    client_id: str = ""
    subscription_id: str = ""


class Claimed(Struct, kw_only=True):
    """`job` is None when there is nothing to do."""

    job: Job | None
    cloud_identity: CloudIdentity | None = None


class JobStatus(Struct, kw_only=True):
    status: Word | UnsetType | None = UNSET
    error_message: str | UnsetType | None = UNSET
    execution_metadata: dict[str, Raw] | UnsetType | None = UNSET


class Heard(Struct, kw_only=True):
    """`applied` false: the job had ended before, and stays as it was."""

    success: bool = True
    applied: bool = True


class LogChunk(Struct, kw_only=True):
    log_chunk: Annotated[str, Meta(max_length=1_000_000)] | UnsetType | None = UNSET
    stream_type: Literal["STDOUT", "STDERR", "SYSTEM"] | UnsetType | None = UNSET


class GitToken(Struct, kw_only=True):
    token: str | None


class ArtefactKey(Struct, kw_only=True):
    key: str


class Wake(Struct, kw_only=True):
    """`wake`: something may be claimed. `cancel`: the job `job_id` has to be stopped."""

    type: Literal["wake", "cancel"]
    job_id: str | UnsetType = UNSET
