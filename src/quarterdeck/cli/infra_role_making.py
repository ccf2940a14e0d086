"""Making a role of AWS with the `aws` program of this machine, as whoever that is signed in as."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from quarterdeck.cli import infra_trusting
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.names import Row
from quarterdeck.cli.session import Session

SECONDS = 120.0
"""One call of the program."""
BY_HAND = "qd connector aws --manual"
AGAIN = "qd connector aws --identity-id"
TAKEN = "EntityAlreadyExists"


def make(opened: Session, begun: Row, name: str, place: str | None, runner: str | None) -> str:
    """The ARN of a role that trusts the runner; asks before it is made. While planning nothing is run. Raises
    `Failure`.
    """
    if opened.api.planning:
        argv = infra_trusting.create_role(name, "trust.json", place)
        opened.api.plan.append(
            {"operation": "aws.iam.create-role", "method": "RUN", "path": " ".join(argv), "body": {}}
        )  # fmt: skip
        return f"<role {name}>"
    caller = _answer(infra_trusting.whoami(place))
    try:
        account = infra_trusting.account_of(caller)
    except (KeyError, IndexError):
        raise _unreadable() from None
    trusted = runner or account
    opened.terminal.say(f"  The role {name} in the account {caller['Account']} will trust {trusted}.")
    opened.terminal.confirm(f"Make the role {name}?")
    with tempfile.TemporaryDirectory(prefix="qd-") as directory:
        policy = Path(directory) / "trust.json"
        policy.touch(mode=0o600)
        policy.write_text(json.dumps(infra_trusting.trust(trusted, str(begun["external_id"]))), encoding="utf-8")
        made = _answer(infra_trusting.create_role(name, str(policy), place), name=name)
    try:
        arn = str(made["Role"]["Arn"])
    except (KeyError, TypeError):
        raise _unreadable() from None
    opened.terminal.say(f"  Made {arn}. It may nothing yet: attach the policies that your specs need.")
    opened.terminal.say(f"  Should the test come too early: {AGAIN} {begun['identity_id']} --role-arn {arn}")
    with suppress(Failure):  # the role is there; only waiting for it went wrong, and the test tells
        _run(infra_trusting.role_exists(name, place))
    return arn


def _answer(argv: tuple[str, ...], name: str = "") -> Any:
    try:
        found = json.loads(_run(argv, name))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _unreadable()
    return found


def _run(argv: tuple[str, ...], name: str = "") -> str:
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "AWS_PAGER": ""},
        )
    except OSError:
        raise usage(
            "The program aws is not on this machine.", f"Install it, or: {BY_HAND}", code="aws_absent"
        ) from None
    except subprocess.TimeoutExpired:
        raise Failure(
            f"aws did not end within {SECONDS:g} s.", exit=Exit.TIMED_OUT, code="aws_timeout", hint=BY_HAND
        ) from None
    if done.returncode == 0:
        return done.stdout
    said = next((line.strip() for line in reversed(done.stderr.splitlines()) if line.strip()), f"{done.returncode}")
    if TAKEN in said:
        raise Failure(
            f"There is a role {name} already; nothing was changed.",
            exit=Exit.CONFLICT,
            code="aws_role_exists",
            hint="Give it another --role-name, or let it trust the external id and give --role-arn.",
        )
    raise Failure(f"{' '.join(argv[:3])} failed: {said}", code="aws_failed", hint=f"aws configure   or: {BY_HAND}")


def _unreadable() -> Failure:
    return Failure("What aws answers cannot be read.", code="aws_failed", hint=f"aws --version   or: {BY_HAND}")
