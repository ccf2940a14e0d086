"""What a setting has to be beyond its type. A refusal is a `ValueError` and repeats nothing that may be a secret."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from quarterdeck.kernel.amounts import portion, size
from quarterdeck.kernel.settings import Settings


def in_file(value: Any) -> Any:
    """What `@FILE` holds; anything else as it is."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).expanduser().read_text().strip()
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror})") from None
    except (ValueError, RuntimeError):
        raise ValueError("must be @FILE with the path of a file that holds text") from None


def database(value: Any) -> Any:
    value = in_file(value)
    if isinstance(value, str) and not value.startswith(("postgres://", "postgresql://")):
        raise ValueError("must be postgresql://user:password@host/database, or @FILE that holds it")
    return value


def parts(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def tables(value: Any) -> Any:
    """A variable holds tables as JSON. What is none stays a text, which the type refuses."""
    try:
        return msgspec.json.decode(value) if isinstance(value, str) else value
    except ValueError:
        return value


def absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise ValueError("must be a path below a home directory that there is") from None


def pem(path: Path) -> Path:
    path = absolute(path)
    if set(str(path)) & set("{}\n\0") or not os.access(path, os.R_OK) or not path.is_file():
        raise ValueError("must be a PEM file that can be read")
    return path


def acme_directory(url: str) -> str:
    if _split(url).scheme != "https":
        raise ValueError("must be the https:// address of an ACME directory")
    return url


def origin(url: str) -> str:
    found = _split(url)
    if found.scheme not in {"http", "https"} or not found.hostname or found.path.strip("/") or found.query:
        raise ValueError("must be an address without a path, such as https://deck.example.com")
    return f"{found.scheme}://{found.netloc}"


def full_paths(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    for path in paths:
        if not path.is_absolute() and not str(path).startswith("~"):
            raise ValueError(f"{path} is not the full path of a folder")
    return tuple(absolute(path) for path in paths)


def networks(given: tuple[str, ...]) -> tuple[str, ...]:
    for network in given:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            raise ValueError(f"{network} is neither an address nor a network such as 10.0.0.0/8") from None
    return given


def log_level(word: str) -> str:
    if word.lower() not in {"debug", "info", "warning", "error"}:
        raise ValueError("must be debug, info, warning or error")
    return word.lower()


def sender(text: str) -> str:
    if "@" not in parseaddr(text)[1]:
        raise ValueError("must be an address such as Quarterdeck <deck@example.com>")
    return text


def git_host(url: str) -> str:
    found = _split(url)
    if found.scheme not in {"http", "https"} or not found.hostname or found.query or found.username is not None:
        raise ValueError("must be an address such as https://git.example.com")
    return url.rstrip("/")


def bucket(url: str) -> str:
    found = _split(url)
    if found.scheme != "s3" or not found.netloc or found.query or found.fragment or "@" in found.netloc:
        raise ValueError("must be the bucket for saved plans, such as s3://bucket/prefix")
    return url


def object_store(url: str) -> str:
    found = _split(url)
    if found.scheme not in {"http", "https"} or not found.hostname or "@" in found.netloc:
        raise ValueError("must be the address of an object store, such as https://s3.example.com")
    return url


AS_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "database_url": database,
    "trusted_proxy": parts,
    "sites": tables,
    "source_roots": parts,
    "smtp_password": in_file,
    "release_secret": in_file,
    "artefacts_access_key": in_file,
    "artefacts_secret_key": in_file,
    "build_memory": size,
    "build_disk": size,
    "source_size": size,
    "runtime_memory": portion,
    "runtime_log_size": size,
}
"""What makes a value of what people write, before its type is asked for."""

ALONE: dict[str, Callable[[Any], Any]] = {
    "data_dir": absolute,
    "advertised_url": origin,
    "public_url": origin,
    "tls_certificate": pem,
    "tls_key": pem,
    "acme_directory": acme_directory,
    "trusted_proxy": networks,
    "source_roots": full_paths,
    "log_level": log_level,
    "smtp_sender": sender,
    "github_api": git_host,
    "gitlab_url": git_host,
    "bitbucket_api": git_host,
    "artefacts": bucket,
    "artefacts_endpoint": object_store,
}
"""What a value of the right type has to be, and how it is kept."""


def _mail_server(settings: Settings) -> None:
    if (settings.smtp_host is None) != (settings.smtp_sender is None):
        raise ValueError("smtp_host and smtp_sender belong together: give both or neither")


def _object_store(settings: Settings) -> None:
    if (settings.artefacts_access_key is None) != (settings.artefacts_secret_key is None):
        raise ValueError("artefacts_access_key and artefacts_secret_key belong together: give both or neither")
    named = (settings.artefacts_endpoint, settings.artefacts_region, settings.artefacts_access_key)
    if settings.artefacts is None and any(one is not None for one in named):
        raise ValueError("artefacts_… says how the bucket is reached that artefacts names: name it")


def _mail_account(settings: Settings) -> None:
    if (settings.smtp_username is None) != (settings.smtp_password is None):
        raise ValueError("smtp_username and smtp_password belong together: give both or neither")


def _certificate(settings: Settings) -> None:
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise ValueError("tls_certificate and tls_key belong together: give both or neither")


def _name_for_authorities(settings: Settings) -> None:
    found = urlsplit(settings.public_url or "")
    asked = settings.tls == "auto" and settings.tls_certificate is None and not settings.no_edge
    if asked and found.scheme == "https" and _is_address(found.hostname or ""):
        raise ValueError(
            "certificate authorities know names, not the address in public_url: "
            "use a name, tls_certificate with tls_key, or tls internal"
        )


def _several_need_postgresql(settings: Settings) -> None:
    if settings.beside and settings.database_url is None:
        raise ValueError("beside needs database_url: several servers share a PostgreSQL database")


def _agents_where_the_work_is(settings: Settings) -> None:
    if settings.beside and settings.agents:
        raise ValueError("beside and agents exclude each other: agents run where the server that works is")


TOGETHER: tuple[tuple[frozenset[str], Callable[[Settings], None]], ...] = (
    (frozenset({"smtp_host", "smtp_sender"}), _mail_server),
    (frozenset({"smtp_username", "smtp_password"}), _mail_account),
    (
        frozenset(
            {"artefacts", "artefacts_endpoint", "artefacts_region", "artefacts_access_key", "artefacts_secret_key"}
        ),
        _object_store,
    ),
    (frozenset({"tls_certificate", "tls_key"}), _certificate),
    (frozenset({"public_url", "tls", "tls_certificate", "no_edge"}), _name_for_authorities),
    (frozenset({"beside", "database_url"}), _several_need_postgresql),
    (frozenset({"beside", "agents"}), _agents_where_the_work_is),
)
"""What settings have to be beside others: whom a check looks at, and the check."""


def _split(url: str) -> SplitResult:
    """The parts of an address; of none of them where it is no address, or its port no port."""
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        return urlsplit("")
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
