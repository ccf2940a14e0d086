"""`python -m quarterdeck.fleet.processes.serving ROOT CALL < arguments.json`: what is asked of a host's processes and
releases over SSH. One call, one answer in JSON.

It runs where nothing of ours is installed but what it needs, so it stands on the standard library alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from quarterdeck.fleet.processes import listening, ports
from quarterdeck.fleet.processes.releases import Releases
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.spec import ProcessSpec
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import Secret

PROBLEM = 3
Arguments = dict[str, Any]


class Calls:
    """Each method is a call of that name; its arguments are keywords."""

    def __init__(self, root: Path) -> None:
        self._processes = Processes(root)
        self._releases = Releases(root)

    def port(self, instance: str, reserved: list[int]) -> int:
        return self._processes.port(instance, reserved=frozenset(reserved))

    def is_free(self, port: int) -> bool:
        return ports.is_free(port)

    def account(self, name: str) -> int | None:
        return self._processes.account(name)

    def find(self, instance: str) -> Any:
        return self._processes.find(instance)

    def list(self) -> Any:
        return self._processes.list()

    def placed_at(self, instance: str) -> datetime:
        return self._processes.placed_at(instance)

    def start(self, spec: Arguments, secrets: dict[str, str], replace: bool) -> Any:
        known = {name: Secret(value) for name, value in secrets.items()}
        return asyncio.run(self._processes.start(ProcessSpec.load(spec, known), replace=replace))

    def stop(self, instance: str, grace: float | None) -> Any:
        return asyncio.run(self._processes.stop(instance, grace))

    def remove(self, instance: str, grace: float | None) -> None:
        asyncio.run(self._processes.remove(instance, grace))

    def listens(self, pid: int, port: int) -> bool:
        return listening.listens(pid, port)

    def heard(self, pid: int) -> Any:
        return sorted(listening.heard_of(pid))

    def is_complete(self, name: str) -> bool:
        return self._releases.is_complete(name)

    def lay_out(self, name: str, archive: str, account: int | None) -> str:
        self._releases.lay_out(name, Path(archive), (), account)
        Path(archive).unlink()
        return str(self._releases.tree(name))

    def publish(self, name: str, directory: str, account: int | None) -> str:
        return self._releases.publish(name, directory, account)

    def published(self, name: str, directory: str) -> str:
        return self._releases.published(name, directory)

    def complete(self, name: str) -> None:
        self._releases.complete(name)

    def shortage(self, name: str, least_free: float, most: int) -> Any:
        problem = self._releases.shortage(name, least_free, most)
        return None if problem is None else told(problem)

    def forget(self, name: str) -> None:
        self._releases.remove(name)


def told(problem: Problem) -> dict[str, Any]:
    """A problem as it travels."""
    return {
        "kind": problem.kind,
        "message": problem.message,
        "code": problem.code,
        "hint": problem.hint,
        "details": problem.details,
    }


def main(root: str, call: str) -> int:
    wanted: Callable[..., Any] = getattr(Calls(Path(root)), call)
    try:
        answer = wanted(**json.loads(sys.stdin.readline()))
    except Problem as problem:
        _answer(told(problem))
        return PROBLEM
    _answer(answer)
    return 0


def _answer(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
