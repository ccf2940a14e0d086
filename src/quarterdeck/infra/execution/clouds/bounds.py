"""How much of what a cloud has is kept, and in which form: the same for every cloud.

`regions` `[{name}]`; `networks` `[{id, name, region, cidr, subnets: [{id, name, zone, cidr}]}]`; `dns_zones` `[{id,
name, private}]`; `users` `[{name}]`; `errors` names for each part that could not be listed why; `truncated` says that
there is more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.text import shown

LISTS = ("regions", "networks", "dns_zones", "users")
MOST = 1000
"""Entries of one list, and subnets of one network."""
LARGEST = 128 << 10
"""Bytes of everything as JSON: half of what a job's metadata may hold."""
LONGEST = 300


def bounded(found: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a listing, whoever made it: known lists of flat entries, cut where there is too much."""
    cut = False
    kept: dict[str, Any] = {}
    for name in LISTS:
        rows = found.get(name)
        entries = [one for row in rows if (one := _entry(row))] if isinstance(rows, list) else []
        cut = cut or len(entries) > MOST
        kept[name] = entries[:MOST]
    errors = found.get("errors")
    if isinstance(errors, Mapping):
        kept["errors"] = {str(key)[:60]: shown(str(why), LONGEST) for key, why in list(errors.items())[:20]}
    while len(msgspec.json.encode(kept)) > LARGEST:
        longest = max(LISTS, key=lambda name: len(msgspec.json.encode(kept[name])))
        kept[longest] = kept[longest][: len(kept[longest]) // 2]
        cut = True
    if cut or found.get("truncated") is True:
        kept["truncated"] = True
    cleaned: dict[str, Any] = storable(kept)
    return cleaned


def _entry(row: Any) -> dict[str, Any]:
    """Texts and flags of an entry, and the subnets of a network."""
    if isinstance(row, str):
        return {"name": shown(row, LONGEST)}
    if not isinstance(row, Mapping):
        return {}
    entry: dict[str, Any] = {}
    for key, value in list(row.items())[:20]:
        if isinstance(value, bool) or value is None:
            entry[str(key)[:60]] = value
        elif isinstance(value, str):
            entry[str(key)[:60]] = shown(value, LONGEST)
        elif key == "subnets" and isinstance(value, list):
            entry["subnets"] = [one for sub in value[:MOST] if isinstance(sub, Mapping) and (one := _flat(sub))]
    return entry


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key)[:60]: shown(value, LONGEST) for key, value in list(row.items())[:20] if isinstance(value, str)}
