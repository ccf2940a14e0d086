"""Projects and environments (contract: broker §1.9)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

BrokerName = Annotated[str, Meta(max_length=400)]
BrokerId = Annotated[str, Meta(max_length=100)]
ProjectStatus = Literal["active", "archived"]
EnvironmentType = Literal["dev", "staging", "uat", "prod", "other"]
BrokerPageSize = Annotated[int, Meta(ge=1, le=1000)]


class BrokerPageQuery(Struct, kw_only=True):
    """`after` is the id of the last one of the page before; a page that is shorter than `limit` is the last."""

    limit: BrokerPageSize = 1000
    after: BrokerId | UnsetType = UNSET


class BrokerProject(Struct, kw_only=True):
    id: str
    name: str
    status: ProjectStatus
    created_at: str
    updated_at: str
    owner_team_id: str | UnsetType = UNSET


class NewBrokerProject(Struct, kw_only=True):
    name: BrokerName | UnsetType | None = UNSET
    owner_team_id: BrokerId | UnsetType | None = UNSET
    status: ProjectStatus | UnsetType | None = UNSET


class BrokerProjectStatus(Struct, kw_only=True):
    status: ProjectStatus


class BrokerEnvironment(Struct, kw_only=True):
    """`kind` follows from the type: `prod` is production, everything else `non_prod`."""

    id: str
    project_id: str
    name: str
    type: EnvironmentType
    kind: Literal["prod", "non_prod"]
    created_at: str
    updated_at: str


class NewBrokerEnvironment(Struct, kw_only=True):
    """Without a `type` it is `prod` where `kind` says so, else `other`. A `kind` that contradicts it is refused."""

    project_id: BrokerId | UnsetType | None = UNSET
    name: BrokerName | UnsetType | None = UNSET
    type: EnvironmentType | UnsetType | None = UNSET
    kind: Literal["prod", "non_prod"] | UnsetType | None = UNSET
