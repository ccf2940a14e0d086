"""What a connection of each provider consists of, checked when an administrator defines it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from quarterdeck.broker.work.placing import SERVER_ALLOWED, WITHIN
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.text import one_line

CREDENTIALS = re.compile(r"token|secret|password|credential|access_?key|private_?key", re.IGNORECASE)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
PEM = "-----BEGIN CERTIFICATE-----"
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Form:
    """The words of a provider's configuration: those that have to be there, and those that may. `credential` says what
    its credential is, None where it has none.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    credential: str | None = None


FORMS: Mapping[str, Form] = {
    "vault": Form(("address",), ("mount", "prefix", "namespace", "ca_pem"), "a token, or empty: the agent's own"),
    "aws-sm": Form(("region",), ("endpoint", "role_arn", "prefix"), "ACCESS_KEY_ID:SECRET_ACCESS_KEY, or empty"),
    "kubernetes": Form(("namespace",), ("address", "ca_pem", "prefix"), "a bearer token, or empty: the agent's own"),
    "file": Form(("name",), (), "the passphrase that opens it"),
    "quarterdeck": Form((), ("project", "environment"), None),
}
"""`quarterdeck` are the variables that this installation keeps for environments and resources."""


def check(provider_type: str, config: Mapping[str, Any], credential: str | None) -> dict[str, Any]:
    """The configuration as it is kept. Raises `Invalid` (`provider_unknown`, `connection_malformed`), which names the
    word and no value.
    """
    form = FORMS.get(provider_type)
    if form is None:
        raise Invalid(
            f"There is no provider {provider_type[:40]!r}.",
            code="provider_unknown",
            hint=f"One of {', '.join(FORMS)}.",
            field="provider_type",
        )
    known = {*form.required, *form.optional, *(() if provider_type in WITHIN else (SERVER_ALLOWED,))}
    for word in config:
        if word == SERVER_ALLOWED and word in known:
            continue
        if CREDENTIALS.search(word):
            raise _wrong(f"config.{word[:40]}", "looks like a credential, which goes into `credential`")
        if word not in known:
            raise _wrong(f"config.{word[:40]}", f"is unknown to {provider_type}; it knows {', '.join(sorted(known))}")
    for word in form.required:
        if not config.get(word):
            raise _wrong(f"config.{word}", "is missing")
    if credential and form.credential is None:
        raise _wrong("credential", f"is not used by {provider_type}")
    return {word: _checked(word, value) for word, value in config.items() if value not in (None, "")}


def _checked(word: str, value: Any) -> Any:
    if word == SERVER_ALLOWED:
        if not isinstance(value, bool):
            raise _wrong(f"config.{word}", "is neither true nor false")
        return value
    if not isinstance(value, str):
        raise _wrong(f"config.{word}", "is not a text")
    if word == "ca_pem":
        if not value.strip().startswith(PEM) or len(value) > 100_000:
            raise _wrong("config.ca_pem", "is not a certificate in PEM form")
        return value.strip()
    text = one_line(value, f"config.{word}", LONGEST)
    if word in {"address", "endpoint"}:
        return _address(word, text)
    if word != "role_arn" and (not NAME.fullmatch(text) or ".." in text):
        raise _wrong(f"config.{word}", "has other characters than letters, digits, '.', '_', '-' and '/'")
    return text


def _address(word: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"https", "http"} or not host or parts.username is not None or parts.query or parts.fragment:
        raise _wrong(f"config.{word}", "is not an address such as https://vault.example.com")
    if parts.scheme == "http" and host not in {"localhost", "127.0.0.1", "::1"}:
        raise _wrong(f"config.{word}", "would send secrets in the clear; it has to begin with https://")
    return text.rstrip("/")


def _wrong(field: str, what: str) -> Invalid:
    return Invalid(f"{field} {what}.", code="connection_malformed", hint="See the guide to connections.", field=field)
