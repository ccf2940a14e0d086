"""Options that the commands about brokered secrets share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from quarterdeck.cli.failure import usage

Provider = Literal["vault", "aws-sm", "kubernetes", "file", "quarterdeck"]
Keys = Annotated[list[str] | None, Parameter(name=["--key", "-k"])]
Why = Annotated[str | None, Parameter(name=["--why", "--justification"])]
Flag = Annotated[bool, Parameter(negative="")]
Pairs = list[str] | None
WHERE = Group("Where and for what", sort_key=50)
SPAN = re.compile(r"([0-9]{1,9})([smhd]?)")
SIZES = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


@Parameter(name="*")
@dataclass(frozen=True)
class Target:
    """Where a secret is kept, for what it is wanted, and why."""

    provider: Annotated[Provider | None, Parameter(group=WHERE)] = None
    """What keeps it. The connection says it, too."""
    connection: Annotated[str | None, Parameter(group=WHERE)] = None
    """Which connection, where several fit."""
    project: Annotated[str | None, Parameter(name=["--project", "--project-id"], group=WHERE)] = None
    """For which project: its name, its id, or as much of that as is unique."""
    environment: Annotated[str | None, Parameter(group=WHERE)] = None
    """For which environment of it, by name. Without one it counts as production."""
    why: Annotated[str | None, Parameter(name=["--why", "--justification"], group=WHERE)] = None
    """The reason, for those who decide and for the audit trail."""
    emergency: Annotated[bool, Parameter(group=WHERE, negative="")] = False
    """Go ahead without approval: everybody who may approve is told at once, and somebody else has to look at it."""


@dataclass(frozen=True)
class Patience:
    """Whether the end of a request is waited for, and for how many seconds at most."""

    wait: bool
    timeout: float | None

    def __post_init__(self) -> None:
        if self.timeout is not None and not self.wait:
            raise usage("--timeout says how long to --wait.", "Add --wait.")


def seconds(text: str, option: str) -> int:
    """`90`, `90s`, `10m`, `2h` and `7d` in seconds. Raises `Failure`."""
    span = SPAN.fullmatch(text.strip())
    if span is None:
        raise usage(f"{text} is no span of time.", f"{option} 10m   (also: 90s, 2h, 7d)", code="span")
    return int(span[1]) * SIZES[span[2]]


def span(given: int) -> str:
    """Seconds in the largest unit that says them whole: `14 d`, `90 min`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if given and given % size == 0:
            return f"{given // size} {unit}"
    return f"{given} s"
