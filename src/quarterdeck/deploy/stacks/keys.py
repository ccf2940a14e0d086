"""Values of single keys: what a Compose file may write, and what it means."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import Any

from quarterdeck.deploy.stacks.refusals import Place
from quarterdeck.kernel.amounts import size

TRUE = frozenset({"true", "True", "TRUE", "yes", "on"})
FALSE = frozenset({"false", "False", "FALSE", "no", "off"})
DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:us|ms|s|m|h))+")
PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PORT = re.compile(r"(?:(?:.*:)?\d*:)?(?P<port>\d{1,5})(?:/(?P<protocol>\w+))?")


def text(value: Any, place: Place) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise place.refuse("is no text", "Give one text.")
    return value


def mapping(value: Any, place: Place) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise place.refuse("is no mapping", "Write it as KEY: value, one a line.")
    return value


def listing(value: Any, place: Place) -> list[Any]:
    if not isinstance(value, list):
        raise place.refuse("is no list", "Write its items one a line, each behind a dash.")
    return value


def only(given: dict[str, Any], known: set[str], place: Place) -> None:
    """Refuse a key that nothing here keeps."""
    for key in given:
        if key not in known and not key.startswith("x-"):
            raise place.at(key[:80]).refuse("is not supported", "Take it out.")


def boolean(value: Any, place: Place) -> bool:
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise place.refuse("is neither true nor false", "Write true or false.")


def whole(value: Any, place: Place) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,9}", value):
        raise place.refuse("is no whole number", "Write a number.")
    return int(value)


def amount(value: Any, place: Place) -> int:
    """Bytes, at least 6 MB: no engine takes less."""
    try:
        found = size(text(value, place))
    except ValueError:
        raise place.refuse("is no amount of memory", "Write it like 512M or 2G.") from None
    if found < 6 << 20:
        raise place.refuse("is less than 6 MB, with which nothing starts", "Write it like 512M or 2G.")
    return int(found)


LEAST_CORES = 0.01


def cores(value: Any, place: Place) -> float:
    try:
        found = float(text(value, place))
    except ValueError:
        found = 0
    if not LEAST_CORES <= found <= 1024:  # an engine takes what rounds to nothing for no limit at all
        raise place.refuse("is no number of cores", "Write it like 0.5 or 2; 0.01 is the least.")
    return found


def seconds(value: Any, place: Place) -> float:
    given = text(value, place)
    if not DURATION.fullmatch(given):
        raise place.refuse("is no duration", "Write it like 30s or 1m30s.")
    return sum(float(number) * SECONDS[unit] for number, unit in PART.findall(given))


def words(value: Any, place: Place) -> tuple[str, ...]:
    """A command: a list as it is, a text split as a shell would, without running one."""
    if isinstance(value, list):
        return tuple(text(item, place) for item in value)
    try:
        return tuple(shlex.split(text(value, place)))
    except ValueError:
        raise place.refuse("has a quote that does not close", "Write the command as a list of words.") from None


def pairs(value: Any, place: Place) -> dict[str, str | None]:
    """`KEY: value` or `- KEY=value`; None where only a key is given."""
    if isinstance(value, dict):
        return {key: None if item is None else text(item, place.at(key)) for key, item in value.items()}
    found: dict[str, str | None] = {}
    for item in listing(value, place):
        key, equals, given = text(item, place).partition("=")
        found[key] = given if equals else None
    return found


def port(value: Any, place: Place) -> int:
    """The container's port, in whatever form it is written."""
    if isinstance(value, dict):
        only(value, {"target", "published", "protocol", "mode", "host_ip", "name", "app_protocol"}, place)
        wanted, protocol = value.get("target"), value.get("protocol") or "tcp"
    else:
        match = PORT.fullmatch(text(value, place))
        if match is None:
            raise place.refuse(f"has the port {value[:60]}, which is none", "Write single ports, like 8080:80.")
        wanted, protocol = match["port"], match["protocol"] or "tcp"
    number = whole(wanted, place)
    if not 0 < number < 1 << 16:
        raise place.refuse(f"has the port {number}, which is none", "Use a port from 1 to 65535.")
    if protocol != "tcp":
        raise place.refuse(f"publishes a port for {protocol[:10]}", "Only TCP is led to a service: take it out.")
    return number


def inside(given: Any, base: str, place: Place) -> str:
    """A path of the source, relative to its root; `base` is the directory of the Compose file."""
    path = text(given, place)
    joined = posixpath.normpath(posixpath.join(base or ".", path))
    if path.startswith(("/", "~")) or joined == ".." or joined.startswith("../"):
        raise place.refuse(f"leads out of the source ({path[:100]})", "Name a path inside the repository or folder.")
    return joined


def absolute(given: Any, place: Place) -> str:
    """A path of a container that something can be mounted at."""
    path = posixpath.normpath(text(given, place))
    if not path.startswith("/") or path == "/" or ".." in path.split("/"):
        raise place.refuse(f"has the path {path[:100]}", "Give an absolute path of the container, other than /.")
    return path
