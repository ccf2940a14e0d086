"""The repository of a project as git reaches it: its address, and with what."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.fleet.git import commands, host_keys, locators
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret
from quarterdeck.tasks.orders import Repository
from quarterdeck.tasks.workspaces import failures
from quarterdeck.tasks.workspaces.places import Places

STALL_SECONDS = 60
_BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\\-/.][^\x00-\x20\x7f~^:?*\[\\]{0,248}")
_WRONG = re.compile(r"\.\.|@\{|//|/\.|\.lock(/|$)|[/.]$|^@$|^HEAD$")


@dataclass(frozen=True)
class Remote:
    """`token` goes to the origin of the address alone, in one header; `key` is this machine's for SSH."""

    address: locators.Address
    token: commands.GitToken | None
    key: Path | None = None
    inherited: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def shown(self) -> str:
        """As messages may show it."""
        return self.address.url.partition("?")[0]

    def environment(self, places: Places) -> dict[str, str | Secret[str]]:
        ssh = None
        if self.address.protocol == "ssh":
            known = host_keys.fingerprint(places.known_hosts, self.address) is not None
            ssh = commands.Ssh(places.known_hosts, self.key, known)
        return commands.environment(
            self.address,
            places.state,
            token=self.token,
            ssh=ssh,
            stall_seconds=STALL_SECONDS,
            inherited=self.inherited,
        )


def of(repository: Repository, *, key: Path | None, inherited: Mapping[str, str] | None = None) -> Remote:
    """Raises `workspace_error` for an address that is none, or one of this machine's files."""
    try:
        address = locators.parse(repository.url.strip())
    except Invalid as problem:
        raise Invalid(
            f"The repository of this project: {problem.message}", code=failures.WORKSPACE, hint=problem.hint
        ) from None
    if address.protocol == "file":
        raise Invalid(
            "The repository of this project is a directory of some machine.",
            code=failures.WORKSPACE,
            hint="Give the project an https:// or ssh:// address, which every machine reaches.",
        )
    token = None
    given = repository.token or address.password
    if given and address.protocol in {"https", "http"}:
        token = commands.GitToken(Secret(given), address.username or "x-access-token")
    return Remote(address, token, key, os.environ if inherited is None else inherited)


def require_branch(name: str) -> str:
    """Raises `workspace_error` for what git could take for something else than a branch."""
    if not _BRANCH.fullmatch(name) or _WRONG.search(name):
        raise Invalid(
            f"{name[:80]!r} is no name of a branch.",
            code=failures.WORKSPACE,
            hint="Name the branch of the task otherwise, for example fix/login.",
        )
    return name
