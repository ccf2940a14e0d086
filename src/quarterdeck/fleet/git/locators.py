"""Addresses of repositories: which protocols we speak, and none that could be read as an option or a program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from quarterdeck.kernel.errors import Invalid

Protocol = Literal["https", "http", "ssh", "file"]
_SCP = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>(?!/?-)[^\s].*)"
)
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f:]+")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_ENCODED = re.compile(r"[\x00-\x1f\x7f]")  # a space may be spelt %20
_COMMAND = re.compile(r"[;&|<>`$\\'\"]")
_HINT = "Use an https://, http://, ssh:// or file:// address, or user@host:path."
_PATH = (
    "A folder on the host is a source of the kind folder (local-folder); a repository there is file:///its/full/path."
)


@dataclass(frozen=True)
class Address:
    """`url` is what git is given; it never carries a password. `username` and `password` were found in it."""

    protocol: Protocol
    url: str
    host: str | None
    port: int | None
    path: str
    username: str | None = None
    password: str | None = None

    @property
    def origin(self) -> tuple[str, str | None, int | None]:
        """Credentials go to this and nowhere else."""
        standard = {"https": 443, "http": 80, "ssh": 22}.get(self.protocol)
        return self.protocol, self.host, self.port or standard


def parse(locator: str) -> Address:
    """Raises Invalid for everything that git could take for an option, a remote helper or a local path by surprise."""
    if not locator or locator.startswith("-") or _CONTROL.search(locator) or "::" in locator.partition("/")[0]:
        raise Invalid("This is not the address of a repository.", code="source_locator_invalid", hint=_HINT)
    if "://" in locator:
        return _url(locator)
    match = _SCP.fullmatch(locator)
    if match and not locator.startswith("/") and _plain_for_ssh(match["path"]):
        host = match["host"].lower()
        return Address("ssh", locator, host, None, match["path"], username=match["user"])
    hint = _PATH if locator.startswith(("/", ".", "~")) else _HINT
    raise Invalid("This is not the address of a repository.", code="source_locator_invalid", hint=hint)


def _plain_for_ssh(path: str) -> bool:
    """The far side hands the path to a shell and to git: no part of it may look like an option or a second command."""
    return not _COMMAND.search(path) and not any(part.removeprefix("~").startswith("-") for part in path.split("/"))


def _url(locator: str) -> Address:
    try:
        parts = urlsplit(locator)
        port = parts.port
    except ValueError:
        raise Invalid(
            "The address of the repository cannot be read.", code="source_locator_invalid", hint=_HINT
        ) from None
    scheme, path = parts.scheme.lower(), unquote(parts.path)
    if _ENCODED.search(unquote(locator)):
        raise Invalid(
            "The address of the repository hides a control character.", code="source_locator_invalid", hint=_HINT
        )
    if scheme == "file":
        if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
            raise Invalid(
                "A file:// address needs an absolute path and no host.", code="source_locator_invalid", hint=_HINT
            )
        return Address("file", f"file://{parts.path}", None, None, path)
    if scheme not in {"https", "http", "ssh"}:
        raise Invalid(
            f"Repositories are not fetched over {scheme or 'this protocol'}.", code="source_locator_invalid", hint=_HINT
        )
    host = (parts.hostname or "").lower()
    if not _HOST.fullmatch(host) or path.lstrip("/").startswith("-") or not path.strip("/"):
        raise Invalid("The address names no repository.", code="source_locator_invalid", hint=_HINT)
    where = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if scheme == "ssh":
        if not _plain_for_ssh(path):
            raise Invalid("The path in the address is not usable.", code="source_locator_invalid", hint=_HINT)
        if username and not _USER.fullmatch(username):
            raise Invalid("The user name in the address is not usable.", code="source_locator_invalid", hint=_HINT)
        url = urlunsplit(("ssh", f"{username}@{where}" if username else where, parts.path, "", ""))
        return Address("ssh", url, host, port, parts.path, username=username)
    url = urlunsplit((scheme, where, parts.path, parts.query, ""))
    return Address("https" if scheme == "https" else "http", url, host, port, parts.path, username, password)


def relative_to(parent: Address, locator: str) -> str:
    """The address of a submodule, whose `./` and `../` count from its parent's address."""
    if not locator.startswith(("./", "../")):
        return locator
    separator = ":" if "://" not in parent.url else "/"
    base = parent.url.rstrip("/")
    rest = locator
    while True:
        if rest.startswith("../"):
            rest = rest[3:]
            if "/" in base:
                base = base.rsplit("/", 1)[0]
            elif separator == ":" and ":" in base:
                base = base.rsplit(":", 1)[0] + ":"
        elif rest.startswith("./"):
            rest = rest[2:]
        else:
            break
    return f"{base}{rest}" if base.endswith(":") else f"{base}/{rest}"
