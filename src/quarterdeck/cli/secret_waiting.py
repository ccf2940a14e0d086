"""Waiting for the end of a request, and fetching what was read, which is given out once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from quarterdeck.broker.sealing import agreement
from quarterdeck.broker.sealing.encoding import decoded, encoded
from quarterdeck.cli import infra_watching, secret_states
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.infra_streaming import FULL
from quarterdeck.cli.names import Row
from quarterdeck.cli.session import Session
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.ids import Ids

PAUSE = 1.0
"""Seconds between two questions about a request."""
SLOW, TRIES = 2.0, 45
"""Seconds between two tries, and how many there are, where the server gives out no more values in this minute."""
GONE = 410


class OwnKey:
    """An X25519 key pair for one request. The private half is kept in the memory of this process alone, and is gone
    with it.
    """

    def __init__(self, ids: Ids | None = None) -> None:
        self._private = (ids or Ids()).randbytes(agreement.KEY)

    @property
    def public(self) -> str:
        return encoded(agreement.public_of(self._private))

    def open(self, sealed: bytes) -> bytes:
        """Raises `Unsealable`."""
        try:
            found = msgspec.json.decode(sealed, type=agreement.Sealed)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise agreement.Unsealable from None
        return agreement.open_sealed(self._private, found)


@dataclass
class Fetched:
    """What was fetched, and what stopped it before the end; nothing that was given out is lost by that."""

    values: dict[str, bytes] = field(default_factory=dict)
    broken: Failure | None = None


def show(opened: Session, request: str) -> Row:
    found: Row = infra_watching.patient(opened, lambda: opened.api.read("secret-requests.show", requestId=request))
    return found


@contextmanager
def leaving(request: str, key: OwnKey | None) -> Iterator[None]:
    """Ctrl-C leaves a request as it is, and says how to come back; without the key nobody can read what it gives."""
    try:
        yield
    except KeyboardInterrupt:
        raise Failure(
            f"Stopped waiting; the request {request} goes on."
            if key is None
            else f"Stopped waiting; the key is gone, so nobody can open what the request {request} gives.",
            exit=Exit.INTERRUPTED,
            code="interrupted",
            hint=_again(request, key),
            facts={"request_id": request},
        ) from None


def _again(request: str, key: OwnKey | None) -> str:
    return f"qd secret request {'cancel' if key is not None else 'show'} {request}"


def until_ended(opened: Session, row: Row, timeout: float | None, key: OwnKey | None = None) -> Row:
    """The request once it has been carried out. Raises `Failure` where it ends otherwise (1), and where the time is
    over before (8).
    """
    request = str(row["id"])
    until = None if timeout is None else time.monotonic() + timeout
    told = ""
    with leaving(request, key):
        while row["status"] not in secret_states.ENDED:
            now = stands(row)
            if now != told:
                opened.terminal.say(f"  {now}")
                told = now
            if until is not None and time.monotonic() >= until:
                raise Failure(
                    f"The request {request} {secret_states.request(row).word} still, after {timeout:g} s.",
                    exit=Exit.TIMED_OUT,
                    code="timed_out",
                    hint=_again(request, key),
                    facts={"request_id": request},
                )
            time.sleep(PAUSE if until is None else max(min(PAUSE, until - time.monotonic()), 0))
            row = show(opened, request)
    require_done(row)
    return row


def stands(row: Row) -> str:
    """How far a request has come, in a line."""
    if row["status"] != "pending":
        return f"The request {row['id']} {secret_states.request(row).word}."
    step = next((one for one in row.get("steps") or [] if not one["done"]), None)
    how = f" ({step['given']} of {step['required']}, {step['name']})" if step is not None else ""
    return f"The request {row['id']} waits for approval{how}."


def require_done(row: Row) -> None:
    """Raises `Failure` for a request that was not carried out: 7 where it waits for a person, else 1."""
    status, request = str(row["status"]), str(row["id"])
    if status == "executed":
        return
    failing = row.get("error_message") or "no reason was given"
    ends = {
        "rejected": ("request_rejected", f"was rejected: {row.get('reject_reason') or 'no reason was given'}"),
        "failed": (str(row.get("error_code") or "request_failed"), f"failed: {failing}"),
        "cancelled": ("request_cancelled", "was canceled"),
        "expired": ("request_expired", "has expired"),
    }
    if status in ends:
        code, how = ends[status]
        raise Failure(
            f"The request {request} {how.rstrip('.')}.",
            code=code,
            hint=f"qd secret request show {request}",
            facts={"request_id": request, "status": status},
        )
    waits = status == "pending"
    raise Failure(
        stands(row),
        exit=Exit.WAITS if waits else Exit.CONFLICT,
        code="request_pending" if waits else "request_in_progress",
        hint=f"Somebody else agrees: qd secret request approve {request}" if waits else f"qd secret get {request}",
        facts={"request_id": request, "status": status},
    )


def delivered(opened: Session, request: str, wanted: str | None, key: OwnKey | None = None) -> list[Row]:
    """The values of a request that can be fetched: all, or the one that is wanted. Nothing is given out by that.
    Raises `Failure` where there is none any more, and where this process has no key for it.
    """
    rows: list[Row] = infra_watching.patient(
        opened, lambda: opened.api.read("secret-requests.values", requestId=request)
    )
    keys = [str(row.get("key_name") or "") for row in rows]
    if wanted is not None:
        rows = [row for row in rows if row.get("key_name") == wanted]
        if not rows:
            raise Failure(
                f"The request {request} gave no key {wanted}: {', '.join(keys) or 'there is none'}.",
                exit=Exit.NOT_FOUND,
                code="key_not_found",
                hint=f"qd secret get {request} {keys[0]}" if keys else f"qd secret request show {request}",
            )
    left = [row for row in rows if not row["consumed"]]
    if not left:
        raise (
            _consumed(request)
            if rows
            else Failure(
                f"The request {request} has given no value.",
                exit=Exit.NOT_FOUND,
                code="no_values",
                hint=f"qd secret request show {request}",
            )
        )
    if key is None and any(row.get("sealed") for row in left):
        raise Failure(
            f"What the request {request} gives opens with a key that only the command which asked had.",
            exit=Exit.CONFLICT,
            code="key_gone",
            hint="Ask again: qd secret read REF --seal",
        )
    return left


def _consumed(request: str) -> Failure:
    return Failure(
        f"What the request {request} gave was fetched, or its time is over: each value is given out once.",
        exit=Exit.CONFLICT,
        code="wrap_consumed",
        hint="Ask again: qd secret read REF --why TEXT",
        facts={"request_id": request},
    )


def fetch(opened: Session, request: str, rows: list[Row], key: OwnKey | None = None) -> Fetched:
    """Each of these values, once."""
    found = Fetched()
    try:
        for row in rows:
            answer = _value(opened, request, str(row["id"]))
            found.values[str(row.get("key_name") or answer.get("key_name") or "")] = _plain(answer, key)
    except agreement.Unsealable:
        found.broken = Failure(
            f"A value of the request {request} does not open with the key that was made for it.",
            code="value_unsealable",
            hint="It was altered on its way, or sealed for somebody else: tell whoever runs the server.",
        )
    except (Invalid, Failure) as failure:
        kept = failure if isinstance(failure, Failure) else None
        found.broken = kept or Failure("The server gave a value that is no base64.", code="value_malformed")
        if kept is not None and kept.status == GONE:
            found.broken = _consumed(request)
    return found


def _value(opened: Session, request: str, wrap: str) -> Row:
    """One value. The server gives out so many in a minute."""
    for tried in range(TRIES):
        try:
            answer: Row = opened.api.read("secret-requests.value", requestId=request, wrapId=wrap)
        except Failure as failure:
            if failure.status != FULL or tried == TRIES - 1:
                raise
            if tried == 0:
                opened.terminal.say("  The server gives out no more values in this minute; waiting.")
            time.sleep(SLOW)
        else:
            return answer
    raise AssertionError("the last try answers or raises")


def _plain(answer: Mapping[str, object], key: OwnKey | None) -> bytes:
    value = decoded(str(answer["value"]), "value")
    if not answer.get("sealed_to_recipient"):
        return value
    if key is None:
        raise agreement.Unsealable
    return key.open(value)
