"""A pipeline of a file, looked at before it is sent or planned: what is wrong is said in the words of the file."""

from __future__ import annotations

import difflib
from typing import Any

from quarterdeck.cli.failure import usage


def require(stages: list[Any], place: str) -> None:
    """Raises `Failure` for stages that the server would refuse; `place` is the file."""
    import msgspec

    from quarterdeck.kernel.errors import Invalid
    from quarterdeck.surfaces.tasks.wire.settings import Stage
    from quarterdeck.tasks import pipelines

    known = [field.encode_name for field in msgspec.structs.fields(Stage)]
    for number, stage in enumerate(stages, 1):
        named = f"{place}: the stage {number}" if "name" not in stage else f"{place}: the stage {stage['name']}"
        for key in stage:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                meant = f" Did you mean {near[0]}?" if near else ""
                raise usage(
                    f"{named} has {key}, which is not known.{meant}", f"Keys: {', '.join(known)}.", code="pipeline"
                )
        for key in ("name", "command"):
            if not isinstance(stage.get(key), str):
                raise usage(f"{named} has no {key}.", f"Write `{key}: …` in it.", code="pipeline")
        try:
            msgspec.convert({key: value for key, value in stage.items() if value is not None}, Stage)
        except msgspec.ValidationError as error:
            what, _, where = str(error).partition(" - at `$.")
            key = where.rstrip("`").partition("[")[0] or "it"
            raise usage(f"{named}: {key}: {what}.", f"Mend {key} of this stage.", code="pipeline") from None
    try:
        pipelines.check(stages, "pipeline")
    except Invalid as problem:
        raise usage(f"{place}: {problem.message}", problem.hint or "", code=problem.code) from None
