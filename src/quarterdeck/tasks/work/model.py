"""Tasks, their stages, their gates and the follow-ups that people send. States and transitions: `transitions`."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified

_LIVE = text("finished_at IS NULL")
_ENDED = text("finished_at IS NOT NULL")
_OPEN = text("closed_at IS NULL")


class Task(Identified, Base):
    """A change that somebody wants. People are named by id without a foreign key. `job_id` is the ledger's job of the
    newest attempt; `pipeline` is the list of stages as it was when the task was made, by their names on the wire.
    Tokens and costs are the sums of its `SessionUsage`. `messages_until`: its attempt asks for no messages any more.
    """

    __tablename__ = "tasks_tasks"
    __table_args__ = (
        Index("ix_tasks_tasks_organization_id", "organization_id", "id"),
        Index("ix_tasks_tasks_project_id", "project_id", "id"),
        Index("ix_tasks_tasks_developer_id", "organization_id", "developer_id", "id"),
        Index("ix_tasks_tasks_worker_id", "worker_id", "id"),
        Index("ix_tasks_tasks_live", "status", "id", sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("ix_tasks_tasks_job_id", "job_id"),
        Index(
            "ix_tasks_tasks_live_of_project", "organization_id", "project_id", "status", "updated_at", "id",
            sqlite_where=_LIVE, postgresql_where=_LIVE,
        ),
        Index(
            "ix_tasks_tasks_finished_at", "organization_id", "finished_at", "status",
            sqlite_where=_ENDED, postgresql_where=_ENDED,
        ),
        Index(
            "ix_tasks_tasks_finished_of_project", "project_id", "finished_at", "status",
            sqlite_where=_ENDED, postgresql_where=_ENDED,
        ),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("workspace_projects.id"))
    description: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))
    suspend_reason: Mapped[str | None] = mapped_column(String(40))
    queued_reason: Mapped[str | None] = mapped_column(String(300))
    agent_type: Mapped[str] = mapped_column(String(80))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_workers.id"))
    requested_worker_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_workers.id"))
    developer_id: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(20))
    priority: Mapped[int] = mapped_column(default=0)
    depends_on: Mapped[list[Any]]
    branch: Mapped[str] = mapped_column(String(250))
    base_branch: Mapped[str] = mapped_column(String(250))
    commit_sha: Mapped[str | None] = mapped_column(String(64))
    merge_request_url: Mapped[str | None] = mapped_column(String(1000))
    pipeline: Mapped[list[Any]]
    current_stage: Mapped[int | None]
    from_stage: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    agent_session: Mapped[str | None] = mapped_column(String(200))
    input_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    output_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cost_usd: Mapped[float | None] = mapped_column(Float)
    budget_usd: Mapped[float | None] = mapped_column(Float)
    error_code: Mapped[str | None] = mapped_column(String(80))
    error_message: Mapped[str | None] = mapped_column(Text)
    resume_at: Mapped[datetime | None]
    messages_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    assigned_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class SessionUsage(Base):
    """What one session of an agent program has used for a task, over all attempts that went on with it."""

    __tablename__ = "tasks_usage"

    task_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("tasks_tasks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    session: Mapped[str] = mapped_column(String(200), primary_key=True)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_usd: Mapped[float | None] = mapped_column(Float)


class StageRun(Identified, Base):
    """How a stage of a task stands; one row for each stage, overwritten by a later attempt."""

    __tablename__ = "tasks_stages"
    __table_args__ = (UniqueConstraint("task_id", "position"),)

    task_id: Mapped[int] = mapped_column(ForeignKey("tasks_tasks.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(20))
    attempt: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    result: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)


class Gate(Identified, Base):
    """A question to people. It is open until `closed_at`; `outcome` is then a state of `orders.GateAnswer`."""

    __tablename__ = "tasks_gates"
    __table_args__ = (
        Index("ix_tasks_gates_task_id", "task_id", "id"),
        Index("uq_tasks_gates_open", "task_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    task_id: Mapped[int] = mapped_column(ForeignKey("tasks_tasks.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    attempt: Mapped[int]
    position: Mapped[int]
    stage_name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    prompt: Mapped[str] = mapped_column(Text)
    choices: Mapped[list[str]]
    on_timeout: Mapped[str] = mapped_column(String(20), default="fail")
    fallback: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    result: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[int | None] = mapped_column(BigInteger)
    channel: Mapped[str | None] = mapped_column(String(20))


class FollowUpMessage(Identified, Base):
    """Something more that a person says to a task. `delivered_at`: the agent has been given it."""

    __tablename__ = "tasks_messages"
    __table_args__ = (Index("ix_tasks_messages_task_id", "task_id", "id"),)

    task_id: Mapped[int] = mapped_column(ForeignKey("tasks_tasks.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
