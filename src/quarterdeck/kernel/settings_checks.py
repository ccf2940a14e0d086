"""What a setting has to be beyond its type. A refusal is a `ValueError` and repeats nothing that may be a secret."""

from __future__ import annotations

import ipaddress
import os
import re
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


def token_file(value: Any) -> Any:
    """A token as it is, or `@FILE`, which is read again whenever it is used; it has to be there now."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    if not in_file(value):
        raise ValueError("the file holds no token")
    return f"@{absolute(Path(value[1:]))}"


def secret_server(url: str) -> str:
    """Data keys and a token go there: in the clear to this machine alone."""
    found = _split(url)
    clear = found.scheme == "http" and (found.hostname == "localhost" or _is_loopback(found.hostname or ""))
    if not (found.scheme == "https" or clear) or not found.hostname or "@" in found.netloc or found.path.strip("/"):
        raise ValueError("must be an https:// address without a path, such as https://vault.example.com:8200")
    return f"{found.scheme}://{found.netloc}"


def kms_endpoint(url: str) -> str:
    found = _split(url)
    clear = found.scheme == "http" and (found.hostname == "localhost" or _is_loopback(found.hostname or ""))
    if not (found.scheme == "https" or clear) or not found.hostname or "@" in found.netloc:
        raise ValueError("must be an https:// address, such as https://vpce-1.kms.eu-central-1.vpce.amazonaws.com")
    return url


def mount(text: str) -> str:
    if not all(_NAME.fullmatch(part) for part in text.strip("/").split("/")):
        raise ValueError("must be the path of a Transit engine, such as transit")
    return text.strip("/")


def key_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be the name of a key of letters, digits, dots, dashes and underscores")
    return text


def namespace(text: str) -> str:
    if not all(_NAME.fullmatch(part) for part in text.strip("/").split("/")):
        raise ValueError("must be a namespace, such as teams/platform")
    return text.strip("/")


def kms_key(text: str) -> str:
    if not _KMS_KEY.fullmatch(text):
        raise ValueError("must be the id, the ARN or the alias (alias/…) of a KMS key")
    return text


def kms_region(text: str) -> str:
    if not _REGION.fullmatch(text):
        raise ValueError("must be a region of AWS, such as eu-central-1")
    return text


def region_of(kms_key: str) -> str | None:
    """The region in the ARN of a key; None of an id or an alias."""
    return kms_key.split(":")[3] if kms_key.startswith("arn:") else None


_NAME = re.compile(r"[A-Za-z0-9_-][\w.-]{0,63}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]{2,12}){1,3}-\d", re.ASCII)
_KMS_KEY = re.compile(
    r"(arn:aws[\w-]{0,16}:kms:[a-z0-9-]{1,30}:\d{12}:)?(key/|alias/)?[A-Za-z0-9][\w/-]{0,255}", re.ASCII
)

AS_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "database_url": database,
    "trusted_proxy": parts,
    "sites": tables,
    "source_roots": parts,
    "smtp_password": in_file,
    "release_secret": in_file,
    "artefacts_access_key": in_file,
    "artefacts_secret_key": in_file,
    "transit_token": token_file,
    "aws_kms_access_key": in_file,
    "aws_kms_secret_key": in_file,
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
    "transit_address": secret_server,
    "transit_mount": mount,
    "transit_key": key_name,
    "transit_namespace": namespace,
    "transit_ca": pem,
    "aws_kms_key": kms_key,
    "aws_kms_region": kms_region,
    "aws_kms_endpoint": kms_endpoint,
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


def _transit(settings: Settings) -> None:
    if (settings.transit_address is None) != (settings.transit_token is None):
        raise ValueError("transit_address and transit_token belong together: give both or neither")
    if settings.key_backend == "transit" and settings.transit_address is None:
        raise ValueError("key_backend transit needs transit_address and transit_token")
    if len(settings.transit_mount) + len(settings.transit_key) > LONGEST_TRANSIT_KEY:
        raise ValueError(f"transit_mount and transit_key together have at most {LONGEST_TRANSIT_KEY} characters")


def _aws_kms(settings: Settings) -> None:
    if settings.key_backend == "aws-kms" and settings.aws_kms_key is None:
        raise ValueError("key_backend aws-kms needs aws_kms_key")
    if (settings.aws_kms_access_key is None) != (settings.aws_kms_secret_key is None):
        raise ValueError("aws_kms_access_key and aws_kms_secret_key belong together: give both or neither")
    named = (settings.aws_kms_region, settings.aws_kms_endpoint, settings.aws_kms_access_key)
    if settings.aws_kms_key is None and any(one is not None for one in named):
        raise ValueError("aws_kms_… says how the key is reached that aws_kms_key names: name it")
    if settings.aws_kms_key is not None and settings.aws_kms_region is None and region_of(settings.aws_kms_key) is None:
        raise ValueError("aws_kms_region is needed where aws_kms_key is no ARN")


LONGEST_TRANSIT_KEY = 50
"""With its version it is the id of a master key, which has a bounded place beside each data key."""

TOGETHER: tuple[tuple[frozenset[str], Callable[[Settings], None]], ...] = (
    (frozenset({"smtp_host", "smtp_sender"}), _mail_server),
    (frozenset({"smtp_username", "smtp_password"}), _mail_account),
    (
        frozenset(
            {"artefacts", "artefacts_endpoint", "artefacts_region", "artefacts_access_key", "artefacts_secret_key"}
        ),
        _object_store,
    ),
    (frozenset({"key_backend", "transit_address", "transit_token", "transit_mount", "transit_key"}), _transit),
    (
        frozenset(
            {
                "key_backend",
                "aws_kms_key",
                "aws_kms_region",
                "aws_kms_endpoint",
                "aws_kms_access_key",
                "aws_kms_secret_key",
            }
        ),
        _aws_kms,
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


def _is_loopback(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_loopback
