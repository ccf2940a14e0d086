"""Addresses that machines fetch from and send to: none that git could take for an option, a program or a local path."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from quarterdeck.kernel.errors import Invalid

LONGEST = 1000
_SCP = re.compile(
    r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?P<path>[^\s/:][^\s:]*|/[^\s:/][^\s:]*)"
)
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f:]+")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_HIDDEN = re.compile(r"[\x00-\x20\x7f]")
_COMMAND = re.compile(r"[;&|<>`$\\'\"]")
FORMS = {
    "https": ("https://git.example.com/team/shop.git",),
    "http": ("http://git.example.com/team/shop.git",),
    "ssh": ("ssh://git@git.example.com/team/shop.git", "git@git.example.com:team/shop.git"),
}
OVER_HTTP, OVER_SSH = ("https", "http"), ("ssh",)


def check(text: str, field: str, schemes: tuple[str, ...] = OVER_HTTP + OVER_SSH) -> str:
    """The address without outer spaces. Raises `Invalid` (`address_invalid`) for another protocol than those of
    `schemes`, for one that carries a password, and for what is no address.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or text.startswith("-") or _HIDDEN.search(text):
        raise _wrong(field, schemes)
    if "://" not in text:
        match = _SCP.fullmatch(text)
        if match is None or "ssh" not in schemes or not _plain(match["path"]):
            raise _wrong(field, schemes)
        return text
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise _wrong(field, schemes) from None
    path, ssh = unquote(parts.path), parts.scheme.lower() == "ssh"
    if parts.password or (parts.username and not ssh):
        raise Invalid(
            f"{field} carries a credential, which whoever sees the project would read.",
            code="address_invalid",
            hint="Leave it out, and give the token as the project's git token.",
            field=field,
        )
    usable = (
        parts.scheme.lower() in schemes
        and _HOST.fullmatch(parts.hostname or "")
        and not _HIDDEN.search(path)
        and not parts.fragment
        and not path.lstrip("/").startswith("-")
        and (not ssh or (_plain(path) and (not parts.username or _USER.fullmatch(parts.username))))
    )
    if not usable:
        raise _wrong(field, schemes)
    return text


def repository(text: str, field: str, schemes: tuple[str, ...] = OVER_HTTP + OVER_SSH) -> str:
    """As `check`, of a repository: the address has a path."""
    text = check(text, field, schemes)
    if "://" in text and not urlsplit(text).path.strip("/"):
        raise _wrong(field, schemes)
    return text


def origin(text: str | None) -> tuple[str, str, int] | None:
    """Whom a token is sent to: scheme, host and port of an address over HTTP; None of any other."""
    parts = urlsplit(text or "")
    scheme = parts.scheme.lower()
    if scheme not in OVER_HTTP:
        return None
    return scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}[scheme]


def _plain(path: str) -> bool:
    """The far side hands the path to a shell and to git: no part of it may look like an option or a second command."""
    return not _COMMAND.search(path) and not any(part.removeprefix("~").startswith("-") for part in path.split("/"))


def _wrong(field: str, schemes: tuple[str, ...]) -> Invalid:
    forms = " or ".join(form for scheme in schemes for form in FORMS[scheme])
    return Invalid(
        f"{field} is no address that machines can use: it looks like {forms}.",
        code="address_invalid",
        hint="Write it in one of these forms, without a password, a name before the host (but over SSH) or spaces.",
        field=field,
    )
