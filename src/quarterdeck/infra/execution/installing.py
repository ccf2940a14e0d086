"""Which providers the server's own worker lets terraform install: those that the bundled template names, whatever a
state names besides. A provider is a program, and whoever may write a state could have the server run theirs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quarterdeck.infra.execution import failures, rendering
from quarterdeck.infra.execution.commands import Layout

REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
"""Where either program looks for a provider that is named without a host."""
BUILT_IN = frozenset({"terraform.io/builtin/terraform"})
SETTINGS = "terraform.rc"
_SOURCE = re.compile(r'^\s*source\s*=\s*"([a-z0-9-]+/[a-z0-9-]+)"\s*$', re.MULTILINE)
_NAMED = re.compile(r'(?:module\.[\w-]+\.)*provider\["([^"\\]+)"\](?:\.[\w-]+)?')


def allowed(files: Iterable[Path]) -> frozenset[str]:
    """The providers of a template (`registry.terraform.io/hashicorp/aws`) at either registry, by its files."""
    sources = {name for file in files for name in _SOURCE.findall(file.read_text(encoding="utf-8"))}
    return BUILT_IN | {f"{host}/{name}" for host in REGISTRIES for name in sources}


def configure(layout: Layout, providers: frozenset[str], given: Mapping[str, str]) -> dict[str, str]:
    """Variables with which terraform finds these providers alone. What the host's administrator has configured of
    mirrors counts where the template needs any. Raises `Unavailable` of `failures.of_file`.
    """
    wanted = sorted(providers - BUILT_IN)
    if wanted and "TF_CLI_CONFIG_FILE" in given:
        return dict(given)
    empty, settings = layout.root / "no-providers", layout.root / SETTINGS
    direct = f"  direct {{\n    include = {json.dumps(wanted)}\n  }}\n" if wanted else ""
    text = f"provider_installation {{\n  filesystem_mirror {{\n    path = {json.dumps(str(empty))}\n  }}\n{direct}}}\n"
    try:
        empty.mkdir(mode=0o700)
        rendering.write_new(settings, text.encode())
    except OSError as error:
        raise failures.of_file(error, "the settings of terraform") from None
    return {**given, "TF_CLI_CONFIG_FILE": str(settings)}


def require(state: bytes, providers: frozenset[str]) -> None:
    """Raise `Invalid` (`infra_state_provider_foreign`) for a state that names another provider than these."""
    try:
        named = _providers(json.loads(state, object_pairs_hook=_Object) if state else [])
    except (ValueError, RecursionError):
        raise failures.provider_foreign("none that can be read") from None
    for text in named:
        found = _NAMED.fullmatch(text) if isinstance(text, str) else None
        if found is None or found[1] not in providers:
            raise failures.provider_foreign(found[1] if found is not None else str(text))


def require_installed(layout: Layout, providers: frozenset[str]) -> None:
    """Raise the same for what terraform has installed, before any of it is run: a state may have come meanwhile."""
    place = layout.data / "providers"
    for found in place.glob("*/*/*"):
        name = str(found.relative_to(place))
        if name not in providers:
            raise failures.provider_foreign(name)


class _Object(list[tuple[str, Any]]):
    """The fields of a JSON object as they stand there: terraform, in Go, knows a name in whatever case, and a name may
    come twice.
    """

    def of(self, name: str) -> list[Any]:
        return [value for key, value in self if key.casefold() == name]


def _providers(state: Any) -> list[Any]:
    """Every name of a provider in a state; a resource that does not name exactly one counts as foreign."""
    if not isinstance(state, _Object):
        return []
    named: list[Any] = []
    lists = state.of("resources")
    for listed in lists:
        for one in listed if isinstance(listed, list) and not isinstance(listed, _Object) else ():
            names = one.of("provider") if isinstance(one, _Object) else []
            named += names if len(names) == 1 else [None]
    return named if len(lists) < 2 else [*named, None]
