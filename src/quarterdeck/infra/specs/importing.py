"""A document that somebody writes as YAML or JSON, with the lines on which its fields stand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from quarterdeck.infra.specs.document import LARGEST
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.text import shown

DEEPEST, MOST_NODES = 30, 20_000


class Written(NamedTuple):
    """`lines` has the line of each field by its path, from 1."""

    document: dict[str, Any]
    lines: dict[str, int]


def read(text: str) -> Written:
    """Raises `Invalid` (`spec_unreadable`) with the place. Anchors are refused: a few of them make a document of
    gigabytes.
    """
    if len(text.encode("utf-8", "surrogateescape")) > LARGEST:
        raise _refused(f"It is longer than {LARGEST >> 10} KiB")
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _refused("It has an anchor or an alias", event.start_mark)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise _refused("It is no list of fields such as project_name: ledger")
        lines = dict(_lines(node, "", 1, [0]))
        loader = yaml.SafeLoader("")
        made = loader.construct_document(node)
        document = json.loads(json.dumps(made, default=str, allow_nan=False))
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "it is neither YAML nor JSON"
        raise _refused(shown(str(problem), 200).capitalize(), getattr(error, "problem_mark", None)) from None
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise _refused("It holds what JSON does not have") from None
    return Written(document, lines)


def written(document: Mapping[str, Any]) -> str:
    """A document as YAML, in the order in which its fields stand."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=120)


def _lines(node: yaml.Node, path: str, depth: int, count: list[int]) -> Iterator[tuple[str, int]]:
    count[0] += 1
    if depth > DEEPEST or count[0] > MOST_NODES:
        raise _refused("It is nested too deep, or has too many fields", node.start_mark)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if not name or name in seen:
                raise _refused(f"{shown(name, 60) or 'A field'} stands there twice, or has no name", key.start_mark)
            seen.add(name)
            here = f"{path}.{name}" if path else name
            yield here, key.start_mark.line + 1
            yield from _lines(value, here, depth + 1, count)
    elif isinstance(node, yaml.SequenceNode):
        for at, item in enumerate(node.value):
            here = f"{path}[{at}]"
            yield here, item.start_mark.line + 1
            yield from _lines(item, here, depth + 1, count)


def _refused(why: str, mark: Any = None) -> Invalid:
    place = f", line {mark.line + 1}" if mark is not None else ""
    return Invalid(
        f"The document cannot be read{place}: {why[:1].lower()}{why[1:]}.",
        code="spec_unreadable",
        hint="Write it as YAML or JSON, as an export has it.",
        field="content",
    )
