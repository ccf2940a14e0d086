"""What else people say for the commands about infrastructure, and what is meant by it."""

from __future__ import annotations

from collections.abc import Sequence

NOUNS = ("zone", "spec", "plan", "apply", "destroy", "jobs", "runner", "cluster", "connector", "state", "repository")
PLURALS = {
    "zones": "zone", "specs": "spec", "runners": "runner", "clusters": "cluster", "connectors": "connector",
    "repositories": "repository",
}  # fmt: skip
VERBS = {"ls": "list", "get": "show"}
RUNNER_VERBS = ("start", "enrol", "register", "list", "remove", "show", "drain", "update", "releases")
DESTROYED = {"spec": ("destroy",), "worker": ("runner", "destroy"), "runner": ("runner", "destroy"),
             "zone": ("zone", "delete")}  # fmt: skip


def canonical(tokens: Sequence[str]) -> list[str]:
    """`qd infra jobs get X` as `qd jobs show X`, `qd worker list` as `qd runner list`, `qd destroy worker X` as
    `qd runner destroy X`. Other commands stay as they are.
    """
    words = list(tokens)
    if words[:1] == ["infra"] and words[1:2] and PLURALS.get(words[1], words[1]) in NOUNS:
        del words[0]
    if not words:
        return words
    words[0] = PLURALS.get(words[0], words[0])
    second = words[1] if len(words) > 1 else ""
    if words[0] == "worker" and VERBS.get(second, second) in RUNNER_VERBS:
        words[0] = "runner"
    if words[0] == "destroy" and second in DESTROYED:
        words[:2] = DESTROYED[second]
    if words[0] in NOUNS and second in VERBS and words[0] not in {"plan", "apply", "destroy"}:
        words[1] = VERBS[second]
    if words[0] == "plan" and second == "get" and words[2:]:
        words[1] = "show"  # alone it is a spec of that name
    return words
