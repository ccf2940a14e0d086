"""One service of a Compose file, read and checked key by key; each thing that is wrong is noted, not only the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, get_args

from quarterdeck.deploy.stacks import keys
from quarterdeck.deploy.stacks.forbidden import FORBIDDEN
from quarterdeck.deploy.stacks.interpolation import Room, interpolated
from quarterdeck.deploy.stacks.refusals import Place, Refusal, Refused
from quarterdeck.deploy.stacks.values import Build, Condition, Copied, Dependency, HealthTest, Mounted, Service
from quarterdeck.kernel.errors import Invalid
from quarterdeck.workspace import dotenv

CONDITIONS: tuple[Condition, ...] = get_args(Condition)
OURS = "quarterdeck."
MOST_ENV_FILES = 30
IGNORED = frozenset({"develop", "env_file", "profiles", "networks", "deploy", "stdin_open"})
"""Read elsewhere, or of no meaning on a server."""
COPIED = re.compile(r"[\w ./@+-]+", re.ASCII)
LITERAL = frozenset({"depends_on"})
"""Names within the file: no variables are filled in."""
Read = Callable[[Any, Any, Place], dict[str, Any]]
"""How a key is read: by which reader, its value with texts filled in, and its place. Answers fields of `Service`."""


def _simple(name: str, read: Callable[[Any, Place], Any]) -> Read:
    return lambda _, value, place: {name: read(value, place)}


def _listed(read: Callable[[Any, Place], Any]) -> Callable[[Any, Place], tuple[Any, ...]]:
    return lambda value, place: tuple(read(one, place) for one in (value if isinstance(value, list) else [value]))


class EnvFiles:
    """What the env files of a source say: each is read once, however many services name it."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._read: dict[str, dict[str, str]] = {}

    def of(self, path: str, place: Place) -> dict[str, str]:
        if path not in self._read:
            try:
                entries = dotenv.parse(self._texts[path])
            except Invalid as wrong:
                lines = wrong.details.get("lines")
                raise place.refuse(f"names {path}, whose lines {lines} are not KEY=value", "Mend them.") from None
            self._read[path] = {entry.key: entry.value for entry in entries}
        return self._read[path]


