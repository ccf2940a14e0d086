"""Projects and their members, as the tasks surface shows and takes them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.tasks.wire.developers import Role, Short
from quarterdeck.surfaces.tasks.wire.settings import Agent, Stage, Text

Address = Annotated[str, Meta(max_length=1000)]
Branch = Annotated[str, Meta(min_length=1, max_length=250)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Value = Annotated[str, Meta(max_length=65_536)]
Word = Annotated[str, Meta(max_length=500)]
Number = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Forge = Literal["github", "gitlab", "gitea"]
ProjectRole = Literal["member", "maintainer"]


class CustomAgent(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An agent program of one's own. Patterns are regular expressions, times seconds; `dialogs` are patterns with the
    keys that answer them. `env` is no place for secrets: the project's `environment` is.
    """

    argv: Annotated[list[Text], Meta(max_length=100)]
    resume: Annotated[list[Text], Meta(max_length=100)] | UnsetType | None = UNSET
    probe: Annotated[list[Text], Meta(max_length=100)] | UnsetType | None = UNSET
    env: dict[str, Value] | UnsetType | None = UNSET
    env_names: Annotated[list[Short], Meta(max_length=100)] | UnsetType | None = UNSET
    one_shot: bool | UnsetType | None = UNSET
    names_session: bool | UnsetType | None = UNSET
    ready_pattern: Word | UnsetType | None = UNSET
    ready_seconds: float | UnsetType | None = UNSET
    submit_key: Annotated[str, Meta(max_length=16)] | UnsetType | None = UNSET
    paste: Literal["bracketed", "flat"] | UnsetType | None = UNSET
    settle_seconds: float | UnsetType | None = UNSET
    auth_patterns: Annotated[list[Word], Meta(max_length=50)] | UnsetType | None = UNSET
    rate_limit_patterns: Annotated[list[Word], Meta(max_length=50)] | UnsetType | None = UNSET
    question_pattern: Word | UnsetType | None = UNSET
    confirm_seconds: float | UnsetType | None = UNSET
    dialogs: dict[str, Short] | UnsetType | None = UNSET
    exit_keys: Short | UnsetType | None = UNSET


class MemberPreview(Struct, kw_only=True, rename="camel"):
    developer_id: int
    name: str
    role: ProjectRole


class Project(Struct, kw_only=True, rename="camel"):
    """`defaults` names what the project leaves to the settings; `agentType` and `pipeline` then show those.
    `members` are the first few; `environmentKeys` the names of its agents' variables, whose values are never shown.
    `role` is the caller's in it, null for who sees it as an administrator.
    """

    key: str
    name: str
    description: str | None
    repo_url: str | None
    ssh_url: str | None
    default_branch: str
    agent_type: str
    custom_agent: CustomAgent | None
    pipeline: list[Stage]
    defaults: list[Literal["agentType", "pipeline"]]
    has_git_token: bool
    forge: Forge | None
    forge_url: str | None
    merge_requests: bool
    setup_command: str | None
    cleanup_command: str | None
    environment_keys: list[str]
    max_tasks: int
    budget_usd: float | None
    task_count: int
    member_count: int
    members: list[MemberPreview]
    role: ProjectRole | None
    is_archived: bool
    last_activity_at: str | None
    created_at: str


class Projects(Struct, kw_only=True, rename="camel"):
    items: list[Project]
    next_cursor: str | None
    total: int


class ProjectChange(Struct, kw_only=True, rename="camel"):
    """Any of them; null takes a value away. Of `environment`, null takes a variable away, and what is left out stays.
    Another host of `repoUrl` or `forgeUrl` forgets the git token, which was given for the one before.
    `maxTasks` is how many of its tasks run at a time, 0 for as many as there are places.
    """

    name: Name | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=2000)] | UnsetType | None = UNSET
    repo_url: Address | UnsetType | None = UNSET
    ssh_url: Address | UnsetType | None = UNSET
    default_branch: Branch | UnsetType = UNSET
    agent_type: Agent | UnsetType | None = UNSET
    custom_agent: CustomAgent | UnsetType | None = UNSET
    pipeline: Annotated[list[Stage], Meta(max_length=100)] | UnsetType | None = UNSET
    forge: Forge | UnsetType | None = UNSET
    forge_url: Address | UnsetType | None = UNSET
    merge_requests: bool | UnsetType = UNSET
    setup_command: Text | UnsetType | None = UNSET
    cleanup_command: Text | UnsetType | None = UNSET
    environment: dict[str, Value | None] | UnsetType = UNSET
    max_tasks: Annotated[int, Meta(ge=0, le=1000)] | UnsetType = UNSET
    budget_usd: Annotated[float, Meta(gt=0, le=1_000_000)] | UnsetType | None = UNSET


class ProjectCreate(ProjectChange, kw_only=True, rename="camel"):
    """`key` is 1 to 64 letters, digits, _ and -, beginning with a letter or digit, and no other project's in capitals
    or not; it never changes.
    """

    key: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Name
    repo_url: Address


class DeleteQuery(Struct, kw_only=True, rename="camel"):
    """`force` cancels the tasks that have not ended."""

    force: bool = False


class GitToken(Struct, kw_only=True, rename="camel"):
    token: Annotated[str, Meta(min_length=1, max_length=4096)]


class HasGitToken(Struct, kw_only=True, rename="camel"):
    has_git_token: bool


class Member(Struct, kw_only=True, rename="camel"):
    developer_id: int
    name: str
    git_email: str | None
    role: ProjectRole
    added_at: str


class Members(Struct, kw_only=True, rename="camel"):
    items: list[Member]
    next_cursor: str | None
    total: int


class MemberAdd(Struct, kw_only=True, rename="camel"):
    """`developer` is an older word for `member`."""

    developer_id: Number
    role: Literal["member", "maintainer", "developer"] = "member"


class MemberQuery(Struct, kw_only=True, rename="camel"):
    developer_id: Number


class Candidate(Struct, kw_only=True, rename="camel"):
    """Somebody who can be made a member of a project."""

    id: int
    name: str
    git_email: str | None
    role: Role | None


class Candidates(Struct, kw_only=True, rename="camel"):
    items: list[Candidate]
    next_cursor: str | None
    total: int
