"""Where git hosts list somebody's repositories, and what their answers mean. Pure: what is called is made here, and
called elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from quarterdeck.kernel.settings import Settings

PAGE = 100


class Repository(Struct, frozen=True):
    """One repository as every host's are shown (contract: infra §1.6)."""

    id: str
    name: str
    full_name: str
    url: str
    private: bool
    default_branch: str
    provider: str


@dataclass(frozen=True, slots=True)
class Host:
    """`path` and `query` make a page; `rows` finds the entries of an answer, None where it is none; `read` makes one of
    ours of an entry.
    """

    provider: str
    name: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    rows: Callable[[Any], list[Any] | None]
    read: Callable[[dict[str, Any]], Repository]

    def query_of(self, number: int) -> str:
        """The query of a page, from 1."""
        return urlencode({**self.query, "page": str(number)})


def _listed(answer: Any) -> list[Any] | None:
    return answer if isinstance(answer, list) else None


def _valued(answer: Any) -> list[Any] | None:
    rows = answer.get("values") if isinstance(answer, dict) else None
    return rows if isinstance(rows, list) else None


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return str(value)[:1000] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _inner(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}


def _github(row: dict[str, Any]) -> Repository:
    return Repository(
        id=_text(row, "id"),
        name=_text(row, "name"),
        full_name=_text(row, "full_name"),
        url=_text(row, "html_url"),
        private=row.get("private") is not False,
        default_branch=_text(row, "default_branch"),
        provider="github",
    )


def _gitlab(row: dict[str, Any]) -> Repository:
    return Repository(
        id=_text(row, "id"),
        name=_text(row, "name"),
        full_name=_text(row, "path_with_namespace"),
        url=_text(row, "web_url"),
        private=row.get("visibility") != "public",
        default_branch=_text(row, "default_branch"),
        provider="gitlab",
    )


def _bitbucket(row: dict[str, Any]) -> Repository:
    return Repository(
        id=_text(row, "uuid").strip("{}"),
        name=_text(row, "name"),
        full_name=_text(row, "full_name"),
        url=_text(_inner(_inner(row, "links"), "html"), "href"),
        private=row.get("is_private") is not False,
        default_branch=_text(_inner(row, "mainbranch"), "name"),
        provider="bitbucket",
    )


HOSTS = {
    "github": Host(
        "github",
        "GitHub",
        "/user/repos",
        {"per_page": str(PAGE), "sort": "updated"},
        {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
        _listed,
        _github,
    ),
    "gitlab": Host(
        "gitlab",
        "GitLab",
        "/api/v4/projects",
        {"membership": "true", "per_page": str(PAGE), "order_by": "updated_at"},
        {},
        _listed,
        _gitlab,
    ),
    "bitbucket": Host(
        "bitbucket",
        "Bitbucket",
        "/2.0/repositories",
        {"role": "member", "pagelen": str(PAGE)},
        {},
        _valued,
        _bitbucket,
    ),
}


def base(settings: Settings, provider: str) -> str:
    """Where the installation reaches a host, without a slash at its end."""
    return {
        "github": settings.github_api,
        "gitlab": settings.gitlab_url,
        "bitbucket": settings.bitbucket_api,
    }[provider]
