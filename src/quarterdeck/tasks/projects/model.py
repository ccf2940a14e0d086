"""The part of a project that tasks need; the project itself is workspace's."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class TaskProject(Identified, Base):
    """`pipeline` and `custom_agent` are kept by their names on the wire; `git_token` is sealed."""

    __tablename__ = "tasks_projects"
    __table_args__ = (Index("ix_tasks_projects_organization_id", "organization_id", "id"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("workspace_projects.id"), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    key: Mapped[str] = mapped_column(String(64))
    repo_url: Mapped[str | None] = mapped_column(String(1000))
    ssh_url: Mapped[str | None] = mapped_column(String(1000))
    default_branch: Mapped[str] = mapped_column(String(250), default="main")
    agent_type: Mapped[str | None] = mapped_column(String(80))
    custom_agent: Mapped[dict[str, Any] | None]
    pipeline: Mapped[list[Any] | None]
    git_token: Mapped[str | None] = mapped_column(Text)
    forge: Mapped[str | None] = mapped_column(String(20))
    forge_url: Mapped[str | None] = mapped_column(String(1000))
    merge_requests: Mapped[bool] = mapped_column(default=True)
    setup_command: Mapped[str | None] = mapped_column(Text)
    cleanup_command: Mapped[str | None] = mapped_column(Text)
    environment: Mapped[str | None] = mapped_column(Text)
    """Variables of the agent as JSON, sealed."""
    most_tasks: Mapped[int] = mapped_column(default=0)
    """How many of its tasks may be assigned or running at a time; 0: as many as there are places."""
    budget_usd: Mapped[float | None] = mapped_column(Float)
    task_count: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many tasks were ever made in it; `activity.made` keeps it, so that no list counts them."""
    created_at: Mapped[datetime]
    last_activity_at: Mapped[datetime | None]


Index("uq_tasks_projects_key", TaskProject.organization_id, func.lower(TaskProject.key), unique=True)
