"""Repositories of git hosts (contract: infra §1.6)."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.infra.repositories.hosts import Repository


class GitRepositories(Struct, kw_only=True):
    """`truncated`: the token shows more than are listed."""

    repositories: list[Repository]
    truncated: bool
