"""What a task changes."""

from __future__ import annotations

from msgspec import Struct


class TaskDiff(Struct, kw_only=True, rename="camel"):
    """`patch` is a unified diff, without the project's secrets; with `truncated` only its first 512 KiB, while the
    figures count everything. `commitSha` is what was delivered, null for files of the worktree; `stageIndex` the stage
    that waited then.
    """

    task_id: int
    attempt: int
    stage_index: int | None
    base_commit: str
    commit_sha: str | None
    files_changed: int
    insertions: int
    deletions: int
    patch: str
    truncated: bool
    created_at: str
