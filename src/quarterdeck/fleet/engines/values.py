"""What is seen of a server's Docker engine, and what would be done about it. Values, compared without a server."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass, field
from typing import Literal

from quarterdeck.kernel.errors import Problem

State = Literal["absent", "stopped", "closed", "too-old", "ready"]
"""`stopped` is installed and does not answer; `closed` answers, but not to the account that we sign in as."""
Becoming = Literal["root", "yes", "password", "missing"]
"""How the account becomes root: it is root, by sudo, by sudo with a password (so not for us), or not at all."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The file that says that Quarterdeck has installed the engine: which installation of Quarterdeck, with which
    package manager, the package that was asked for, and every package that was new with it.
    """

    instance: str
    manager: str
    package: str
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class System:
    """The operating system as far as installing goes. `id` and `like` are the words of os-release; `init` is what
    starts services; `groups` are those that the account's next session has.
    """

    id: str
    like: tuple[str, ...]
    name: str
    account: str
    becoming: Becoming
    init: Literal["systemd", "openrc", "service", "none"]
    programs: frozenset[str]
    groups: frozenset[str] = frozenset()

    @property
    def rooted(self) -> tuple[str, ...]:
        """What stands before a command that needs root."""
        return () if self.becoming == "root" else ("sudo", "-n")


@dataclass(frozen=True, slots=True)
class Seen:
    """`origin`: installed by a Quarterdeck, or found there; None where there is none. `named`: DOCKER_HOST of the
    account says where it is, so that we do not know how it is started. `trouble` says why it is not ready.
    """

    state: State
    system: System
    version: str | None = None
    socket: str | None = None
    origin: Literal["installed", "found"] | None = None
    named: bool = False
    mark: Mark | None = None
    trouble: Problem | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    argv: tuple[str, ...]

    @property
    def line(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order; none where the engine is ready. `refusal` is why nothing can be done by us, with what a
    person does instead.
    """

    steps: tuple[Step, ...] = ()
    refusal: Problem | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """Twelve hex digits by which somebody consents to these very steps."""
        return hashlib.sha256(json.dumps([step.argv for step in self.steps]).encode()).hexdigest()[:12]
