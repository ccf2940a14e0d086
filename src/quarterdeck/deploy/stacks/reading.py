"""From the files of a source to a stack, in two steps: what is kept for rollbacks, and what it means with variables."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from quarterdeck.deploy.detection.tree import SourceTree
from quarterdeck.deploy.stacks import keys
from quarterdeck.deploy.stacks.document import LONGEST_FILE, document
from quarterdeck.deploy.stacks.forbidden import TOP
from quarterdeck.deploy.stacks.interpolation import Room, interpolated
from quarterdeck.deploy.stacks.ordering import ordered
from quarterdeck.deploy.stacks.refusals import Place, Refusal, Refused
from quarterdeck.deploy.stacks.services import EnvFiles, Reader, env_files
from quarterdeck.deploy.stacks.values import Service, Stack

MOST_SERVICES = 30
LONGEST_ENV_FILE = 64 << 10
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
TOP_KEYS = {"services", "volumes", "networks", "name", "version"}
PROFILES = "COMPOSE_PROFILES"
"""The variable of the resource that names the profiles to start, with commas."""


class Definition(Struct, frozen=True):
    """The files as they are, nothing filled in: variables and their secrets are not in it."""

    file: str
    document: dict[str, Any]
    env_files: dict[str, str] = {}


class Variables(Struct, frozen=True):
    """What texts are filled in with. Only those that a build may know reach a build."""

    running: Mapping[str, str] = {}
    building: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return "Variables(****)"


class Reading(Struct, frozen=True):
    """What a source says: the stack, or everything that is wrong with it."""

    definition: Definition | None = None
    stack: Stack | None = None
    refusals: tuple[Refusal, ...] = ()


def look(tree: SourceTree, file: str, variables: Variables) -> Reading:
    """Read the stack of a source; nothing raises."""
    try:
        definition = gather(tree, file, variables)
    except Refused as refused:
        return Reading(refusals=(refused.refusal,))
    stack, refusals = read(definition, variables)
    if stack is not None:
        refusals = missing(stack, tree)
    return Reading(definition, stack if not refusals else None, refusals)


def gather(tree: SourceTree, file: str, variables: Variables) -> Definition:
    """Read the Compose file and the env files that it names. Raises `Refused` for the first that cannot be read."""
    raw = tree.read(file, LONGEST_FILE + 1)
    if raw is None:
        raise Place(file).refuse("is not in the source", "Check dockerComposeFilePath, relative to the base directory.")
    text = raw.decode("utf-8", errors="replace")
    found = document(text, file)
    taken: dict[str, str] = {}
    services = found.get("services")
    active = _active(services, variables) if isinstance(services, dict) else {}
    for name, given in active.items():
        if not isinstance(given, dict):
            continue
        place = Place(file, name)
        for path, required in env_files(given, posixpath.dirname(file), place):
            if path in taken and (taken[path] or not required):
                continue
            content = tree.read(path, LONGEST_ENV_FILE + 1)
            if content is None and required:
                raise place.at("env_file").refuse(f"names {path}, which is not in the source", "Commit it, or not.")
            if content is not None and len(content) > LONGEST_ENV_FILE:
                raise place.at("env_file").refuse(f"names {path}, which is larger than 64 KB", "Shorten it.")
            taken[path] = (content or b"").decode("utf-8", errors="replace")
    return Definition(file, found, taken)


def read(definition: Definition, variables: Variables) -> tuple[Stack | None, tuple[Refusal, ...]]:
    """The stack, or everything that is wrong with it."""
    refusals: list[Refusal] = []
    place, room = Place(definition.file), Room()
    try:
        volumes, networks, services = _top(definition, variables, place, room)
    except Refused as refused:
        return None, (refused.refusal,)
    found: dict[str, Service] = {}
    active = _active(services, variables)
    base, files = posixpath.dirname(definition.file), EnvFiles(definition.env_files)
    for name, given in active.items():
        here = Place(definition.file, name)
        reader = Reader(
            here, base, variables.running, variables.building, files, volumes, networks, room
        )  # fmt: skip
        service = reader.read(name, given)
        refusals += reader.refusals
        if service is not None:
            found[name] = service
    if refusals:
        return None, tuple(refusals)
    try:
        if not found:
            raise place.refuse("has no service without a profile", f"Name profiles in the variable {PROFILES}.")
        in_order = ordered(definition.file, found, set(services) - set(active))
    except Refused as refused:
        return None, (refused.refusal,)
    used = {one.volume for service in in_order for one in service.volumes}
    return Stack(file=definition.file, services=in_order, volumes=tuple(sorted(used))), ()


def missing(stack: Stack, tree: SourceTree) -> tuple[Refusal, ...]:
    """Builds whose Dockerfile is not in the source, and mounts of what is not there."""
    found = []
    for service in stack.services:
        for one in service.copies:
            if not tree.exists(one.source):
                refused = Place(stack.file, service.name, "volumes").refuse(
                    f"mounts {one.source}, which is not in the source", "Commit it, or take it out."
                )
                found.append(refused.refusal)
        if service.build is None:
            continue
        path = posixpath.normpath(posixpath.join(service.build.context, service.build.dockerfile))
        # The tree resolves links: neither may lead out of the source.
        if not (tree.exists(service.build.context) or service.build.context == ".") or not tree.exists(path):
            refused = Place(stack.file, service.name, "build").refuse(
                f"needs {path}, which is not in the source", "Check context and dockerfile, relative to the file."
            )
            found.append(refused.refusal)
    return tuple(found)


def _top(
    definition: Definition, variables: Variables, place: Place, room: Room
) -> tuple[frozenset[str], frozenset[str], dict[str, Any]]:
    root = definition.document
    for key, (why, hint) in TOP.items():
        if root.get(key):
            raise place.at(key).refuse(why, hint)
    keys.only(root, TOP_KEYS | set(TOP), place)
    services = keys.mapping(root.get("services") or {}, place.at("services"))
    if not services:
        raise place.refuse("holds no services", "Begin it with services:, with a name for each.")
    if len(services) > MOST_SERVICES:
        raise place.refuse(f"has more than {MOST_SERVICES} services", "Split it into several resources.")
    for name in services:
        if not NAME.fullmatch(name):
            raise place.at(f"services.{name[:60]}").refuse(
                "is no name of a service", "Use up to 63 letters, digits, dots, dashes and underscores."
            )
    volumes = _declared(root, "volumes", {"driver": "local"}, variables, place, room)
    networks = _declared(root, "networks", {"driver": "bridge"}, variables, place, room)
    return volumes, networks | {"default"}, services


def _declared(
    root: dict[str, Any], section: str, usual: Mapping[str, str], variables: Variables, place: Place, room: Room
) -> frozenset[str]:
    """Names of the volumes or networks that are declared: every one belongs to this resource alone."""
    found = keys.mapping(root.get(section) or {}, place.at(section))
    for name, given in found.items():
        here = place.at(f"{section}.{name[:60]}")
        if not NAME.fullmatch(name):
            raise here.refuse("is no name", "Use up to 63 letters, digits, dots, dashes and underscores.")
        options = interpolated(keys.mapping(given or {}, here), variables.running, here, room)
        for key, value in options.items():
            if key == "external" and keys.boolean(value, here):
                raise here.refuse("belongs to something outside of this stack", "Declare one of its own.")
            if key in {"external", "labels"} or key.startswith("x-") or value is None or value == usual.get(key):
                continue
            raise here.at(key).refuse("is not supported", f"Take it out: {section} of a stack are its own.")
    return frozenset(found)


def _active(services: dict[str, Any], variables: Variables) -> dict[str, Any]:
    """Services without a profile, or with one that is asked for."""
    asked = {word.strip() for word in variables.running.get(PROFILES, "").split(",")} - {""}
    found = {}
    for name, given in services.items():
        profiles = given.get("profiles") if isinstance(given, dict) else None
        wanted = set(profiles) if isinstance(profiles, list) and all(isinstance(p, str) for p in profiles) else set()
        if not wanted or wanted & asked or "*" in asked:
            found[name] = given
    return found
