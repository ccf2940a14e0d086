"""Taking over the variables of a `.env` file: all of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quarterdeck.deploy.resources.resources import ResourceAction, note
from quarterdeck.deploy.resources.variables import editable, owner
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import MASK
from quarterdeck.workspace import dotenv, variables


@dataclass(frozen=True, slots=True)
class Imported:
    """One variable as it stands now; `first` is where its key stood first in the file. Secret values are masked."""

    key: str
    value: str
    secret: bool
    replaced: bool
    line: int
    first: int


def import_variables(
    tx: Tx,
    ref: str,
    content: str,
    exposure: str,
    *,
    secret_keys: Sequence[str] = (),
    plain_keys: Sequence[str] = (),
) -> list[Imported]:
    """Set every variable of the file on the resource. What is wrong with one of them refuses all."""
    entries = dotenv.parse(content)
    sealed = dotenv.secret_keys(entries, secret_keys, plain_keys)
    resource = editable(tx, ref)
    if not entries:
        raise Invalid("There is no variable in this text.", hint="Write KEY=value, line by line.", field="content")
    known = {(row.key, row.exposure) for row in variables.rows(tx, [owner(resource)]) if row.scope == "resource"}
    done = []
    for entry in entries:
        secret = entry.key in sealed
        if secret and exposure == "build-time":
            raise Invalid(
                f"{entry.key} (line {entry.line}) looks like a secret, and a build sees no secrets.",
                hint="Name it in plainKeys if it is none, or import it for the runtime.",
                field="content",
            )
        kind = "secret" if secret else "plain-config"
        variables.put(tx, owner(resource), "resource", entry.key, entry.value, exposure, kind, secret=secret)
        replaced = (entry.key, exposure) in known
        done.append(Imported(entry.key, MASK if secret else entry.value, secret, replaced, entry.line, entry.first))
    note(
        tx,
        resource,
        ResourceAction.VARIABLES_IMPORTED,
        "resource-variables-imported",
        {"keys": [one.key for one in done], "exposure": exposure, "secrets": sorted(sealed)},
    )
    return done
