"""Looking for a value where none may be: everywhere that an instance keeps or says something."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Text, cast, column, inspect, select, table

from quarterdeck.kernel.db import Tx
from support.deck import Deck


def forms(values: Iterable[str]) -> list[str]:
    """The texts that give a value away: itself, in hex, and in base64 wherever that begins."""
    found = []
    for value in values:
        found += [value, value.encode().hex()]
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + value.encode()).decode()
            found.append(coded[4 if before else 0 : -4])
    return found


async def leaks(deck: Deck, values: Iterable[str], logged: str) -> list[str]:
    """Where one of the values stands: in rows, whatever their type, in files of the data directory, in logs."""
    wanted = forms(values)

    def rows(tx: Tx) -> list[str]:
        found, looked = [], 0
        schema = inspect(tx.session.connection())
        for name in schema.get_table_names():
            texts: list[Any] = [cast(column(one["name"]), Text) for one in schema.get_columns(name)]
            looked += len(texts)
            for row in tx.session.execute(select(*texts).select_from(table(name))):
                said = "\n".join(str(one) for one in row)
                found += [f"{name}: {said[:300]}" for one in wanted if one in said]
        assert looked > 500, "nothing was looked through"
        return found

    found = await deck.instance.db.read(rows)
    for file in deck.instance.data.path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            found += [str(file) for one in wanted if one.encode() in content]
    return found + ["log" for one in wanted if one in logged]
