r"""`agents.toml` in a worker's data directory: what it changes of the agent programs, and how it runs them.

[run]
user = "coder"            # whom agents run as when the worker is root; default: a user number of their own
memory = 4_000_000_000    # bytes, for each attempt
cpus = 2.0
processes = 512

[agents.claude]
argv = ["claude", "--session-id", "{session}", "--settings", "{settings}", "--dangerously-skip-permissions"]

[agents.claude.dialogs]
"Do you trust the files in this folder" = "\r"
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.agents.adapter import Adapter
from quarterdeck.tasks.agents.custom import BARE, described
from quarterdeck.tasks.agents.table import ADAPTERS
from quarterdeck.tasks.orders import AgentChoice

FILE = "agents.toml"


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bytes for sizes, seconds for times. `own_user=False`: agents run as the worker's own user, root too."""

    user: str | None = None
    own_user: bool = True
    memory: int | None = None
    cpus: float | None = None
    processes: int | None = 4096
    stop_seconds: float = 7.0
    log_bytes: int = 16 << 20


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    run: Run = Run()
    agents: dict[str, dict[str, Any]] = {}

    def adapter(self, choice: AgentChoice) -> Adapter:
        """The program of a task: the table's, what this worker says of it, and for `custom` what the project says.
        `custom:<name>` is one that this worker alone describes. Raises `Invalid` (`agent_description_invalid`).
        """
        base = ADAPTERS.get(choice.type, BARE)
        own = self.agents.get(choice.type)
        if base is BARE:
            about = {**(own or {}), **(choice.custom or {})}
            return replace(described(about, where=choice.type), foreign=bool(choice.custom))
        return base if own is None else described(own, base, where=choice.type)

    def types(self) -> list[str]:
        return [*ADAPTERS, *(name for name in self.agents if name not in ADAPTERS)]


def load(directory: Path) -> Configuration:
    """What `agents.toml` says; without one the defaults. Raises `Invalid` (`agents_file_invalid`)."""
    path = directory / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Configuration()
    try:
        found = msgspec.convert(tomllib.loads(text), Configuration)
        for name in found.agents.keys() - {"custom"}:  # the program of that one is the project's to name
            found.adapter(AgentChoice(type=name))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid(
            f"{path.name} of this worker cannot be read: {error}.",
            code="agents_file_invalid",
            hint="Mend it, then start the worker again.",
        ) from None
    return found
