"""What a worker says, made fit to keep: texts that both databases hold, of a length that people read, and without the
values of the project's secrets.

What names a thing (a branch, a path, a choice of the pipeline) is kept as it is or refused: cut or masked it would name
another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.logs.masking import hidden
from quarterdeck.kernel.storable import storable
from quarterdeck.tasks import orders
from quarterdeck.tasks.work import ordering
from quarterdeck.tasks.work.happenings import LONGEST
from quarterdeck.tasks.work.model import Task

S = TypeVar("S", bound=Struct)
WORDS: dict[type[Struct], tuple[str, ...]] = {
    orders.StageReport: ("message", "error"),
    orders.GateReport: ("prompt",),
    orders.NoteReport: ("message", "data"),
    orders.TunnelReport: ("error",),
}
"""The fields of a report that people read as the worker's own words."""
LARGEST_DATA = 16_384
"""Bytes of JSON that a note may carry beside its message."""


def read(data: Any, kind: type[S]) -> S:
    """Raises `Invalid` (`report_invalid`) for what does not read, or names something longer than a name may be."""
    try:
        return msgspec.convert(storable(data), kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"A {kind.__name__} does not read: {error}", code="report_invalid") from None


def heard(tx: Tx, task: Task, data: Any, kind: type[S]) -> S:
    """`read`, with the words of it as they are kept. Raises `Invalid` also for a note that carries too much."""
    report = read(data, kind)
    if isinstance(report, orders.NoteReport) and len(msgspec.json.encode(report.data)) > LARGEST_DATA:
        raise Invalid(f"The data of a note has at most {LARGEST_DATA} bytes.", code="report_invalid", field="data")
    known = {name: getattr(report, name) for name in WORDS.get(kind, ())}
    words = {name: said(tx, task, value) for name, value in known.items() if value}
    if isinstance(report, orders.GateReport):
        words |= _offered(tx, task, report)
    return msgspec.structs.replace(report, **words) if words else report


def said(tx: Tx, task: Task, words: Any, longest: int = LONGEST) -> Any:
    """Words, or every text in a JSON value: masked first, so that no part of a secret is left by the cut."""
    secrets = ordering.secrets_of(tx, task)
    return _each(storable(words), lambda text: hidden(text, secrets)[:longest])


def _offered(tx: Tx, task: Task, report: orders.GateReport) -> dict[str, Any]:
    """The answers that a question offers. Those of the pipeline are known to everybody who may see the task, and an
    answer has to be one of them as it stands there.
    """
    stage = task.pipeline[report.index] if report.index < len(task.pipeline) else {}
    own = {*(stage.get("choices") or ()), stage.get("fallbackResult")}

    def shown(answer: str) -> str:
        return answer if answer in own else str(said(tx, task, answer, orders.LONGEST_ANSWER))

    fallback = report.fallback
    return {
        "choices": tuple(shown(one) for one in report.choices),
        "fallback": fallback if fallback is None else shown(fallback),
    }


def _each(value: Any, become: Callable[[str], str]) -> Any:
    """A JSON value with each of its texts become another, the names in it too."""
    if isinstance(value, str):
        return become(value)
    if isinstance(value, dict):
        return {_each(key, become): _each(item, become) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(item, become) for item in value]
    return value
