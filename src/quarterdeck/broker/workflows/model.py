"""Workflows: how many people have to agree to a request, in which order, and how long everything lasts."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified

_DEFAULT = text("is_default")


class Workflow(Identified, Base):
    """How requests are approved (contract: broker §5.2). `steps` are taken one after the other: objects with `name`,
    `approvers` (how many) and `role` (uid of the role that they need, or none); without any, `min_approvers` people of
    `approver_role_id` agree in one. All durations are seconds. `grant_seconds`: for how long a read that was approved
    lets the same person read the same again without asking (0: never). `break_glass`: whether somebody may go ahead
    without approval, which has to be reviewed afterwards. `notification_channels` are words of notify.
    """

    __tablename__ = "broker_workflows"
    __table_args__ = (
        UniqueConstraint("organization_id", "name"),
        Index(
            "uq_broker_workflows_default",
            "organization_id",
            unique=True,
            sqlite_where=_DEFAULT,
            postgresql_where=_DEFAULT,
        ),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(2000))
    min_approvers: Mapped[int] = mapped_column(default=1)
    approver_role_uid: Mapped[str | None] = mapped_column(String(36))
    steps: Mapped[list[Any]] = mapped_column(default=list)
    wrap_ttl_created_seconds: Mapped[int]
    wrap_ttl_approved_seconds: Mapped[int]
    wrap_ttl_claimed_seconds: Mapped[int]
    request_ttl_seconds: Mapped[int]
    grant_seconds: Mapped[int] = mapped_column(default=0)
    require_justification: Mapped[bool] = mapped_column(default=True)
    allow_self_approval: Mapped[bool] = mapped_column(default=False)
    break_glass: Mapped[bool] = mapped_column(default=False)
    notification_channels: Mapped[list[Any]] = mapped_column(default=list)
    is_default: Mapped[bool] = mapped_column(default=False)
    is_system: Mapped[bool] = mapped_column(default=False)
    enabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RuleSet(Identified, Base):
    """An organization whose first workflow and first policy were laid down. `version` is drawn anew with each change of
    its workflows and policies, so that what was compiled of them is known to be theirs as they are.
    """

    __tablename__ = "broker_rule_sets"
    __table_args__ = (UniqueConstraint("organization_id"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    version: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime]
