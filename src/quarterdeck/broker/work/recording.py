"""What a running attempt of an enrolled worker, or of the server's own, reports and asks: `take` a value that waits for
it, a `data-key`, `deliver` a value, what it has `found`. No answer with a value is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from quarterdeck.broker import acting
from quarterdeck.broker.agents import keys
from quarterdeck.broker.sealing.encoding import encoded
from quarterdeck.broker.sealing.envelopes import Envelope
from quarterdeck.broker.work import holding
from quarterdeck.broker.work.effects import effects
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.transitions import CLAIMED
from quarterdeck.broker.work.types import DISCOVER, READ
from quarterdeck.broker.wraps import data_keys, delivering, taking
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.jobs import Unkept
from quarterdeck.kernel.jobs.job import Job


def record(tx: Tx, carried: Job, kind: str, data: Any) -> Any:
    """Raises `Invalid` for what no worker of ours says, `Conflict` (`broker_job_ended`), and as the verbs do."""
    report = REPORTS.get(kind)
    if report is None or not isinstance(data, dict | None):
        raise Invalid(f"There is no report {kind[:40]!r} of a job of the broker.", code="broker_report_unknown")
    job = holding.carried(tx, carried.id)
    if job is None or job.status != CLAIMED:
        raise Conflict("This job has ended.", code="broker_job_ended", hint="Stop working on it.")
    with acting.about(tx, job.correlation_uid, holding.holder(tx, carried)):
        answer = report(tx, job, carried, data or {})
    tx.flush()
    return answer


def _take(tx: Tx, job: BrokerJob, carried: Job, said: Mapping[str, Any]) -> Unkept:
    """`wrap_id`, and the `public_key` (base64) of the attempt."""
    key = keys.checked(tx, _text(said, "public_key"))
    given = taking.for_attempt(tx, job, carried, _text(said, "wrap_id"), key)
    return Unkept({"sealed": given.sealed, "content_hash": given.content_hash, "key_name": given.wrap.key_name})


def _data_key(tx: Tx, job: BrokerJob, carried: Job, _said: Mapping[str, Any]) -> Unkept:
    worker = holding.holder(tx, carried)
    made = data_keys.issue(tx, worker.id if worker is not None else None, [job] if job.job_type == READ else [])
    return Unkept(
        {
            "plaintext": encoded(made.plaintext.reveal()),
            "ciphertext": encoded(made.ciphertext),
            "kms_key_id": made.key_id,
        }
    )


def _deliver(tx: Tx, job: BrokerJob, carried: Job, said: Mapping[str, Any]) -> dict[str, str]:
    """`key_name`, and the `envelope` as the documented call has it."""
    try:
        envelope = msgspec.convert(said.get("envelope"), Envelope)
    except msgspec.ValidationError:
        raise Invalid("envelope: it is not of the documented form.", code="envelope_invalid") from None
    worker = holding.holder(tx, carried)
    kept = delivering.for_attempt(tx, job, worker, _text(said, "key_name"), envelope)
    return {"wrap_id": kept.wrap.uid}


def _found(tx: Tx, job: BrokerJob, _carried: Job, said: Mapping[str, Any]) -> None:
    if job.job_type != DISCOVER:
        raise Invalid("This job does not look for secrets.", code="broker_report_unknown")
    effects.found(tx, job, said)


Report = Callable[[Tx, BrokerJob, Job, Mapping[str, Any]], Any]
REPORTS: dict[str, Report] = {"take": _take, "data-key": _data_key, "deliver": _deliver, "found": _found}


def add(kind: str, report: Report) -> None:
    """Another report of running attempts, which another room answers."""
    REPORTS[kind] = report


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise Invalid(f"{name} is missing.", code="broker_report_unknown", field=name)
    return value
