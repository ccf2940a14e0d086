"""From a specification to a running supervisor: what it is told, and the one command that starts it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import quarterdeck
from quarterdeck.fleet.processes.spec import ProcessSpec
from quarterdeck.fleet.processes.supervisor.kin import MARKER
from quarterdeck.kernel.errors import Conflict, Invalid, ProviderFailure
from quarterdeck.kernel.vault import Secret

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ANSWER_SECONDS = 30.0
_HINTS = {
    "program": "Check the start command: its program must exist, be executable and be readable by the process's user.",
    "directory": "Check that the working directory exists.",
}


def marker(root: Path, instance: str) -> str:
    """Unique on the host, whichever data directory the process belongs to."""
    return f"{instance}-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"


def launch_document(spec: ProcessSpec, mark: str, uid: int | None) -> dict[str, Any]:
    """Everything the supervisor needs, secrets revealed: for its pipe only, never for a file or an argument."""
    environment = {"PATH": SEARCH_PATH, "HOME": spec.directory, "LANG": "C.UTF-8"}
    environment |= {k: v.reveal() if isinstance(v, Secret) else v for k, v in spec.environment.items()}
    if spec.port is not None:
        environment["PORT"] = str(spec.port)
    environment[MARKER] = mark
    policy = spec.restart
    return {
        "instance": spec.instance,
        "digest": spec.digest,
        "marker": mark,
        "argv": list(spec.argv),
        "directory": spec.directory,
        "environment": environment,
        "uid": uid,
        "memory": spec.limits.memory,
        "cpus": spec.limits.cpus,
        "pids": spec.limits.pids,
        "open_files": spec.limits.open_files,
        "restart": policy.mode,
        "first_delay": policy.first_delay,
        "longest_delay": policy.longest_delay,
        "give_up_after": policy.give_up_after,
        "stable_after": policy.stable_after,
        "stop_signal": int(spec.stop_signal),
        "grace": spec.grace,
        "log_bytes": spec.log_bytes,
        "facts": {"port": spec.port, "labels": dict(spec.labels)},
    }


def supervisor_argv(directory: Path) -> list[str]:
    """Without site packages: the supervisor stands on the standard library and starts in milliseconds."""
    return [sys.executable, "-S", "-P", "-m", "quarterdeck.fleet.processes.supervisor", str(directory)]


def launch(directory: Path, document: dict[str, Any]) -> None:
    """Start a supervisor and wait for its one answer. Raises Invalid for a program that cannot be executed."""
    source = Path(quarterdeck.__file__).parents[1]
    environment = {"PATH": SEARCH_PATH, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    errors = os.open(directory / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        ended = subprocess.run(
            supervisor_argv(directory),
            input=json.dumps(document).encode(),
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd="/",
            env=environment,
            start_new_session=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ProviderFailure(
            f"The supervisor of process {document['instance']} did not answer within {ANSWER_SECONDS:g} s.",
            code="process_supervisor_failed",
            hint="Check the load of the host, then deploy again.",
        ) from None
    finally:
        os.close(errors)
    answer = json.loads(ended.stdout) if ended.stdout else {}
    _judge(document, answer)


def _judge(document: dict[str, Any], answer: dict[str, Any]) -> None:
    instance = document["instance"]
    if answer.get("started"):
        return
    if answer.get("refused") == "not-started":
        step, why, program = answer["step"], answer["message"], repr(document["argv"][0])
        raise Invalid(
            f"Process {instance} could not be started ({why if program in why else f'{step} {program}: {why}'}).",
            code="process_start_failed",
            hint=_HINTS.get(step, "Check the process's settings and limits."),
        )
    if answer.get("refused") == "already-supervised":
        raise Conflict(
            f"Process {instance} already has a supervisor.",
            code="process_instance_conflict",
            hint="Stop the process first.",
        )
    raise ProviderFailure(
        f"The supervisor of process {instance} ended without an answer.",
        code="process_supervisor_failed",
        hint="Its own messages are in supervisor.log beside the process's log.",
    )
