"""Options that the commands about infrastructure share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter, validators

from quarterdeck.cli.failure import usage

Id = Annotated[str | None, Parameter(name="--id")]
"""The same as the argument, for who gives everything by name."""
SpecId = Annotated[str | None, Parameter(name=["--spec-id", "--spec", "--configuration-id"])]
ZoneId = Annotated[str | None, Parameter(name=["--zone-id", "--zone"])]
RunnerId = Annotated[str | None, Parameter(name=["--runner-id", "--worker-id", "--runner"])]
AssignedId = Annotated[str | None, Parameter(name=["--assigned-runner-id", "--assigned-worker-id"])]
Named = Annotated[str | None, Parameter(name="--name")]
Description = Annotated[str | None, Parameter(name=["--description", "-d"])]
JobId = Annotated[str | None, Parameter(name=["--id", "--job-id"])]
IdentityId = Annotated[str | None, Parameter(name=["--cloud-identity-id", "--identity-id"])]
Limit = Annotated[int, Parameter(name=["--limit", "-n"], validator=validators.Number(gte=1, lte=1000))]
Version = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Timeout = Annotated[float | None, Parameter(validator=validators.Number(gt=0))]


@dataclass(frozen=True)
class Watch:
    """How far a job that was asked for is watched."""

    wait: bool = False
    follow: bool = False
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None and not self.any:
            raise usage("--timeout says how long to --wait.", "Add --wait, or --follow.")

    @property
    def any(self) -> bool:
        return self.wait or self.follow


def one_of(given: str | None, named: str | None, option: str = "--id") -> str | None:
    """What is meant, given as an argument or by its option. Raises `Failure` where both say something else."""
    if given is not None and named is not None and given != named:
        raise usage(f"{given} and {option} {named} name two things.", f"Give one of them, such as {option} {named}.")
    return named if given is None else given
