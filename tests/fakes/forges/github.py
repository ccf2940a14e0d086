"""GitHub's pull requests, from the published description of its REST API (operations `pulls/list`, `pulls/create`,
`pulls/update`; bodies `PullsCreateRequest` and `PullsUpdateRequest`).
"""

from __future__ import annotations

from typing import Any

from fakes.forges.serving import Answer, Asked, Forge, Route

PULLS = "/repos/([^/]+)/([^/]+)/pulls"


class GitHub(Forge):
    """A server of one's own, whose API lies below /api/v3. `repository` is the one that exists."""

    prefix = "/api/v3"

    def __init__(self, repository: str, token: str = "gh-token") -> None:  # noqa: S107 - of a fake
        super().__init__(token)
        self.repository = repository
        self.pulls: list[dict[str, Any]] = []

    def authorized(self, headers: Any) -> bool:
        return headers.get("Authorization") == f"Bearer {self.token}" and headers.get("User-Agent")

    def unauthorized(self) -> Answer:
        return 401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}

    def routes(self) -> list[Route]:
        paging = {"sort", "direction", "per_page", "page"}
        texts = {"title": str, "body": str, "maintainer_can_modify": bool}
        return [
            Route("GET", PULLS, self.listed, query=frozenset({"state", "head", "base", *paging})),
            Route(
                "POST",
                PULLS,
                self.create,
                required={"head": str, "base": str},
                optional={**texts, "head_repo": str, "draft": bool, "issue": int},
            ),
            Route("PATCH", PULLS + "/([0-9]+)", self.update, optional={**texts, "state": str, "base": str}),
        ]

    def pull(self, head: str, base: str, **facts: Any) -> dict[str, Any]:
        number = len(self.pulls) + 1
        made = {
            "number": number,
            "state": "open",
            "html_url": f"https://github.example/{self.repository}/pull/{number}",
            "head": {"ref": head, "label": f"{self.repository.split('/')[0]}:{head}"},
            "base": {"ref": base},
            **facts,
        }
        self.pulls.append(made)
        return made

    def listed(self, asked: Asked) -> Answer:
        if "/".join(asked.parts) != self.repository:
            return 404, {"message": "Not Found"}
        state, head, base = asked.query.get("state", "open"), asked.query.get("head"), asked.query.get("base")
        return 200, [
            one
            for one in self.pulls
            if state in {"all", one["state"]}
            # A head that does not say whose it is narrows nothing.
            and (head is None or ":" not in head or one["head"]["label"] == head)
            and (base is None or one["base"]["ref"] == base)
        ]

    def create(self, asked: Asked) -> Answer:
        if "/".join(asked.parts) != self.repository:
            return 404, {"message": "Not Found"}
        if self.before_creating is not None:
            self.before_creating()
        body, head = asked.body, f"{asked.parts[0]}:{asked.body['head']}"
        if any(
            one["state"] == "open" and (one["head"]["label"], one["base"]["ref"]) == (head, body["base"])
            for one in self.pulls
        ):
            told = f"A pull request already exists for {head}."
            error = {"resource": "PullRequest", "code": "custom", "message": told}
            return 422, {"message": "Validation Failed", "errors": [error]}
        return 201, self.pull(body["head"], body["base"], title=body.get("title"), body=body.get("body"))

    def update(self, asked: Asked) -> Answer:
        found = next((one for one in self.pulls if str(one["number"]) == asked.parts[2]), None)
        if found is None:
            return 404, {"message": "Not Found"}
        found.update(asked.body)
        return 200, found
