"""Cloud identities and clusters as their pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.infra import CLOUDS

NAMES = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"}
FIELDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    # name, label, kind of the input
    "aws": (("role_arn", "ARN of the role", "text"),),
    "gcp": (("wif_config", "Credential configuration (JSON)", "area"), ("project_id", "Project", "text")),
    "azure": (
        ("tenant_id", "Tenant (directory) id", "text"),
        ("client_id", "Application (client) id", "text"),
        ("subscription_id", "Subscription id", "text"),
    ),
}


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """`check` is the page of the last test of the connection, `note` what it says."""

    uid: str
    provider: str
    name: str
    label: str
    state: tuple[str, str]
    verified: datetime | None
    looked: datetime | None
    check: str
    note: str
    connected: bool

    @property
    def href(self) -> str:
        return f"{CLOUDS}/{self.uid}"


@dataclass(frozen=True, slots=True)
class IdentityView:
    """`found` is what a runner found with it: words and how many; `trust` what its cloud has to be told, `zones` the
    uids and names of those there are, and whether it is bound to them.
    """

    row: IdentityRow
    facts: tuple[Fact, ...]
    trust: tuple[Fact, ...]
    found: tuple[tuple[str, tuple[str, ...]], ...]
    used_by: tuple[tuple[str, str], ...]
    zones: tuple[tuple[str, str, bool], ...]
    bound: bool


@dataclass(frozen=True, slots=True)
class ClusterRow:
    name: str
    version: str
    state: str
    nodes: str
    spec: tuple[str, str]
    stage: str
    region: str
    cost: float | None
    console: str


@dataclass(frozen=True, slots=True)
class ClusterList:
    rows: tuple[ClusterRow, ...]
    older: str | None
