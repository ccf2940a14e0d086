"""Gitea's pull requests, from its published Swagger document (repoListPullRequests, repoCreatePullRequest with
`CreatePullRequestOption`, repoEditPullRequest with `EditPullRequestOption`).
"""

from __future__ import annotations

from typing import Any

from fakes.forges.serving import Answer, Asked, Forge, Route

PULLS = "/repos/([^/]+)/([^/]+)/pulls"


class Gitea(Forge):
    """`repository` is the one that exists."""

    prefix = "/api/v1"

    def __init__(self, repository: str, token: str = "gt-token") -> None:  # noqa: S107 - of a fake
        super().__init__(token)
        self.repository = repository
        self.pulls: list[dict[str, Any]] = []

    def authorized(self, headers: Any) -> bool:
        return headers.get("Authorization") == f"token {self.token}"

    def unauthorized(self) -> Answer:
        return 401, {"message": "user does not exist [uid: 0, name: ]", "url": "https://gitea.example/api/swagger"}

    def routes(self) -> list[Route]:
        texts = {
            "title": str, "body": str, "base": str, "assignee": str, "assignees": list, "milestone": int,
            "labels": list, "due_date": str,
        }  # fmt: skip
        filters = {"state", "sort", "milestone", "labels", "poster", "base_branch", "page", "limit"}
        return [
            Route("GET", PULLS, self.listed, query=frozenset(filters)),
            # No field of the published schema is required; the server refuses one without these.
            Route(
                "POST",
                PULLS,
                self.create,
                required={"head": str, "base": str, "title": str},
                optional={**{key: kind for key, kind in texts.items() if key not in {"base", "title"}}},
            ),
            Route(
                "PATCH",
                PULLS + "/([0-9]+)",
                self.update,
                optional={**texts, "state": str, "allow_maintainer_edit": bool, "unset_due_date": bool},
            ),
        ]

    def pull(self, head: str, base: str, *, fork: bool = False, **facts: Any) -> dict[str, Any]:
        number = len(self.pulls) + 1
        made = {
            "number": number,
            "state": "open",
            "html_url": f"https://gitea.example/{self.repository}/pulls/{number}",
            "head": {"ref": head, "label": head, "repo_id": 8 if fork else 7},
            "base": {"ref": base, "label": base, "repo_id": 7},
            **facts,
        }
        self.pulls.append(made)
        return made

    def listed(self, asked: Asked) -> Answer:
        if "/".join(asked.parts) != self.repository:
            return 404, {"message": "The target couldn't be found."}
        state, limit = asked.query.get("state", "open"), min(int(asked.query.get("limit", "30")), 50)
        first = (int(asked.query.get("page", "1")) - 1) * limit
        return 200, [one for one in self.pulls if state in {"all", one["state"]}][first : first + limit]

    def create(self, asked: Asked) -> Answer:
        if "/".join(asked.parts) != self.repository:
            return 404, {"message": "The target couldn't be found."}
        if self.before_creating is not None:
            self.before_creating()
        body = asked.body
        if any(
            one["state"] == "open" and (one["head"]["ref"], one["base"]["ref"]) == (body["head"], body["base"])
            for one in self.pulls
            if one["head"]["repo_id"] == 7
        ):
            return 409, {"message": "pull request already exists for these targets"}
        return 201, self.pull(body["head"], body["base"], title=body["title"], body=body.get("body", ""))

    def update(self, asked: Asked) -> Answer:
        found = next((one for one in self.pulls if str(one["number"]) == asked.parts[2]), None)
        if found is None:
            return 404, {"message": "The target couldn't be found."}
        found.update(asked.body)
        return 201, found
