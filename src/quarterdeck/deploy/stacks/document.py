"""The text of a Compose file as plain values: mappings, lists, texts, None. Bounded, so that no file can explode.

Scalars stay texts: Compose does not read `yes`, `1.10` or `22:22` as older YAML does, and each key knows what it wants.
"""

from __future__ import annotations

from typing import Any

import yaml

from quarterdeck.deploy.stacks.refusals import Place, Refused

LONGEST_FILE = 1 << 20
"""Bytes of a Compose file."""
MOST_NODES = 50_000
MOST_TEXT = 2 << 20
"""Values of a file, and their characters, with its anchors taken in: a few lines of anchors can stand for billions."""
DEEPEST = 30
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
PLAIN = frozenset(
    {"tag:yaml.org,2002:" + kind for kind in ("str", "int", "float", "bool", "null", "timestamp", "value")}
)
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Value = dict[str, Any] | list[Any] | str | None


def document(text: str, file: str) -> dict[str, Any]:
    """The whole file. Raises `Refused` for what is no YAML, too large, or not a mapping."""
    place = Place(file)
    if len(text.encode()) > LONGEST_FILE:
        raise place.refuse(f"is larger than {LONGEST_FILE >> 20} MB", "Split it into several resources.")
    try:
        _check_depth(text, place)
        root = yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1}: {getattr(error, 'problem', None)})" if mark else ""
        raise place.refuse(f"is not valid YAML{line}", "Check its indentation and quotes.") from None
    except (ValueError, RecursionError):
        raise place.refuse("is not valid YAML", "Check its nesting and its characters.") from None
    read = _Reader(place).value(root, 0) if root is not None else None
    if not isinstance(read, dict):
        raise place.refuse("holds no services", "Begin it with services:, with a name for each.")
    return read


def _check_depth(text: str, place: Place) -> None:
    """Before anything recurses into it: the fast parser ends the whole process on a file that is nested too deeply."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _too_much(place)


def _too_much(place: Place) -> Refused:
    return place.refuse("says more than any stack needs", "Take anchors out that repeat one another.")


class _Reader:
    def __init__(self, place: Place) -> None:
        self._place = place
        self._nodes = self._text = 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        self._nodes += 1
        if isinstance(node, yaml.ScalarNode):
            self._text += len(node.value)
        if self._nodes > MOST_NODES or self._text > MOST_TEXT or depth > DEEPEST:
            raise _too_much(self._place)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        raise self._place.refuse("is not valid YAML", "Check it.")

    def _scalar(self, node: yaml.ScalarNode) -> str | None:
        if node.tag not in PLAIN:
            raise self._line(node).refuse(f"has the tag {node.tag[:60]}", "Write the value without a tag.")
        return None if not node.style and node.value in NULLS else str(node.value)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._line(key).refuse("has a key that is no text", "Name every key.")
            value = self.value(item, depth + 1)
            if key.tag == "tag:yaml.org,2002:merge":
                for one in value if isinstance(value, list) else [value]:
                    if not isinstance(one, dict):
                        raise self._line(key).refuse("merges what is no mapping", "Merge mappings alone.")
                    merged = {**one, **merged}
            elif key.value in found:
                raise self._line(key).refuse(f"gives {key.value[:60]} twice", "Keep one of them.")
            else:
                found[str(key.value)] = value
        return {**merged, **found}

    def _line(self, node: yaml.Node) -> Place:
        return Place(f"{self._place.file} line {node.start_mark.line + 1}")
