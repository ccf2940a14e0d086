"""Projects and members as the tasks surface answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from quarterdeck.identity.model import User
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.surfaces.tasks.shapes import at
from quarterdeck.surfaces.tasks.wire import projects as wire
from quarterdeck.surfaces.tasks.wire.settings import Stage
from quarterdeck.tasks import developers, settings
from quarterdeck.tasks.projects import listing, members, membership, secrets
from quarterdeck.tasks.projects.listing import Listed
from quarterdeck.tasks.projects.model import TaskProject


def project(tx: Tx, part: TaskProject) -> wire.Project:
    return project_shape(tx, [listing.one(tx, part)])[0]


def project_shape(tx: Tx, rows: Sequence[Listed]) -> list[wire.Project]:
    chosen = settings.shown(tx) if rows else {}
    mine = membership.roles_of(tx, tx.principal.id, [one.part.project_id for one in rows])
    return [_project(tx, one, chosen, mine.get(one.part.project_id)) for one in rows]


def _project(tx: Tx, one: Listed, chosen: dict[str, Any], role: membership.Role | None) -> wire.Project:
    part = one.part
    named = {"agentType": part.agent_type, "pipeline": part.pipeline}
    pipeline = part.pipeline or chosen["defaultPipeline"]
    return wire.Project(
        key=part.key,
        name=one.whole.name,
        description=one.whole.description,
        repo_url=part.repo_url,
        ssh_url=part.ssh_url,
        default_branch=part.default_branch,
        agent_type=part.agent_type or chosen["defaultAgentType"],
        custom_agent=None if part.custom_agent is None else msgspec.convert(part.custom_agent, wire.CustomAgent),
        pipeline=msgspec.convert(pipeline, list[Stage]),
        defaults=[name for name, value in named.items() if not value],  # type: ignore[misc]
        has_git_token=part.git_token is not None,
        forge=part.forge,  # type: ignore[arg-type]
        forge_url=part.forge_url,
        merge_requests=part.merge_requests,
        setup_command=part.setup_command,
        cleanup_command=part.cleanup_command,
        environment_keys=secrets.names(tx, part),
        max_tasks=part.most_tasks,
        budget_usd=part.budget_usd,
        task_count=part.task_count,
        member_count=one.member_count,
        members=[
            wire.MemberPreview(developer_id=some.user.id, name=some.user.username, role=some.role)
            for some in one.members
        ],
        role=role,
        is_archived=one.whole.lifecycle == "archived",
        last_activity_at=at(part.last_activity_at),
        created_at=wire_time(part.created_at),
    )


def member(one: members.ProjectMember) -> wire.Member:
    return wire.Member(
        developer_id=one.user.id,
        name=one.user.username,
        git_email=_email(one.user),
        role=one.role,
        added_at=wire_time(one.added_at),
    )


def candidate(one: developers.Developer) -> wire.Candidate:
    return wire.Candidate(
        id=one.user.id,
        name=one.user.username,
        git_email=_email(one.user),
        role=one.role,  # type: ignore[arg-type]
    )


def _email(user: User) -> str | None:
    return developers.preference(user, "gitEmail")
