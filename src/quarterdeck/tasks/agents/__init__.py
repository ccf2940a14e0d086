"""Agent programs as data: how each is started, and how it says what it does (docs/reference/agents.md)."""

CUSTOM = "custom"


def of_project(agent: str, key: str) -> str:
    """Under which name it is remembered how an agent program fares on a machine: what a project describes as `custom`
    is a program of its own, which says nothing about those of other projects.
    """
    return f"{CUSTOM}@{key}" if agent == CUSTOM and key else agent
