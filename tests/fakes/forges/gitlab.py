"""GitLab's merge requests, from the published description of its REST API, version 4 (doc/api/merge_requests.md)."""

from __future__ import annotations

from typing import Any

from fakes.forges.serving import Answer, Asked, Forge, Route

REQUESTS = "/projects/([^/]+)/merge_requests"


class GitLab(Forge):
    """`project` is the path of the one that exists."""

    prefix = "/api/v4"

    def __init__(self, project: str, token: str = "gl-token") -> None:  # noqa: S107 - of a fake
        super().__init__(token)
        self.project = project
        self.merge_requests: list[dict[str, Any]] = []

    def authorized(self, headers: Any) -> bool:
        return self.token in {
            headers.get("PRIVATE-TOKEN"),
            (headers.get("Authorization") or "").removeprefix("Bearer "),
        }

    def unauthorized(self) -> Answer:
        return 401, {"message": "401 Unauthorized"}

    def routes(self) -> list[Route]:
        texts = {
            "title": str, "description": str, "target_branch": str, "assignee_id": int, "assignee_ids": list,
            "milestone_id": int, "labels": str, "remove_source_branch": bool, "squash": bool,
            "allow_collaboration": bool,
        }  # fmt: skip
        filters = {
            "state", "source_branch", "target_branch", "order_by", "sort", "scope", "labels", "search", "in", "view",
            "page", "per_page", "author_id", "iids[]",
        }  # fmt: skip
        needed = {"source_branch": str, "target_branch": str, "title": str}
        others = {name: kind for name, kind in texts.items() if name not in needed}
        return [
            Route("GET", REQUESTS, self.listed, query=frozenset(filters)),
            Route("POST", REQUESTS, self.create, required=needed, optional={**others, "target_project_id": int}),
            Route(
                "PUT",
                REQUESTS + "/([0-9]+)",
                self.update,
                optional={**texts, "state_event": str, "discussion_locked": bool, "add_labels": str},
            ),
        ]

    def request(self, source: str, target: str, **facts: Any) -> dict[str, Any]:
        iid = len(self.merge_requests) + 1
        made = {
            "id": 1000 + iid,
            "iid": iid,
            "state": "opened",
            "source_branch": source,
            "target_branch": target,
            "source_project_id": 2,
            "target_project_id": 2,
            "web_url": f"https://gitlab.example/{self.project}/-/merge_requests/{iid}",
            **facts,
        }
        self.merge_requests.append(made)
        return made

    def listed(self, asked: Asked) -> Answer:
        if asked.parts[0] != self.project:
            return 404, {"message": "404 Project Not Found"}
        wanted = {name: asked.query[name] for name in ("source_branch", "target_branch") if name in asked.query}
        state = asked.query.get("state", "all")
        return 200, [
            one
            for one in self.merge_requests
            if state in {"all", one["state"]} and all(one[name] == value for name, value in wanted.items())
        ]

    def create(self, asked: Asked) -> Answer:
        if asked.parts[0] != self.project:
            return 404, {"message": "404 Project Not Found"}
        if self.before_creating is not None:
            self.before_creating()
        body = asked.body
        same = (body["source_branch"], body["target_branch"])
        if any(
            one["state"] == "opened" and (one["source_branch"], one["target_branch"]) == same
            for one in self.merge_requests
            if one["source_project_id"] == one["target_project_id"]
        ):
            told = f"Another open merge request already exists for this source branch: !{len(self.merge_requests)}"
            return 409, {"message": [told]}
        return 201, self.request(*same, title=body["title"], description=body.get("description"))

    def update(self, asked: Asked) -> Answer:
        found = next((one for one in self.merge_requests if str(one["iid"]) == asked.parts[1]), None)
        if found is None or not asked.body:
            return (404, {"message": "404 Not found"}) if found is None else (400, {"error": "nothing to change"})
        found.update(asked.body)
        return 200, found
