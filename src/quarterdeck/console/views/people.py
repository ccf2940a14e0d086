"""People, what they have, and why they may do something."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

PEOPLE, ROLES = "/console/access/people", "/console/access/roles"


@dataclass(frozen=True, slots=True)
class MemberRow:
    """`rank` is the role in the organization, `others` what people call the roles of other families."""

    ref: str
    name: str
    username: str
    email: str
    rank: str
    others: tuple[str, ...]
    active: bool
    you: bool
    since: datetime

    @property
    def href(self) -> str:
        return f"{PEOPLE}/{self.ref}"


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """`state` is pending or expired; `by` is empty where who invited is gone."""

    ref: str
    email: str
    rank: str
    state: str
    by: str
    made: datetime
    until: datetime

    @property
    def href(self) -> str:
        return f"{PEOPLE}/invitations/{self.ref}"


@dataclass(frozen=True, slots=True)
class MemberList:
    """`following` is where the next page begins."""

    rows: tuple[MemberRow, ...]
    following: str | None


@dataclass(frozen=True, slots=True)
class InvitationList:
    rows: tuple[InvitationRow, ...]
    older: str | None


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A role that somebody has; an empty `where` is the whole organization. `may_take` is not for the one role that
    everybody has, which is changed instead.
    """

    ref: str
    role: str
    label: str
    href: str
    where: str
    by: str
    since: datetime
    may_take: bool


@dataclass(frozen=True, slots=True)
class MemberView:
    row: MemberRow
    held: tuple[HeldRow, ...]
    last_seen: datetime | None
    second_factor: bool


@dataclass(frozen=True, slots=True)
class Handed:
    """An invitation that was made or made anew. `link` is there where nobody is written to: it is shown this once."""

    email: str
    rank: str
    until: datetime
    link: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class RoleRow:
    """`key` is what a grant names; `narrowed` of the `people` have it in a part of the organization alone."""

    ref: str
    key: str
    name: str
    family: str
    text: str
    people: int
    narrowed: int
    permissions: int
    own: bool

    @property
    def href(self) -> str:
        return f"{ROLES}/{self.ref}"

    @property
    def label(self) -> str:
        return self.name if self.own else self.key


@dataclass(frozen=True, slots=True)
class GridRow:
    """`cells` stand below the columns: `yes`, `no`, or `3 of 12` where a row is a whole group."""

    label: str
    code: str
    cells: tuple[str, ...]
    href: str = ""


@dataclass(frozen=True, slots=True)
class GridGroup:
    name: str
    rows: tuple[GridRow, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """What the roles of a family permit; `groups` are all that can be chosen, `more` how many own roles have no column.
    `folded` says that each row is a group.
    """

    columns: tuple[RoleRow, ...]
    parts: tuple[GridGroup, ...]
    groups: tuple[str, ...]
    folded: bool
    more: int


@dataclass(frozen=True, slots=True)
class Permitted:
    """A permission in the form of a role; `may` says whether the reader has it to give."""

    key: str
    text: str
    on: bool
    may: bool


@dataclass(frozen=True, slots=True)
class PermittedGroup:
    name: str
    permissions: tuple[Permitted, ...]

    @property
    def on(self) -> int:
        return sum(one.on for one in self.permissions)


@dataclass(frozen=True, slots=True)
class HolderRow:
    name: str
    href: str
    where: str
    since: datetime


@dataclass(frozen=True, slots=True)
class RoleView:
    """`version` says what the form was made from."""

    row: RoleRow
    groups: tuple[PermittedGroup, ...]
    holders: tuple[HolderRow, ...]
    following: str | None
    version: str


@dataclass(frozen=True, slots=True)
class RoleForm:
    """What was typed of a role of one's own; `permissions` are keys."""

    name: str = ""
    text: str = ""
    permissions: frozenset[str] = frozenset()
    version: str = ""


@dataclass(frozen=True, slots=True)
class WhyView:
    """`by` are the roles that permit it, `carrying` those that would, `could_give` people who could change a no."""

    name: str
    href: str
    permission: str
    text: str
    allowed: bool
    reason: str
    remedy: str
    held: tuple[str, ...]
    by: tuple[str, ...]
    carrying: tuple[str, ...]
    could_give: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was missing, where, which roles carry it, who could give it: nobody where the reader may see no people."""

    permission: str
    text: str
    place: str
    carrying: tuple[str, ...]
    could_give: tuple[str, ...]
    may_ask_why: bool
