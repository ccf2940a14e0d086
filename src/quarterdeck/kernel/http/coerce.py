"""Query strings as typed values: text in, struct out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from quarterdeck.kernel.http.failures import Issue, Malformed, msgspec_issue
from quarterdeck.kernel.unreadable import UNREADABLE

T = TypeVar("T")
BRACKETED = re.compile(r"\[([^\[\]]*)\]")


class QueryReader:
    """Reads query pairs into a struct. Unknown keys are ignored; `true/1/false/0` and integers are understood.

    Lists take repeated keys, `key[]`, `key[0]` and commas; `a[b]` means `a.b`; an object may be given as JSON text.
    """

    def __init__(self, struct: type[msgspec.Struct]) -> None:
        self.struct = struct
        self.lists: set[str] = set()
        self.objects: set[str] = set()
        information = msgspec.inspect.type_info(struct)
        if not isinstance(information, msgspec.inspect.StructType):
            raise TypeError(f"{struct!r} is not a struct")
        self.known = {entry.encode_name for entry in information.fields}
        for entry in information.fields:
            for kind in _parts(entry.type):
                if isinstance(kind, msgspec.inspect.ListType):
                    self.lists.add(entry.encode_name)
                elif isinstance(kind, msgspec.inspect.StructType | msgspec.inspect.DictType):
                    self.objects.add(entry.encode_name)

    def read(self, pairs: Iterable[tuple[str, str]]) -> Any:
        """The struct. Raises Malformed naming the wire parameters."""
        values: dict[str, Any] = {}
        for raw, text in pairs:
            key = raw if raw in self.known else self._plain(raw)
            if key not in self.known:
                continue
            if key in self.lists:
                values.setdefault(key, []).extend(part for part in text.split(",") if part)
            elif key in self.objects:
                values[key] = self._object(key, text)
            else:
                values[key] = text
        try:
            return msgspec.convert(values, self.struct, strict=False)
        except msgspec.ValidationError as error:
            raise Malformed(*self._issues(values, error)) from None

    def _plain(self, raw: str) -> str:
        head, *inner = [raw.partition("[")[0], *BRACKETED.findall(raw)]
        named = [part for part in inner if part and not part.isdigit()]
        return ".".join([head, *named])

    @staticmethod
    def _object(key: str, text: str) -> Any:
        try:
            return msgspec.json.decode(text.encode())
        except UNREADABLE:
            message = "Expected an object as JSON"
            raise Malformed(Issue("invalid_type", (key,), message, "query", "object")) from None

    def _issues(self, values: dict[str, Any], error: msgspec.ValidationError) -> list[Issue]:
        """One issue per wrong value, tried one by one, or the error itself when they are wrong only together."""
        found = []
        for entry in msgspec.structs.fields(self.struct):
            if entry.encode_name in values:
                try:
                    msgspec.convert(values[entry.encode_name], entry.type, strict=False)
                except msgspec.ValidationError as wrong:
                    found.append(_issue(wrong, entry.type, (entry.encode_name,), "query"))
            elif entry.required:
                found.append(Issue("invalid_type", (entry.encode_name,), "Required", "query", "present"))
        return found or [msgspec_issue(str(error), "query")]


def _parts(kind: msgspec.inspect.Type) -> list[msgspec.inspect.Type]:
    if isinstance(kind, msgspec.inspect.Metadata):
        return _parts(kind.type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return [part for member in kind.types for part in _parts(member)]
    return [kind]


def body_issues(raw: Any, kind: Any, source: str = "body") -> list[Issue]:
    """Every issue of a decoded JSON body, field by field, where the parser itself stops at the first."""
    return list(_walk(raw, kind, (), source))


def _walk(value: Any, kind: Any, path: tuple[str | int, ...], source: str) -> Iterable[Issue]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        struct = _struct_in(kind)
        inner: list[Issue] = []
        if struct is not None and isinstance(value, dict):
            for entry in msgspec.structs.fields(struct):
                if entry.encode_name in value:
                    inner += _walk(value[entry.encode_name], entry.type, (*path, entry.encode_name), source)
                elif entry.required:
                    inner.append(Issue("invalid_type", (*path, entry.encode_name), "Required", source, "present"))
        if inner:
            yield from inner
        else:
            yield _issue(error, kind, path, source)


def _issue(error: msgspec.ValidationError, kind: Any, path: tuple[str | int, ...], source: str) -> Issue:
    """The issue of one value; of a word that is none of those allowed, with these."""
    found = msgspec_issue(str(error), source)
    allowed = _words(kind) if found.message.startswith("Invalid enum value") else []
    listed = f" is none of: {', '.join(allowed)}" if allowed else ""
    message = found.message.removeprefix("Invalid enum value ") + listed if listed else found.message
    return Issue(found.code, (*path, *found.path), message, source, found.expected)


def _words(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(word) for word in get_args(kind)]
    return [word for part in get_args(kind) for word in _words(part)]


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The one untagged struct of an annotation such as `S`, `S | None` or `S | UnsetType`."""
    found = [
        part for part in (get_args(kind) or (kind,)) if isinstance(part, type) and issubclass(part, msgspec.Struct)
    ]
    return found[0] if len(found) == 1 else None
