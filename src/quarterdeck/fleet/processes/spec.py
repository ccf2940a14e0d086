"""What a host process is: values only."""

from __future__ import annotations

import hashlib
import json
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret

INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

RestartMode = Literal["always", "on-failure", "never"]


@dataclass(frozen=True)
class Limits:
    """Bytes, cores and tasks; None is no limit."""

    memory: int | None = None
    cpus: float | None = None
    pids: int | None = 512
    open_files: int | None = 65_536


@dataclass(frozen=True)
class RestartPolicy:
    """Delays double from `first_delay` to `longest_delay` seconds; a run of `stable_after` seconds forgives the ends
    before it; after `give_up_after` restarts in a row the supervisor reports and ends.
    """

    mode: RestartMode = "on-failure"
    first_delay: float = 1.0
    longest_delay: float = 30.0
    give_up_after: int = 10
    stable_after: float = 10.0


@dataclass(frozen=True, eq=False)
class ProcessSpec:
    """One process of one deployment.

    `instance` names it on the host (deployment reference and replica). `account` is who shares a user of its own:
    processes with the same word (a resource) run as the same user; None runs as the user of the control plane.
    Without root there is only that one. `port` is put into the environment as PORT.
    """

    instance: str
    argv: tuple[str, ...]
    directory: str
    environment: Mapping[str, str | Secret[str]] = field(default_factory=dict)
    account: str | None = None
    limits: Limits = field(default_factory=Limits)
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    stop_signal: int = signal.SIGTERM
    grace: float = 10.0
    log_bytes: int = 20_000_000
    port: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raises Invalid for a specification that no host could start."""
        if not INSTANCE.fullmatch(self.instance):
            raise Invalid(
                f"{self.instance!r} is not a process name.", hint="Use letters, digits, dot, dash and underscore."
            )
        if not self.argv or any("\0" in part for part in self.argv):
            raise Invalid(f"Process {self.instance} has no usable command.", hint="Set a start command.")
        if not self.directory.startswith("/"):
            raise Invalid(f"Process {self.instance} needs an absolute working directory.")
        for name in self.environment:
            if not VARIABLE.fullmatch(name):
                raise Invalid(f"{name!r} is not the name of an environment variable.")

    @property
    def secret_names(self) -> list[str]:
        return sorted(name for name, value in self.environment.items() if isinstance(value, Secret))

    def document(self) -> dict[str, object]:
        """Everything but the values of secrets: what is kept on disk to start the process again."""
        return {
            "instance": self.instance,
            "argv": list(self.argv),
            "directory": self.directory,
            "environment": {k: v for k, v in sorted(self.environment.items()) if not isinstance(v, Secret)},
            "secretNames": self.secret_names,
            "account": self.account,
            "limits": vars(self.limits),
            "restart": vars(self.restart),
            "stopSignal": int(self.stop_signal),
            "grace": self.grace,
            "logBytes": self.log_bytes,
            "port": self.port,
            "labels": dict(sorted(self.labels.items())),
        }

    @property
    def digest(self) -> str:
        """Equal for equal specifications. Values of secrets do not count, so that none can be guessed from it."""
        text = json.dumps(self.document(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @classmethod
    def load(cls, document: dict[str, object], secrets: Mapping[str, Secret[str]]) -> ProcessSpec:
        """The reverse of `document`, with the secrets supplied again."""
        value: dict[str, object] = dict(document)
        names = value.pop("secretNames")
        if not isinstance(names, list) or (missing := [name for name in names if name not in secrets]):
            raise Invalid(f"Values for {', '.join(missing)} are missing.", code="process_secrets_missing")
        environment: dict[str, str | Secret[str]] = dict(value["environment"])  # type: ignore[call-overload]
        environment.update({name: secrets[name] for name in names})
        return cls(
            instance=str(value["instance"]),
            argv=tuple(value["argv"]),  # type: ignore[arg-type]
            directory=str(value["directory"]),
            environment=environment,
            account=value["account"],  # type: ignore[arg-type]
            limits=Limits(**value["limits"]),  # type: ignore[arg-type]
            restart=RestartPolicy(**value["restart"]),  # type: ignore[arg-type]
            stop_signal=int(value["stopSignal"]),  # type: ignore[call-overload]
            grace=float(value["grace"]),  # type: ignore[arg-type]
            log_bytes=int(value["logBytes"]),  # type: ignore[call-overload]
            port=value["port"],  # type: ignore[arg-type]
            labels=dict(value["labels"]),  # type: ignore[call-overload]
        )
