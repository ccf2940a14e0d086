"""Documents of specs, states and credentials, as files and from stdin."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quarterdeck.cli import task_files
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.names import Row

LONGEST = 50 * 1024 * 1024
"""Bytes of a state."""


def secret(given: str, option: str) -> str:
    """What must not stand in a command line: the content of @FILE, or stdin for -. Raises `Failure`, which does not
    repeat what was given.
    """
    if given == "-":
        text = task_files.text_of("-", what=option)
    elif given.startswith("@") and len(given) > 1:
        text = task_files.text_of(given[1:], what=option.lstrip("-"))
    else:
        raise usage(
            f"{option} takes a file or stdin, because every user of this machine can read command lines.",
            f"Write it into a file and give {option} @FILE, or {option} - for stdin.",
            code="secret_in_words",
        )
    if not text.strip():
        where = "stdin" if given == "-" else given[1:]
        raise usage(f"There is nothing in {where}.", f"{option} @FILE", code="file")
    return text.strip()


def spec(place: str) -> Row:
    """The document of a spec in a YAML or JSON file, or on stdin for -. Raises `Failure`."""
    return plain(task_files.document(place, what="spec"), place)


def plain(value: Any, place: str) -> Row:
    """The same as JSON has it: dates that YAML makes are texts. Raises `Failure`."""
    try:
        told = json.loads(json.dumps(value, default=str, allow_nan=False))
    except (TypeError, ValueError):
        told = None
    if not isinstance(told, dict):
        raise usage(
            f"{place} does not describe a spec.", "Keys: project_name, environment_stage, region, …", code="spec_file"
        )
    return told


def with_values(document: Row, values: Sequence[str]) -> Row:
    """The document with `cluster.node_max_size=8`, and so on; a value is read as YAML. Raises `Failure`."""
    import yaml

    changed: Row = json.loads(json.dumps(document))
    for text in values:
        path, equals, value = text.partition("=")
        keys = path.split(".")
        if not equals or not all(keys):
            raise usage(f"{path} is given no value.", "--set cluster.node_max_size=8")
        place: Any = changed
        for key in keys[:-1]:
            place = _below(place, key, path)
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            read = value
        _put(place, keys[-1], plain({"value": read}, path)["value"], path)
    return changed


def _below(place: Any, key: str, path: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, key, path)]
    if not isinstance(place, dict):
        raise usage(f"{path}: there is nothing below what stands before {key}.", "qd spec export NAME")
    return place.setdefault(key, {})


def _put(place: Any, key: str, value: Any, path: str) -> None:
    if isinstance(place, list):
        place[_index(place, key, path)] = value
    elif isinstance(place, dict):
        place[key] = value
    else:
        raise usage(f"{path}: there is nothing below what stands before {key}.", "qd spec export NAME")


def _index(place: list[Any], key: str, path: str) -> int:
    """An entry of a list, by its number or by its name."""
    if key.isascii() and key.isdigit() and int(key[:9]) < len(place):
        return int(key)
    for index, entry in enumerate(place):
        if isinstance(entry, dict) and entry.get("name") == key:
            return index
    raise usage(f"{path}: there is no entry {key}.", "qd spec export NAME")


def edited(text: str, name: str) -> str:
    """The text as a person leaves it in $VISUAL or $EDITOR. Raises `Failure`."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="qd-") as directory:
        file = Path(directory) / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        try:
            done = subprocess.run([*shlex.split(editor), str(file)], check=False)
        except (OSError, ValueError):
            raise usage(f"The editor {editor} cannot be started.", "EDITOR=nano qd spec edit NAME") from None
        if done.returncode:
            raise Failure(f"The editor ended with {done.returncode}; nothing was changed.", code="declined")
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise Failure("What the editor has left cannot be read; nothing was changed.", exit=Exit.USAGE) from None


def state(place: str) -> str:
    """A state of Terraform as it is written. Raises `Failure`."""
    text = task_files.text_of(place, what="state") if place != "-" else _stdin()
    if len(text) > LONGEST:
        raise usage(f"{place} is longer than {LONGEST // 1024 // 1024} MiB.", "terraform state list", code="state_size")
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not {"version", "serial", "lineage"} <= told.keys():
        raise usage(f"{place} is no state of Terraform.", "terraform state pull > ledger.tfstate", code="state_file")
    return text


def _stdin() -> str:
    import sys

    return sys.stdin.read(LONGEST + 1)
