"""Options that many commands share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from quarterdeck.cli.failure import usage

Format = Literal["text", "table", "json", "jsonl", "csv", "name"]
SHARED = Group("Options of every command", sort_key=100)
_NO = ""  # cyclopts: a flag without its --no-… twin


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """What every command takes."""

    output: Annotated[Format, Parameter(name=["--output", "-o"], group=SHARED)] = "text"
    """text (also: table), json (one document), jsonl (one object a line), csv (of lists) or name (bare identifiers)."""
    json: Annotated[bool, Parameter(group=SHARED, negative=_NO)] = False
    """Short for --output json."""
    profile: Annotated[str | None, Parameter(group=SHARED)] = None
    """Use this saved server instead of the current one."""
    verbose: Annotated[bool, Parameter(name=["--verbose", "-v"], group=SHARED, negative=_NO)] = False
    """Say more: requests, and the log while something runs."""
    no_color: Annotated[bool, Parameter(group=SHARED, negative=_NO)] = False
    """No colours. Also: NO_COLOR, TERM=dumb, or a pipe."""
    ascii: Annotated[bool, Parameter(group=SHARED, negative=_NO)] = False
    """Marks in plain ASCII."""
    no_input: Annotated[bool, Parameter(group=SHARED, negative=_NO)] = False
    """Never ask; fail with status 2 instead."""

    @property
    def format(self) -> Format:
        if self.json:
            return "json"
        return "text" if self.output == "table" else self.output


@Parameter(name="*")
@dataclass(frozen=True)
class Changing(Common):
    """What every command that changes something takes."""

    yes: Annotated[bool, Parameter(name=["--yes", "-y"], group=SHARED, negative=_NO)] = False
    """Answer plain questions with yes."""
    plan: Annotated[bool, Parameter(group=SHARED, negative=_NO)] = False
    """Print what would be sent, and change nothing."""


@Parameter(name="*")
@dataclass(frozen=True)
class Destroying(Changing):
    """What every command takes after which something is lost."""

    confirm: Annotated[str | None, Parameter(group=SHARED)] = None
    """The name of what is lost, instead of typing it when asked. --yes does not answer this question."""


@Parameter(name="*")
@dataclass(frozen=True)
class Losing(Changing):
    """What every command takes that may destroy something of an infrastructure."""

    yes: Annotated[bool, Parameter(name=["--yes", "-y"], group=SHARED, negative=_NO)] = False
    """Go on without being asked, for the name of what is lost neither."""
    confirm: Annotated[str | None, Parameter(group=SHARED)] = None
    """The name of what is lost, instead of typing it when asked."""


@Parameter(name="*")
@dataclass(frozen=True)
class Following(Changing):
    """What every command takes whose work goes on after it was accepted."""

    wait: Annotated[bool, Parameter(group=SHARED, negative=_NO)] = False
    """Watch until the end; the default."""
    detach: Annotated[bool, Parameter(name=["--detach", "-d"], group=SHARED, negative=_NO)] = False
    """Return as soon as it is accepted."""
    timeout: Annotated[float | None, Parameter(group=SHARED)] = None
    """Seconds to watch; after that status 8, and the work goes on."""

    def __post_init__(self) -> None:
        if self.wait and self.detach:
            raise usage("Either --wait or --detach, not both.")
        if self.timeout is not None and self.timeout <= 0:
            raise usage("--timeout takes seconds, more than 0.")


def _no_option(_: object, value: str | None) -> None:
    if value and value != "-" and value.startswith("-") and not any(part.isspace() for part in value):
        raise ValueError(f"There is no option {value}; a text that begins so is given after --.")


Words = Annotated[str, Parameter(allow_leading_hyphen=True, validator=_no_option)]
"""A text in the place of an argument, or - for stdin."""
