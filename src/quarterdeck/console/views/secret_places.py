"""Agents, connections and discovered secrets as their pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from quarterdeck.console.views.secrets import AGENTS, ASK, CONNECTIONS, State

FORMS: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    # name, label, kind of the input, example
    "vault": (
        ("address", "Address", "text", "https://vault.example.com"),
        ("mount", "Mount", "text", "secret"),
        ("prefix", "Prefix", "text", "apps"),
        ("namespace", "Namespace", "text", ""),
        ("ca_pem", "Certificate of its authority (PEM)", "area", ""),
    ),
    "aws-sm": (
        ("region", "Region", "text", "eu-west-1"),
        ("prefix", "Prefix", "text", "apps/"),
        ("role_arn", "ARN of the role", "text", "arn:aws:iam::123456789012:role/secrets"),
        ("endpoint", "Address, where it is not the usual one", "text", ""),
    ),
    "kubernetes": (
        ("namespace", "Namespace", "text", "apps"),
        ("address", "Address of the API", "text", "https://kubernetes.example.com:6443"),
        ("prefix", "Prefix", "text", ""),
        ("ca_pem", "Certificate of its authority (PEM)", "area", ""),
    ),
    "file": (("name", "Name of the file", "text", "main"),),
    "quarterdeck": (),
}
NEEDED: Mapping[str, frozenset[str]] = {
    "vault": frozenset({"address"}),
    "aws-sm": frozenset({"region"}),
    "kubernetes": frozenset({"namespace"}),
    "file": frozenset({"name", "credential"}),
    "quarterdeck": frozenset(),
}
CREDENTIALS: Mapping[str, tuple[str, str]] = {
    "vault": ("Token", "Empty: the agent brings its own."),
    "aws-sm": ("Key", "As ACCESS_KEY_ID:SECRET_ACCESS_KEY. Empty: the agent brings its own."),
    "kubernetes": ("Bearer token", "Empty: the agent brings its own."),
    "file": ("Passphrase", "It opens the file. Without it nobody does."),
}
WITHIN = frozenset({"file", "quarterdeck"})
"""Kept by the server itself: its own worker is the one who reaches them."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """`own`: it came by enrolment and has no secret of its own. `key`: it has a public key on file."""

    uid: str
    name: str
    state: State
    scope: Mapping[str, str]
    seen: datetime | None
    created: datetime
    key: bool
    own: bool

    @property
    def href(self) -> str:
        return f"{AGENTS}/{self.uid}"

    @property
    def revoked(self) -> bool:
        return self.state[1] == "revoked"


@dataclass(frozen=True, slots=True)
class NewAgent:
    """What is shown once."""

    uid: str
    name: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """`config` is without any credential; `where` is for whom it may be named; `health` is what ails it."""

    uid: str
    name: str
    provider: str
    config: Mapping[str, str]
    has_credential: bool
    where: str
    scope: Mapping[str, str]
    enabled: bool
    rhythm: int
    looked: datetime | None
    health: str
    changed: datetime
    by_server: bool = False

    @property
    def href(self) -> str:
        return f"{CONNECTIONS}/{self.uid}"

    @property
    def state(self) -> State:
        return ("secret-connection", "disabled" if not self.enabled else "failing" if self.health else "enabled", None)


@dataclass(frozen=True, slots=True)
class ConnectionDraft:
    """As it was chosen and typed; an empty credential leaves the one of before."""

    name: str
    provider: str
    config: Mapping[str, str]
    place: str
    scope: Mapping[str, str]
    rhythm: str
    by_server: bool
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FoundRow:
    uid: str
    ref: str
    cluster: str
    provider: str
    state: State
    labels: tuple[tuple[str, str], ...]
    seen: datetime
    first: datetime

    @property
    def ask(self) -> str:
        """Where it is asked for."""
        return f"{ASK}?{urlencode({'kind': 'read', 'provider': self.provider, 'ref': self.ref})}"


@dataclass(frozen=True, slots=True)
class FoundAsked:
    """Each is exact, but `prefix`, a plain beginning; `label` is `key:value`."""

    cluster: str = ""
    provider: str = ""
    prefix: str = ""
    label: str = ""
    status: str = ""
    start: int = 0


@dataclass(frozen=True, slots=True)
class FoundList:
    rows: tuple[FoundRow, ...]
    total: int
