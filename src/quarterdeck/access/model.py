"""Roles, what they permit, and who has which where."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified

_IN_PROJECT = text("project_id <> 0")


class Role(Identified, Base):
    """A role. Built-in ones (`organization_id` is None) have the key `family:name`, those that people make
    `custom:<uid>`. What a built-in role permits stands in the catalogue unless somebody has changed it (`edited_at`).
    """

    __tablename__ = "access_roles"

    key: Mapped[str] = mapped_column(String(80), unique=True)
    family: Mapped[str] = mapped_column(String(20))
    organization_id: Mapped[int | None] = mapped_column(BigId)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]


Index("uq_access_roles_name", Role.organization_id, func.lower(Role.name), unique=True)


class KnownPermission(Base):
    """A number for each permission of the catalogue, for clients that name them so. Numbers are never used twice."""

    __tablename__ = "access_permissions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)


class RolePermission(Base):
    """A permission that a role of somebody's making, or a changed built-in one, carries."""

    __tablename__ = "access_role_permissions"

    role_id: Mapped[int] = mapped_column(ForeignKey("access_roles.id"), primary_key=True)
    permission: Mapped[str] = mapped_column(String(120), primary_key=True)


class Grant(Identified, Base):
    """A role of a user in an organization, or in one project of it (`project_id` set), or narrowed by `scope`: JSON of
    the things that it is about, in the broker's words. One that is narrowed grants nothing in the whole organization.

    Users, organizations and projects are named by id without a foreign key: identity removes them through access.
    """

    __tablename__ = "access_grants"
    __table_args__ = (
        Index("ix_access_grants_user_id", "user_id"),
        Index("ix_access_grants_organization_id", "organization_id", "user_id"),
        Index(
            "ix_access_grants_project_id", "project_id", "id", sqlite_where=_IN_PROJECT, postgresql_where=_IN_PROJECT
        ),
        Index("uq_access_grants_role", "user_id", "organization_id", "role", "project_id", "scope", unique=True),
    )

    user_id: Mapped[int] = mapped_column(BigId)
    organization_id: Mapped[int] = mapped_column(BigId)
    project_id: Mapped[int] = mapped_column(BigId, default=0)
    role: Mapped[str] = mapped_column(String(80))
    scope: Mapped[str] = mapped_column(String(1000), default="", server_default="")
    granted_by: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]


class ObjectRule(Identified, Base):
    """That a role may, or may not, use a permission on one object of an organization, such as one service.

    `kind` and `ref` are the words of the room that keeps such objects, which removes their rules with them.
    """

    __tablename__ = "access_object_rules"
    __table_args__ = (
        Index(
            "uq_access_object_rules_rule",
            "organization_id", "kind", "ref", "role", "permission", "allows", unique=True,
        ),
        Index("ix_access_object_rules_role", "role"),
    )  # fmt: skip

    organization_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(40))
    ref: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(80))
    permission: Mapped[str] = mapped_column(String(120))
    allows: Mapped[bool]
    created_by: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]


class Fact(Identified, Base):
    """Something that was said once and is not changed: what was used (`usage-intent`), or how an extension of a
    deployment (`deployment-overlay`) or of the routes (`route-surface`) was decided.

    `key_hash` and `payload_hash` tell a repetition from another fact under the same key; `body` is what was said, in
    the spelling of the wire; the columns between are what lists are narrowed by.
    """

    __tablename__ = "access_facts"
    __table_args__ = (
        Index("ix_access_facts_organization_id", "organization_id", "kind", "id"),
        Index("uq_access_facts_key", "organization_id", "kind", "key_hash", unique=True),
        Index("ix_access_facts_at", "at"),
    )

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(20))
    key_hash: Mapped[str | None] = mapped_column(String(64))
    payload_hash: Mapped[str] = mapped_column(String(64))
    tenant: Mapped[str] = mapped_column(String(200))
    account: Mapped[str | None] = mapped_column(String(200))
    capability: Mapped[str | None] = mapped_column(String(200))
    operation: Mapped[str | None] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(200))
    surface: Mapped[str | None] = mapped_column(String(200))
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Version(Base):
    """The one row that counts the changes of grants, roles and rules, for servers that read what another changes."""

    __tablename__ = "access_versions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)
