"""Reads the settings: flags, then the environment, then a TOML file, then defaults."""

from __future__ import annotations

import math
import os
import tomllib
from pathlib import Path
from typing import Any, get_origin

import msgspec
from msgspec import inspect

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.places import default_data_dir
from quarterdeck.kernel.settings import FILE, PREFIX, Settings
from quarterdeck.kernel.settings_checks import ALONE, AS_WRITTEN, TOGETHER, absolute

TYPES: dict[str, Any] = {one.name: one.type for one in msgspec.structs.fields(Settings)}
BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


def load(flags: dict[str, Any] | None = None, *, config: Path | None = None) -> Settings:
    """Read the settings. `flags` holds those that were given (None means not given).

    The TOML file is `config`, else `QUARTERDECK_CONFIG`, else `quarterdeck.toml` in the data directory where it exists.
    Raises `Invalid` that names every wrong flag, variable or key, and repeats nothing that may be secret.
    """
    right: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, (called, value) in _given(flags or {}, config).items():
        try:
            right[name] = _read(name, value)
        except ValueError as error:
            wrong[name] = f"{called}: {error}"
    settings = Settings(**right)
    said = list(wrong.values())
    for names, check in TOGETHER:
        try:
            if not names & wrong.keys():
                check(settings)
        except ValueError as error:
            said.append(str(error))
    if said:
        raise Invalid(
            "The settings are not usable. " + "; ".join(said) + ".",
            code="settings_invalid",
            hint="`quarterdeck serve --help` says what each of them takes.",
        )
    return settings


def _given(flags: dict[str, Any], config: Path | None) -> dict[str, tuple[str, Any]]:
    """What was given, by setting: how whoever gave it calls it, and the value of the highest source."""
    chosen = {name: ("--" + name.replace("_", "-"), value) for name, value in flags.items() if value is not None}
    variables = {name.lower(): (name, value) for name, value in os.environ.items()}
    named = {name: variables[key] for name in TYPES if (key := (PREFIX + name).lower()) in variables}
    file = _file({**named, **chosen}.get("data_dir"), config)
    written = {name: (f"{name} in {file}", value) for name, value in _written(file).items()}
    given = {**written, **named, **chosen}
    return {name: given[name] for name in [*TYPES, *given] if name in given}


def _file(data_dir: tuple[str, Any] | None, config: Path | None) -> Path:
    variable = os.environ.get(PREFIX + "CONFIG")
    chosen = config or (Path(variable) if variable else None)
    if chosen is not None:
        if not chosen.is_file():
            raise Invalid(f"The configuration file {chosen} does not exist.", code="settings_invalid")
        return chosen
    directory = Path((data_dir and data_dir[1]) or default_data_dir())
    try:
        return absolute(directory) / FILE
    except ValueError:  # told when the setting itself is read
        return directory / FILE


def _written(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Invalid(f"The settings cannot be read. {file}: {why}.", code="settings_invalid") from None


def _read(name: str, value: Any) -> Any:
    """A value as it is kept. Raises `ValueError` that says what the setting takes."""
    if name not in TYPES:
        raise ValueError("there is no such setting; take it out or correct its name")
    if name in AS_WRITTEN:
        value = AS_WRITTEN[name](value)
    kind = _bare(inspect.type_info(TYPES[name]))
    try:
        typed = msgspec.convert(_of_text(value, kind), TYPES[name], strict=False, dec_hook=_custom)
    except ValueError:
        raise ValueError(f"must be {takes(kind)}") from None
    return ALONE[name](typed) if name in ALONE else typed


def _bare(kind: inspect.Type) -> inspect.Type:
    """The type of a setting that is given."""
    if isinstance(kind, inspect.UnionType):
        return next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kind


def _of_text(value: Any, kind: inspect.Type) -> Any:
    """Numbers and booleans of what variables hold. Raises `ValueError`."""
    if isinstance(kind, inspect.BoolType):
        return BOOLEANS.get(value.strip().lower()) if isinstance(value, str) else value
    if isinstance(kind, inspect.IntType):
        return int(value) if isinstance(value, str) else value
    if isinstance(kind, inspect.FloatType):
        value = float(value) if isinstance(value, str) else value
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("is no amount")
    return value


def _custom(kind: Any, value: Any) -> Any:
    """Paths and secrets, of texts or as they are."""
    made = get_origin(kind) or kind
    if isinstance(value, made):
        return value
    if isinstance(value, str):
        return made(value)
    raise ValueError("is no text")


def takes(kind: inspect.Type) -> str:
    """What a setting of a type takes, in words."""
    match kind:
        case inspect.BoolType():
            return "a boolean: true or false"
        case inspect.IntType():
            return "an integer" + _bounds(kind.ge, kind.le)
        case inspect.FloatType():
            return "a number" + _bounds(kind.ge, kind.le)
        case inspect.LiteralType():
            *first, last = [repr(value) for value in kind.values]
            return f"{', '.join(first)} or {last}"
        case inspect.VarTupleType():
            return f"a list, each of it {takes(kind.item_type)}"
        case inspect.StructType():
            keys = " and ".join(f"{one.encode_name} ({takes(one.type)})" for one in kind.fields)
            return f"a table with {keys} and nothing else"
        case inspect.CustomType() if kind.cls is Path:
            return "a path"
        case _:
            return "a text"


def _bounds(least: float | None, most: float | None) -> str:
    said = [f"greater than or equal to {least}"] if least is not None else []
    said += [f"less than or equal to {most}"] if most is not None else []
    return " that is " + " and ".join(said) if said else ""
