"""The host processes of one machine: started, found again, stopped and removed, whoever started them.

All knowledge is on disk below `<root>/processes`, so that a new control plane takes over what the last one started.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from quarterdeck.fleet.processes import accounts, log, ownership, ports
from quarterdeck.fleet.processes.ledgers import locked
from quarterdeck.fleet.processes.spec import INSTANCE, ProcessSpec
from quarterdeck.fleet.processes.starting import launch, launch_document, marker
from quarterdeck.fleet.processes.status import ProcessStatus, identity, read_status
from quarterdeck.fleet.processes.supervisor import kin
from quarterdeck.fleet.processes.supervisor.cgroups import Group
from quarterdeck.fleet.processes.supervisor.identity import is_alive, send
from quarterdeck.fleet.processes.supervisor.record import CONTROL, STATE, read_json, write_json
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound, Problem
from quarterdeck.kernel.vault import Secret

SPEC = "spec.json"
PATIENCE = 15.0  # seconds beyond the grace within which a healthy supervisor has ended everything

SecretSource = Callable[[ProcessStatus], Mapping[str, Secret[str]] | None]


@dataclass(frozen=True)
class Reconciled:
    """`started` again, still `running`, `left` as it was, or `blocked` for the reason in `message`."""

    instance: str
    action: Literal["running", "started", "left", "blocked"]
    message: str | None = None


class Processes:
    """`root` is the target directory of the host; its user owns what it holds and others may only pass through."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._home = root / "processes"
        self._home.mkdir(parents=True, exist_ok=True, mode=0o711)

    def directory(self, instance: str) -> Path:
        if not INSTANCE.fullmatch(instance):
            raise Invalid(f"{instance!r} is not a process name.")
        return self._home / "instances" / instance

    def port(self, instance: str, *, reserved: frozenset[int] = frozenset()) -> int:
        """The port of `instance`, assigned at the first question and kept until it is removed."""
        return ports.assign(self._home, instance, reserved=reserved)

    def held_port(self, instance: str) -> int | None:
        """The port that `instance` has, without giving it one."""
        return ports.held(self._home).get(instance)

    def account(self, name: str) -> int | None:
        """The user number behind `ProcessSpec.account`, or None without root."""
        return accounts.assign(self._home, name, theirs=self._running_accounts)

    def enter_accounts(self) -> None:
        """Have the user numbers of this directory in the host's book, before anybody else there gets one of them."""
        accounts.take_over(self._home, self._running_accounts)

    def find(self, instance: str) -> ProcessStatus | None:
        return read_status(self.directory(instance))

    def status(self, instance: str) -> ProcessStatus:
        """Raises NotFound."""
        found = self.find(instance)
        if found is None:
            raise NotFound(f"There is no process {instance} on this host.", code="process_not_found")
        return found

    def placed_at(self, instance: str) -> datetime:
        """When we last started it, or asked it to start; its own restarts do not count. Raises NotFound."""
        try:
            return datetime.fromtimestamp((self.directory(instance) / SPEC).stat().st_mtime, UTC)
        except FileNotFoundError:
            raise NotFound(f"There is no process {instance} on this host.", code="process_not_found") from None

    def list(self) -> Sequence[ProcessStatus]:
        home = self._home / "instances"
        names = sorted(place.name for place in home.iterdir()) if home.is_dir() else []
        return [status for name in names if (status := self.find(name))]

    async def start(self, spec: ProcessSpec, *, replace: bool = False) -> ProcessStatus:
        """Start `spec`, or find it running. Another specification under the same name is a Conflict unless `replace`.

        Returns once the program is really executed. Raises Invalid (`process_start_failed`) when it cannot be.
        """
        spec.check()
        return await asyncio.to_thread(self._start, spec, replace)

    async def stop(self, instance: str, grace: float | None = None) -> ProcessStatus:
        """Ask the process to end, kill what is left after `grace` seconds; nothing it forked survives."""
        self.status(instance)
        return await asyncio.to_thread(self._stop, instance, grace)

    async def remove(self, instance: str, grace: float | None = None) -> None:
        """Stop it, forget it, and give its port back. Without such a process nothing happens."""
        await asyncio.to_thread(self._remove, instance, grace)

    async def reconcile(self, secrets: SecretSource | None = None) -> Sequence[Reconciled]:
        """Start again what a crash or a restart of the host has ended, where its policy says so.

        `secrets` supplies the values that were never written to disk; without them such a process is `blocked`.
        """
        return [await asyncio.to_thread(self._reconcile, status, secrets) for status in self.list()]

    def follow_log(self, instance: str, after: log.Position | None = None) -> AsyncIterator[Sequence[log.Line]]:
        """New lines as they come, until the process has ended for good."""
        directory = self.directory(instance)
        return log.follow(directory, after, ended=lambda: not self._is_live(instance))

    def _is_live(self, instance: str) -> bool:
        found = self.find(instance)
        return found is not None and found.live

    def _lock(self, instance: str) -> Path:
        # A fixed few files, because a lock file that is removed with its process would not exclude anybody.
        return self._home / "locks" / f"{zlib.crc32(instance.encode()) % 64}.lock"

    def _start(self, spec: ProcessSpec, replace: bool) -> ProcessStatus:
        directory = self.directory(spec.instance)
        with locked(self._lock(spec.instance)):
            present = self.find(spec.instance)
            if present and present.live:
                if present.digest == spec.digest and present.phase != "stopping":
                    return present
                if not replace and present.digest != spec.digest:
                    raise Conflict(
                        f"Process {spec.instance} already runs with other settings.",
                        code="process_instance_conflict",
                        hint="Stop it first, or start the new version under a name of its own.",
                    )
                self._stop(spec.instance, spec.grace)
            directory.parent.mkdir(exist_ok=True, mode=0o700)
            directory.mkdir(exist_ok=True, mode=0o700)
            self._sweep(spec.instance)
            uid = self._user(spec) if spec.account else None
            write_json(directory / SPEC, spec.document())
            (directory / CONTROL).unlink(missing_ok=True)
            launch(directory, launch_document(spec, marker(self._root, spec.instance), uid))
        return self.status(spec.instance)

    def _user(self, spec: ProcessSpec) -> int | None:
        """Whom it runs as. A release that was laid out under an earlier number of its account is given to the present
        one, or kept under the earlier one as long as another process of it runs.
        """
        assert spec.account is not None  # noqa: S101 - what has none runs as we do
        uid = self.account(spec.account)
        below = Path(spec.directory).parts[len(self._root.parts) :]
        tree = self._root.joinpath(*below[:3])
        if uid is None or not tree.is_relative_to(self._root / "releases") or len(below) < 3:
            return uid
        owner = tree.lstat().st_uid if tree.exists() else uid
        if owner == uid or not accounts.FIRST <= owner <= accounts.LAST:
            return uid
        for status in self.list():
            other = read_json(self.directory(status.instance) / SPEC) or {}
            if status.live and status.instance != spec.instance and Path(other["directory"]).is_relative_to(tree):
                return owner
        ownership.renumber(tree, owner, uid)
        return uid

    def _running_accounts(self) -> set[str]:
        live = [read_json(self.directory(status.instance) / SPEC) or {} for status in self.list() if status.live]
        return {str(spec.get("account")) for spec in live}

    def _stop(self, instance: str, grace: float | None) -> ProcessStatus:
        directory = self.directory(instance)
        state = read_json(directory / STATE) or {}
        supervisor = identity(state.get("supervisor"))
        spec = read_json(directory / SPEC) or {}
        allowed = float(spec.get("grace", 10.0)) if grace is None else grace
        write_json(directory / CONTROL, {"stop": True, "grace": allowed})
        if supervisor and send(supervisor, 15):
            deadline = time.monotonic() + allowed + PATIENCE
            while is_alive(supervisor) and time.monotonic() < deadline:
                time.sleep(0.02)
            send(supervisor, 9)
        status = self.status(instance)
        self._sweep(instance)
        if status.phase in {"lost", "running", "restarting", "stopping"}:
            latest = read_json(directory / STATE) or {}
            write_json(directory / STATE, latest | {"phase": "stopped", "child": None})
        return self.status(instance)

    def _sweep(self, instance: str) -> None:
        """End what a killed supervisor left behind; only ever called when no supervisor lives."""
        state = read_json(self.directory(instance) / STATE)
        if state is None or is_alive(identity(state.get("supervisor"))):
            return
        group = Group.load(state.get("group"))
        group.kill()
        group.remove()
        kin.end_marked(marker(self._root, instance))

    def _remove(self, instance: str, grace: float | None) -> None:
        directory = self.directory(instance)
        if self.find(instance):
            self._stop(instance, grace)
        with locked(self._lock(instance)):
            trees.remove(directory)
            ports.release(self._home, instance)

    def _reconcile(self, status: ProcessStatus, secrets: SecretSource | None) -> Reconciled:
        instance, directory = status.instance, self.directory(status.instance)
        if status.live:
            return Reconciled(instance, "running")
        document = read_json(directory / SPEC)
        if status.phase != "lost" or (directory / CONTROL).exists() or document is None:
            return Reconciled(instance, "left")
        if document["restart"]["mode"] == "never":
            self._sweep(instance)
            state = read_json(directory / STATE) or {}
            write_json(directory / STATE, state | {"phase": "exited", "child": None, "message": "ended with the host"})
            return Reconciled(instance, "left")
        try:
            values = (secrets(status) if secrets else None) or {}
            self._start(ProcessSpec.load(document, values), replace=False)
        except Problem as problem:
            return Reconciled(instance, "blocked", problem.message)
        return Reconciled(instance, "started")
