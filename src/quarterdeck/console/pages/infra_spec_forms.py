"""A specification as a form: made of the JSON schema of its document, so that every field that there is stands in it.

Fields are named by their path in the document (`databases[0].port`), which is how the domain names what is wrong.
Nothing here knows the rules: they are asked of the domain.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from quarterdeck.console import infra_words as words
from quarterdeck.console.views.infra import FieldError, SpecChoices
from quarterdeck.console.views.infra_forms import Entry, Section
from quarterdeck.console.views.shell import Field

Document = dict[str, Any]
CORE = ("project_name", "environment_stage", "zone_id", "provider", "region", "cloud_identity_id", "terraform_version",
        "drift_minutes", "drift_cloud_identity_id")  # fmt: skip
PARTS = ("module", "network", "cluster", "dns", "repositories")
LISTS = ("databases", "caches", "queues", "topics", "nosql_tables", "secrets", "container_registries",
         "storage_buckets")  # fmt: skip
MOST = 100
"""Things of a list that are read; the rules allow no more."""
LIST_OF_TEXTS, JSON_VALUE, WHOLE, NUMBER, FLAG, CHOICE, TEXT = (
    "texts",
    "json",
    "integer",
    "number",
    "flag",
    "choice",
    "",
)


def fresh(provider: str, zone: str) -> Document:
    """What a new form begins with: only what was chosen before."""
    return {"provider": provider, "zone_id": zone or None}


def opened(form: Mapping[str, str]) -> frozenset[str]:
    """The parts of the form that the reader had open."""
    return frozenset(name for name in PARTS if form.get(f"open.{name}") == "yes")


def typed(form: Mapping[str, str], schema: Mapping[str, Any]) -> Document:
    """The document that was typed. What is empty is left out, so that its default counts; what should be a number, or
    JSON, and is none, stays a text, so that it is told as wrong and can be shown again.
    """
    known = schema["properties"]
    document: Document = {}
    for name in (*CORE, "variables", "module_token", "comment"):
        _take(document, form, name, name, known[name])
    for name in PARTS:
        part = document.setdefault(name, {})
        for field, rule in known[name]["properties"].items():
            _take(part, form, f"{name}.{field}", field, rule)
    for name in LISTS:
        rules = known[name]["items"]["properties"]
        document[name] = entries = []
        for index in range(MOST):
            here = f"{name}[{index}]"
            if f"{here}.name" not in form:
                break
            entry: Document = {}
            for field, rule in rules.items():
                _take(entry, form, f"{here}.{field}", field, rule)
            entries.append(entry)
    # Nobody who leaves these empty means to keep what there was: they are fields like any other here.
    for name in ("zone_id", "cloud_identity_id", "drift_minutes", "drift_cloud_identity_id"):
        document.setdefault(name, None)
    if form.get("version", "").isascii() and form.get("version", "").isdigit() and form["version"] != "0":
        document["version"] = int(form["version"][:9])
    return document


def _take(into: Document, form: Mapping[str, str], path: str, name: str, rule: Mapping[str, Any]) -> None:
    kind = kind_of(rule)
    text = form.get(path, "").replace("\r\n", "\n")
    if kind == FLAG:
        into[name] = text == "yes"
        return
    if not text.strip():
        return
    into[name] = _value(text, kind)


def _value(text: str, kind: str) -> Any:
    if kind == LIST_OF_TEXTS:
        return [line.strip() for line in text.split("\n") if line.strip()]
    if kind == WHOLE:
        return int(text) if text.lstrip("-").isdigit() and text.isascii() and len(text) < 16 else text
    if kind == NUMBER:
        try:
            return float(text)
        except ValueError:
            return text
    if kind == JSON_VALUE:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def kind_of(rule: Mapping[str, Any]) -> str:
    said = rule.get("type")
    kind = next((one for one in said if one != "null"), "") if isinstance(said, list) else said
    if kind == "boolean":
        return FLAG
    if kind == "array":
        return LIST_OF_TEXTS if rule.get("items", {}).get("type") == "string" else JSON_VALUE
    if kind == "object":
        return JSON_VALUE
    if kind in {"integer", "number"}:
        return str(kind)
    return CHOICE if "enum" in rule else TEXT


def arranged(document: Document, deed: str) -> Document | None:
    """The document after `add-LIST` or `remove-LIST-N`; None for any other deed."""
    verb, _, rest = deed.partition("-")
    name, _, place = rest.partition("-")
    if verb not in {"add", "remove"} or name not in LISTS:
        return None
    found = copy.deepcopy(document)
    entries = found.setdefault(name, [])
    if not isinstance(entries, list):
        return None
    if verb == "add":
        entries.append({})
        return found
    if not (place.isascii() and place.isdigit() and len(place) < 4 and int(place) < len(entries)):
        return None
    del entries[int(place)]
    return found


def sections(
    document: Mapping[str, Any],
    choices: SpecChoices,
    wrong: Sequence[FieldError] = (),
    *,
    fresh_list: str = "",
    has_token: bool = False,
    opened: Collection[str] = (),
) -> tuple[tuple[Section, ...], tuple[FieldError, ...]]:
    """The form, and what is wrong that no field of it shows. `fresh_list` was just given one more, which has the
    focus; `opened` are parts that the reader has open.
    """
    made = _Maker(choices, {one.field: one.message for one in wrong}, has_token, opened)
    known = choices.schema["properties"]
    found = [Section("core", "", "", fields=tuple(made.field(name, name, known[name], document) for name in CORE))]
    found += [made.part(name, known[name], document.get(name), document) for name in PARTS]
    found += [made.listed(name, known[name], document.get(name), name == fresh_list) for name in LISTS]
    return tuple(found), tuple(one for one in wrong if one.field not in made.shown)


class _Maker:
    """Makes fields, and remembers which of the wrong ones are shown at them."""

    def __init__(
        self, choices: SpecChoices, wrong: Mapping[str, str], has_token: bool, opened: Collection[str]
    ) -> None:
        self.choices, self.wrong, self.has_token, self.open = choices, wrong, has_token, opened
        self.shown: set[str] = set()

    def part(self, name: str, rule: Mapping[str, Any], value: Any, document: Mapping[str, Any]) -> Section:
        title, hint = words.SECTIONS[name]
        said = value if isinstance(value, Mapping) else {}
        names = [key for key in rule["properties"] if (name, key) != ("module", "name")]  # that is the provider
        fields = [self.field(f"{name}.{key}", key, rule["properties"][key], said) for key in names]
        if name == "module":
            known = self.choices.schema["properties"]
            fields += [self.field(one, one, known[one], document) for one in ("module_token", "variables")]
        error = self.of(name)
        opened = (
            name in self.open
            or any(one.error for one in fields)
            or bool(error)
            or (name == "module" and said.get("kind") == "git")
        )
        return Section(name, title, hint, tuple(fields), open=opened, error=error)

    def listed(self, name: str, rule: Mapping[str, Any], value: Any, focused: bool) -> Section:
        title, one = words.SECTIONS[name]
        entries = []
        some = value if isinstance(value, list) else []
        for index, said in enumerate(some):
            entry = said if isinstance(said, Mapping) else {}
            here = f"{name}[{index}]"
            focus = focused and index == len(some) - 1
            fields = tuple(
                self.field(f"{here}.{key}", key, rule_of, entry, focus=focus and key == "name")
                for key, rule_of in rule["items"]["properties"].items()
            )
            called = str(entry.get("name") or f"{one.capitalize()} {index + 1}")
            entries.append(Entry(called, fields, f"remove-{name}-{index}", self.of(here)))
        return Section(
            name, title, "", entries=tuple(entries), add=f"add-{name}", one=one, open=bool(entries), error=self.of(name)
        )

    def of(self, path: str) -> str:
        """What is wrong with exactly this place."""
        if path in self.wrong:
            self.shown.add(path)
        return _sentence(self.wrong.get(path, ""))

    def field(
        self, path: str, name: str, rule: Mapping[str, Any], said: Mapping[str, Any], *, focus: bool = False
    ) -> Field:
        kind, value = kind_of(rule), said.get(name)
        error = self.of(path) or self._below(path)
        more: dict[str, Any] = {"hint": words.hint(path), "error": error}
        attributes = {"autocomplete": "off"} | ({"autofocus": ""} if focus else {})
        if path in {"zone_id", "cloud_identity_id", "drift_cloud_identity_id"}:
            some = self.choices.zones if path == "zone_id" else self.choices.identities
            empty = "No zone" if path == "zone_id" else "None"
            return Field(path, words.label(path), str(value or ""), "select", choices=(("", empty), *some), **more)
        if kind == FLAG:
            checked = value if isinstance(value, bool) else bool(rule.get("default", False))
            return Field(path, words.label(path), "yes" if checked else "", "check", **more)
        if kind == CHOICE:
            return Field(
                path, words.label(path), _chosen(value, rule, name), "select", choices=_choices(rule, name), **more
            )
        if name == "module_token":
            more["hint"] = more["hint"] if self.has_token else more["hint"].partition(". Empty")[0] + "."
            return Field(path, words.label(path), "", "password", attributes={"autocomplete": "new-password"}, **more)
        required = name == "project_name" or (name == "name" and "[" in path) or name == "hash_key"
        if kind in {LIST_OF_TEXTS, JSON_VALUE}:
            return Field(path, words.label(path), _area(value), "area", full=True, **more)
        placeholder = str(rule["default"]) if rule.get("default") not in (None, "") else ""
        if kind in {WHOLE, NUMBER}:
            attributes["inputmode"] = "decimal" if kind == NUMBER else "numeric"
        attributes["maxlength"] = str(rule.get("maxLength", 1000))
        return Field(
            path, words.label(path), "" if value is None else _plain(value), required=required, placeholder=placeholder,
            attributes=attributes, **more,
        )  # fmt: skip

    def _below(self, path: str) -> str:
        """What is wrong inside of a value that is one field here."""
        inside = [one for one in self.wrong if one.startswith((f"{path}[", f"{path}."))]
        self.shown.update(inside)
        return "; ".join(f"{one.removeprefix(path).lstrip('.')}: {self.wrong[one]}" for one in inside)


def _sentence(text: str) -> str:
    """What begins with a word of ours begins as a sentence does; a value that was typed stays as it is."""
    ours = text.partition(" ")[0] in {"it", "it's", "there", "the", "only", "a", "an", "its"}
    return text[:1].upper() + text[1:] if ours else text


def _chosen(value: Any, rule: Mapping[str, Any], name: str) -> str:
    if isinstance(value, str):
        return value
    return "local" if name == "provider" else str(rule.get("default") or "")


def _choices(rule: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    said = words.CHOICES.get(name, {})
    other = rule.get("x-synonyms", ())
    known = [one for one in rule["enum"] if isinstance(one, str) and one and one not in other]
    if name == "provider":
        known.sort(key=["local", "aws", "gcp", "azure"].index)
    empty = [("", "As usual")] if "default" not in rule and name != "provider" else []
    return (*empty, *((one, said.get(one, one.replace("_", " "))) for one in known))


def _area(value: Any) -> str:
    if value in (None, [], {}):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    return json.dumps(value, indent=2, ensure_ascii=False)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else str(value)
