"""What a merge request says."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_TITLE = 200
LONGEST_BODY = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A merge request of `branch` into `base`. `mark` stands in the text of every one that we opened for a task."""

    branch: str
    base: str
    title: str
    body: str
    mark: str

    def replaces(self, text: object) -> bool:
        """Whether an existing text is ours, and says something else: what a person has written stays."""
        return isinstance(text, str) and self.mark in text and text.replace("\r\n", "\n") != self.body


def wanted(task_id: int, branch: str, base: str, message: str, description: str) -> Wanted:
    lines = message.strip().splitlines() or description.strip().splitlines() or [f"Task {task_id}"]
    title = lines[0].strip()[:LONGEST_TITLE] or f"Task {task_id}"
    rest = "\n".join(lines[1:]).strip()
    mark = f"<!-- quarterdeck:task:{task_id} -->"
    parts = [rest or description.strip(), mark]
    return Wanted(branch, base, title, "\n\n".join(part[:LONGEST_BODY] for part in parts if part), mark)
