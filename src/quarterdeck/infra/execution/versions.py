"""Which program of this machine is run, by the version that a specification asks for.

The rule is a bare version, which means itself and its later patches (`1.11.4` is `~> 1.11.4`), or conditions separated
by commas as Terraform writes them (`>= 1.6, < 2`). A word before it names the program (`tofu 1.9.1`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from quarterdeck.kernel.errors import Invalid, Problem, Unavailable
from quarterdeck.kernel.text import shown

Name = Literal["tofu", "terraform"]
NAMES: dict[str, Name] = {"tofu": "tofu", "opentofu": "tofu", "terraform": "terraform"}
_VERSION = re.compile(r"v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:-[0-9A-Za-z.-]+)?")
_CONDITION = re.compile(r"(=|!=|>=|<=|>|<|~>)?\s*(\S+)")
_CHECKS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "=": lambda has, wants: has == wants,
    "!=": lambda has, wants: has != wants,
    ">": lambda has, wants: has > wants,
    ">=": lambda has, wants: has >= wants,
    "<": lambda has, wants: has < wants,
    "<=": lambda has, wants: has <= wants,
}


@dataclass(frozen=True)
class Wanted:
    """`only` is the program that was named, None if either will do. `conditions` are (operator, numbers)."""

    only: Name | None
    conditions: tuple[tuple[str, tuple[int, ...]], ...]
    text: str

    def fits(self, name: Name, version: str) -> bool:
        if self.only is not None and name != self.only:
            return False
        has = numbers(version)
        return has is not None and all(_holds(operator, has, wants) for operator, wants in self.conditions)


@dataclass(frozen=True)
class Program:
    """A program that is on this machine."""

    name: Name
    path: str
    version: str


def numbers(text: str) -> tuple[int, ...] | None:
    """The numbers of a version as they are written, at most three; None for something else."""
    found = _VERSION.fullmatch(text)
    return None if found is None else tuple(int(part) for part in found.groups() if part is not None)


def _holds(operator: str, has: tuple[int, ...], wants: tuple[int, ...]) -> bool:
    whole = (*wants, 0, 0)[:3]
    if operator == "~>":
        # The last number that is written may grow, what stands before it stays.
        kept = max(1, len(wants) - 1)
        return has >= whole and has[:kept] == wants[:kept]
    return _CHECKS[operator](has, whole)


def wanted(text: str) -> Wanted:
    """Raises `Invalid` (`infra_version_invalid`)."""
    only: Name | None = None
    rest = text.strip()
    word, _, behind = rest.partition(" ")
    if word.lower() in NAMES:
        only, rest = NAMES[word.lower()], behind.strip()
    conditions = []
    for part in filter(None, (one.strip() for one in rest.split(","))):
        found = _CONDITION.fullmatch(part)
        parsed = numbers(found[2]) if found else None
        if found is None or parsed is None:
            raise Invalid(
                f"{shown(text, 60)} is no version of terraform.",
                code="infra_version_invalid",
                hint="Write a version (1.11.4), conditions (>= 1.6, < 2), or a program and a version (tofu 1.9.1).",
            )
        bare = found[1] is None
        conditions.append(("~>" if bare else found[1], (*parsed, 0, 0)[:3] if bare else parsed))
    return Wanted(only, tuple(conditions), rest and text.strip())


def choose(rule: Wanted, present: list[Program]) -> Program:
    """The first that fits, tofu before terraform. Raises `Unavailable` (`infra_terraform_missing`,
    `infra_terraform_version`).
    """
    found = next((one for one in present if rule.fits(one.name, one.version)), None)
    if found is not None:
        return found
    if not present:
        raise missing()
    have = " and ".join(f"{one.name} {one.version}" for one in present)
    raise Unavailable(
        f"The specification asks for {shown(rule.text or str(rule.only), 60)}, and this runner has {have}.",
        code="infra_terraform_version",
        hint="Install that version on the runner, or change `terraform_version` of the specification.",
    )


def missing() -> Problem:
    return Unavailable(
        "This runner has neither tofu nor terraform.",
        code="infra_terraform_missing",
        hint="Install OpenTofu or Terraform where the PATH of the runner finds it; none is ever downloaded by itself.",
    )
