"""An agent of one's own in a file, looked at before it is sent: what is wrong is said in the words of the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quarterdeck.cli import task_files
from quarterdeck.cli.failure import Failure, usage

AGENT = "custom"
LEAST = "at the least: argv: [my-agent]"


def described(place: str) -> dict[str, Any]:
    """`customAgent` as the API takes it, from a YAML or JSON file or stdin (`-`). Raises `Failure`."""
    import msgspec

    from quarterdeck.kernel.errors import Invalid
    from quarterdeck.surfaces.tasks.wire.projects import CustomAgent
    from quarterdeck.tasks.projects import fields

    told = task_files.document(place, what="agent")
    if not isinstance(told, dict):
        raise usage(f"{place} does not describe an agent.", f"Write what runs it, {LEAST}", code="custom_agent")
    if set(told) == {"customAgent"} and isinstance(told["customAgent"], dict):
        told = told["customAgent"]
    known = [field.encode_name for field in msgspec.structs.fields(CustomAgent)]
    for key in told:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise usage(f"{place}: {key} is not known.{meant}", f"Keys: {', '.join(known)}.", code="custom_agent")
    if not told.get("argv"):
        raise usage(f"{place} has no argv, the program and its arguments.", "Write `argv: [my-agent]` in it.",
                    code="custom_agent")  # fmt: skip
    said = {key: value for key, value in told.items() if value is not None}
    try:
        msgspec.convert(said, CustomAgent)
        fields.checked({"customAgent": said})
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        key = where.rstrip("`").partition("[")[0] or "it"
        raise usage(f"{place}: {key}: {what}.", f"Mend {key} in {place}.", code="custom_agent") from None
    except Invalid as problem:
        told_of = problem.message.removeprefix("customAgent.")
        raise usage(f"{place}: {told_of}", f"Mend it in {place}.", code="custom_agent") from None
    return said


@contextmanager
def required(command: str) -> Iterator[None]:
    """Give the refusal of a `custom` that nothing describes, which says what happened, the `command` that mends it."""
    try:
        yield
    except Failure as failure:
        if failure.hint is None and failure.message.startswith("customAgent:"):
            failure.hint = f"{command} --custom-agent agent.yaml   (the file holds, {LEAST})"
        raise