class Reader:
    """Reads one service. `variables` fill its texts in; those of `building` alone reach a build, whose arguments stay
    in the image's history. `env_files` are what files of the source say, by path; `room` bounds all services together.
    """

    def __init__(
        self, place: Place, base: str, variables: Mapping[str, str], building: Mapping[str, str],
        env_files: EnvFiles, volumes: frozenset[str], networks: frozenset[str], room: Room,
    ) -> None:  # fmt: skip
        self._place = place
        self._base = base
        self._variables = variables
        self._building = building
        self._env_files = env_files
        self._volumes = volumes
        self._networks = networks
        self._room = room
        self.refusals: list[Refusal] = []

    def read(self, name: str, raw: Any) -> Service | None:
        """The service; None, with `refusals`, when something is wrong."""
        given = self._tried(lambda: keys.mapping(raw, self._place))
        if given is None:
            return None
        found: dict[str, Any] = {"name": name}
        for key, value in given.items():
            if value is None or key.startswith("x-"):
                continue
            place = self._place.at(key[:80])
            read = self._tried(lambda key=key, value=value, place=place: self._key(key, value, place))  # type: ignore[misc]
            found.update(read or {})
        found["ports"] = tuple(dict.fromkeys((*found.get("ports", ()), *found.pop("exposed", ()))))
        found["tmpfs"] = (*found.get("tmpfs", ()), *found.pop("memory_mounts", ()))
        for extra in (self._limits, self._environment, self._named):
            found.update(self._tried(lambda extra=extra: extra(given)) or {})  # type: ignore[misc]
        if not found.get("image") and not found.get("build") and not self.refusals:
            refused = self._place.refuse("has neither an image nor a build", "Give it one of both.")
            self.refusals.append(refused.refusal)
        return Service(**found) if not self.refusals else None

    def _tried(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except Refused as refused:
            self.refusals.append(refused.refusal)
            return None

    def _key(self, key: str, raw: Any, place: Place) -> dict[str, Any]:
        if key in FORBIDDEN:
            if key == "privileged" and raw in keys.FALSE:
                return {}
            raise place.refuse(*FORBIDDEN[key])
        if key in IGNORED or key == "environment":
            return {}
        read = self._keys.get(key)
        if read is None:
            raise place.refuse("is not supported", "Take it out.")
        if key in LITERAL:
            found: dict[str, Any] = read(self, raw, place)
            return found
        filled = interpolated(raw, self._building if key == "build" else self._variables, place, self._room)
        try:
            return read(self, filled, place)
        except Refused:
            if filled == raw:
                raise
            # What was filled in may be a secret: nothing of it is repeated.
            raise place.refuse(
                "is not what it may be once its variables are filled in", "Check the variables that it takes in."
            ) from None

    def _build(self, value: Any, place: Place) -> dict[str, Any]:
        given = {"context": value} if isinstance(value, str) else keys.mapping(value, place)
        keys.only(given, {"context", "dockerfile", "args", "target"}, place)
        context = keys.inside(given.get("context") or ".", self._base, place.at("context"))
        named = keys.text(given.get("dockerfile") or "Dockerfile", place.at("dockerfile"))
        dockerfile = keys.inside(named, "", place.at("dockerfile"))
        args = keys.pairs(given.get("args") or {}, place.at("args"))
        filled = {name: self._building.get(name) if item is None else item for name, item in args.items()}
        target = given.get("target")
        return {
            "build": Build(
                context=context,
                dockerfile=dockerfile,
                args={name: item for name, item in filled.items() if item is not None},
                target=keys.text(target, place.at("target")) if target is not None else None,
            )
        }

    def _ports(self, value: Any, place: Place) -> dict[str, Any]:
        found = tuple(keys.port(item, place) for item in keys.listing(value, place))
        return {"ports": found, "published": bool(found)}

    def _mounts(self, value: Any, place: Place) -> dict[str, Any]:
        mounted: list[Mounted] = []
        copies: list[Copied] = []
        memory: list[str] = []
        for item in keys.listing(value, place):
            source, path, read_only, kind = _mount(item, place)
            if kind == "tmpfs":
                memory.append(keys.absolute(path, place))
                continue
            if source is None:
                raise place.refuse(
                    f"has a volume without a name at {path[:100]}, whose data would be lost with each version",
                    f"Name it under the top-level volumes and write NAME:{path[:100]}.",
                )
            if kind == "bind" or source.startswith(("/", ".", "~")) or "/" in source:
                copies.append(self._copied(source, path, place, read_only=read_only))
                continue
            if source not in self._volumes:
                raise place.refuse(
                    f"names the volume {source[:60]}, which the file does not declare",
                    f"Add {source[:60]}: under the top-level volumes.",
                )
            mounted.append(Mounted(source, keys.absolute(path, place), read_only))
        paths = [one.path for one in mounted] + [one.path for one in copies] + memory
        if len(set(paths)) != len(paths):
            raise place.refuse("mounts two things at one path", "Give each a path of its own.")
        return {"volumes": tuple(mounted), "copies": tuple(copies), "memory_mounts": tuple(memory)}

    def _copied(self, source: str, path: str, place: Place, *, read_only: bool) -> Copied:
        if source.startswith(("/", "~")):
            raise place.refuse(
                f"mounts {source[:100]} of the server",
                "Bring files in the source or in the image, and keep data in a named volume.",
            )
        if not read_only:
            raise place.refuse(
                f"mounts {source[:100]} of the source to be written to, which nothing keeps",
                "Mount it read-only (:ro), or keep data in a named volume.",
            )
        found = Copied(keys.inside(source, self._base, place), keys.absolute(path, place))
        if not COPIED.fullmatch(found.source) or not COPIED.fullmatch(found.path) or found.source == ".":
            raise place.refuse(
                f"mounts {source[:100]}, which cannot be copied by name",
                "Mount a file or a directory with letters, digits, dots, dashes, underscores and spaces in its path.",
            )
        return found

    def _depends_on(self, value: Any, place: Place) -> dict[str, Any]:
        if isinstance(value, list):
            return {"depends_on": tuple(Dependency(keys.text(one, place), "service_started") for one in value)}
        found = []
        for name, item in keys.mapping(value, place).items():
            here = place.at(name)
            given = keys.mapping(item or {}, here)
            keys.only(given, {"condition", "restart", "required"}, here)
            condition = given.get("condition") or "service_started"
            if condition not in CONDITIONS:
                raise here.refuse("has an unknown condition", f"Use one of {', '.join(CONDITIONS)}.")
            if keys.boolean(given.get("restart") or "false", here):
                raise here.refuse(
                    "asks for a restart with its dependency", "Take restart out: what is unchanged stays."
                )
            if not keys.boolean(given.get("required") or "true", here):
                raise here.refuse("has a dependency that may be missing", "Take required out.")
            found.append(Dependency(name, condition))
        return {"depends_on": tuple(found)}

    def _health(self, value: Any, place: Place) -> dict[str, Any]:
        given = keys.mapping(value, place)
        keys.only(given, {"test", "interval", "timeout", "retries", "start_period", "disable"}, place)
        test = given.get("test")
        if keys.boolean(given.get("disable") or "false", place.at("disable")):
            return {"health": HealthTest(test=("NONE",))}
        said: tuple[str, ...] = ("CMD-SHELL", test) if isinstance(test, str) else ()
        if isinstance(test, list):
            said = keys.words(test, place.at("test"))
            if not said or said[0] not in {"CMD", "CMD-SHELL", "NONE"} or (said[0] != "NONE" and len(said) < 2):
                raise place.at("test").refuse("is no test", "Begin it with CMD, CMD-SHELL or NONE.")
        times = {
            name: keys.seconds(given[name], place.at(name))
            for name in ("interval", "timeout", "start_period")
            if given.get(name) is not None
        }
        retries = given.get("retries")
        return {
            "health": HealthTest(
                test=said, retries=keys.whole(retries, place.at("retries")) if retries is not None else None, **times
            )
        }

    def _restart(self, value: Any, place: Place) -> dict[str, Any]:
        word, _, number = keys.text(value, place).partition(":")
        if word == "on-failure":
            return {"restart": word, "restart_retries": keys.whole(number, place) if number else 0}
        if number or word not in {"no", "false", "always", "unless-stopped"}:
            raise place.refuse("is no policy", "Use no, on-failure, always or unless-stopped.")
        return {"restart": "no" if word in {"no", "false"} else "unless-stopped"}

    def _labels(self, value: Any, place: Place) -> dict[str, Any]:
        found = {name: item or "" for name, item in keys.pairs(value, place).items()}
        if any(name.startswith(OURS) for name in found):
            raise place.refuse(f"has a label that begins with {OURS}", "Those say whose a container is: rename it.")
        return {"labels": found}

    def _limits(self, given: dict[str, Any]) -> dict[str, Any]:
        """`deploy.resources.limits`, the later way to write mem_limit and cpus."""
        if given.get("deploy") is None:
            return {}
        place = self._place.at("deploy")
        section = keys.mapping(interpolated(given["deploy"], self._variables, place, self._room), place)
        keys.only(section, {"resources", "replicas"}, place)
        if section.get("replicas") not in {None, "1"}:
            raise place.at("replicas").refuse(*FORBIDDEN["scale"])
        resources = keys.mapping(section.get("resources") or {}, place.at("resources"))
        keys.only(resources, {"limits"}, place.at("resources"))
        limits = keys.mapping(resources.get("limits") or {}, place.at("resources.limits"))
        keys.only(limits, {"cpus", "memory"}, place.at("resources.limits"))
        found: dict[str, Any] = {}
        if limits.get("memory") is not None:
            found["memory"] = keys.amount(limits["memory"], place.at("resources.limits.memory"))
        if limits.get("cpus") is not None:
            found["cpus"] = keys.cores(limits["cpus"], place.at("resources.limits.cpus"))
        return found

    def _environment(self, given: dict[str, Any]) -> dict[str, Any]:
        """The env files in their order, then `environment`; a key without a value is the resource's variable."""
        found: dict[str, str] = {}
        place = self._place.at("env_file")
        for path, _ in env_files(given, self._base, self._place):
            found.update(self._env_files.of(path, place))
        place = self._place.at("environment")
        for key, item in keys.pairs(given.get("environment") or {}, place).items():
            if not key or "=" in key:
                raise place.refuse("has a key that is none", "Write KEY: value.")
            if item is not None:
                found[key] = interpolated(item, self._variables, place.at(key), self._room)
            elif key in self._variables:
                found[key] = self._variables[key]
        return {"environment": found} if found else {}

    def _named(self, given: dict[str, Any]) -> dict[str, Any]:
        """Further names on the networks, which are all the application's own."""
        networks = given.get("networks") or []
        place = self._place.at("networks")
        names = networks if isinstance(networks, list) else list(keys.mapping(networks, place))
        for name in names:
            if name not in self._networks:
                raise place.refuse(f"names {str(name)[:60]}, which the file does not declare", "Declare it, or not.")
        aliases: list[str] = []
        for name, item in networks.items() if isinstance(networks, dict) else ():
            options = keys.mapping(item or {}, place.at(name))
            keys.only(options, {"aliases"}, place.at(name))
            aliases += [keys.text(one, place) for one in keys.listing(options.get("aliases") or [], place.at(name))]
        return {"aliases": tuple(dict.fromkeys(aliases))} if aliases else {}

    _keys: ClassVar[dict[str, Read]] = {
        "image": _simple("image", keys.text),
        "command": _simple("command", keys.words),
        "entrypoint": _simple("entrypoint", keys.words),
        "expose": _simple("exposed", _listed(keys.port)),
        "ports": _ports,
        "build": _build,
        "volumes": _mounts,
        "tmpfs": _simple("tmpfs", _listed(keys.absolute)),
        "depends_on": _depends_on,
        "healthcheck": _health,
        "restart": _restart,
        "user": _simple("user", keys.text),
        "working_dir": _simple("working_dir", keys.text),
        "hostname": _simple("hostname", keys.text),
        "labels": _labels,
        "init": _simple("init", keys.boolean),
        "read_only": _simple("read_only", keys.boolean),
        "stop_signal": _simple("stop_signal", keys.text),
        "stop_grace_period": _simple("stop_seconds", lambda value, place: round(keys.seconds(value, place))),
        "mem_limit": _simple("memory", keys.amount),
        "cpus": _simple("cpus", keys.cores),
    }


def _mount(item: Any, place: Place) -> tuple[str | None, str, bool, str]:
    """(source, path, read-only, kind) of a mount in its short or long form."""
    if isinstance(item, dict):
        keys.only(item, {"type", "source", "target", "read_only"}, place)
        kind, source = item.get("type") or "volume", item.get("source")
        if kind not in {"volume", "bind", "tmpfs"}:
            raise place.refuse(f"mounts a {str(kind)[:20]}", "Use a named volume.")
        read_only = keys.boolean(item.get("read_only") or "false", place)
        return source, keys.text(item.get("target"), place), read_only, kind
    parts = keys.text(item, place).split(":")
    if len(parts) == 1:
        return None, parts[0], False, "volume"
    modes = set(parts[2].split(",")) if len(parts) == 3 else set()
    if len(parts) > 3 or not modes <= {"ro", "rw", "z", "Z"}:
        raise place.refuse(f"has the volume {':'.join(parts)[:100]}", "Write NAME:/path or NAME:/path:ro.")
    return parts[0], parts[1], "ro" in modes, "volume"


def env_files(given: dict[str, Any], base: str, place: Place) -> list[tuple[str, bool]]:
    """The env files of a service: path of the source, and whether it has to be there. Raises `Refused`."""
    value = given.get("env_file")
    if value is None:
        return []
    here = place.at("env_file")
    items = value if isinstance(value, list) else [value]
    if len(items) > MOST_ENV_FILES:
        raise here.refuse(f"names {len(items)} files", f"Name at most {MOST_ENV_FILES}.")
    found = []
    for item in items:
        path, required = item, True
        if isinstance(item, dict):
            keys.only(item, {"path", "required"}, here)
            path, required = item.get("path"), keys.boolean(item.get("required") or "true", here)
        found.append((keys.inside(path, base, here), required))
    return found
