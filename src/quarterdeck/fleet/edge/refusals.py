"""Why Caddy did not take a configuration, in words of ours: what it says itself names paths, and stays in the logs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from quarterdeck.fleet.edge.admin import ConfigurationRefused
from quarterdeck.fleet.edge.routes import Route

KEEPS = "The edge refused the new routes and goes on serving those before"
_MODULE = re.compile(r"(?:unknown module|module not registered): ([a-z0-9_.]{1,80})")
_FIELD = re.compile(r'unknown field \\*"([A-Za-z0-9_]{1,80})')
_FILES = (
    (re.compile(r"no such file"), "is missing"),
    (re.compile(r"permission denied"), "may not be read by it"),
    (re.compile(r"does not match"), "do not belong together"),
    (re.compile(r"PEM|x509|asn1|tls:"), "is not one in PEM form"),
)
_LOADING_FILES = re.compile(r"loading certificates?:")


def explained(refused: ConfigurationRefused, routes: Iterable[Route]) -> ConfigurationRefused:
    """The refusal with the reason and what to do about it, where what Caddy says is understood; its notes stay."""
    said = "\n".join(getattr(refused, "__notes__", []))
    found = _files(said, routes) or _foreign(said)
    if found is None:
        return refused
    why, hint = found
    told = ConfigurationRefused(f"{KEEPS}: {why}.", code=refused.code, hint=hint, **refused.details)
    for note in getattr(refused, "__notes__", []):
        told.add_note(note)
    return told


def _files(said: str, routes: Iterable[Route]) -> tuple[str, str] | None:
    named = [route for route in routes if route.tls == "files"]
    if not named or not _LOADING_FILES.search(said):
        return None
    guilty = [
        route for route in named if any(path in said for path in (route.certificate_file, route.key_file) if path)
    ]
    # What does not parse is said without its path: then it is the one, or one of them.
    names = ", ".join(sorted(name for route in guilty or named for name in route.hostnames))
    state = next((words for pattern, words in _FILES if pattern.search(said)), "cannot be used")
    what = "certificate and key" if state.startswith("do ") else "certificate or its key"
    return (
        f"the {what} for {names} {state}",
        f"Put a whole certificate and its key in PEM form where the route of {names} names them, then try again.",
    )


def _foreign(said: str) -> tuple[str, str] | None:
    module, unknown = _MODULE.search(said), _FIELD.search(said)
    if module is None and unknown is None:
        return None
    what = f"the module {module[1]}" if module else f"the setting {unknown[1]}" if unknown else ""
    return (
        f"its program does not know {what}, so it is another version than the one that we bring",
        "Have ours started in its place: qd server edge, with the name of that server",
    )
