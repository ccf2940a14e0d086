"""`qd import`: the variables of a `.env` file."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import Any

from quarterdeck.cli import names
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing
from quarterdeck.cli.session import session

CHANGING = Changing()
LARGEST = 1 << 20


def import_variables(
    resource: str,
    file: str | None = None,
    /,
    *,
    secret: list[str] | None = None,
    plain: list[str] | None = None,
    build_time: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Set the variables of a .env file on a resource: all of them, or none when a line is wrong.

    A name with SECRET, PASSWORD, TOKEN, API_KEY, DATABASE_URL, CONNECTION_STRING, PRIVATE_KEY, SSH_KEY, CREDENTIAL or
    CERT in it is sealed. Of a repeated key the last line wins. They take effect with the next deployment.

    qd import shop .env
    qd import shop .env --plain PUBLIC_TOKEN_HINT --secret SIGNING
    qd import shop < .env

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    file
        The file. Default: what comes on stdin.
    secret
        Seal this key although its name does not look so; may be given several times.
    plain
        Do not seal this key although its name looks so; may be given several times.
    build_time
        The variables are for the build; their names begin with PUBLIC_ or VITE_.
    """
    body: dict[str, Any] = {"content": _read(file, resource), "exposure": "build-time" if build_time else "runtime"}
    if secret:
        body["secretKeys"] = secret
    if plain:
        body["plainKeys"] = plain
    with session(changing) as opened:
        found = names.resource(opened.api, resource)
        answer = opened.api.change("resources.import-variables", body, resourceId=found.id)
        opened.sent()
        items: list[dict[str, Any]] = answer["importedEntries"]
        rows = [
            [item["key"], item["value"], item["action"], "secret" if item["isSecret"] else "", str(item["sourceLine"])]
            for item in items
        ]
        columns = ["KEY", "VALUE", "", "", "LINE"]
        opened.terminal.table(items, columns, rows, names=[item["key"] for item in items], document=answer)
        for one in answer["duplicateOverrides"]:
            opened.terminal.say(
                f"{one['key']} stands in lines {one['firstLine']} and {one['lastLine']}: the last one wins."
            )
        opened.terminal.say(f"Takes effect with the next deployment: qd redeploy {found.path}")


def _read(file: str | None, resource: str) -> str:
    try:
        raw = sys.stdin.read(LARGEST + 1) if file is None else Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise usage(f"{file} cannot be read: {reason}.", f"qd import {quote(resource)} .env") from None
    what = file or "What came on stdin"
    if len(raw) > LARGEST:
        raise usage(f"{what} is larger than 1 MB.", "Import the variables in several files.")
    if not raw.strip():
        raise usage(f"{what} is empty.", f"qd import {quote(resource)} .env")
    return raw
