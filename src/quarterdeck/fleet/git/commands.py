"""Git commands as values: arguments without secrets, and an environment that lets nothing else in."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.fleet.git.locators import Address
from quarterdeck.kernel.vault import Secret

# What the host's administrator says about the way out; everything else of the environment stays behind.
PASSED_ON = (
    "PATH", "http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH",
)  # fmt: skip

Environment = Mapping[str, str | Secret[str]]
QUIET = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.autocrlf", "false"),
    ("credential.helper", ""),
    ("submodule.recurse", "false"),
    # Objects go to a file as they come, so that their size is seen before all of them have come.
    ("fetch.unpackLimit", "1"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("advice.detachedHead", "false"),
)
"""What git may not do by itself, wherever it runs."""


@dataclass(frozen=True, eq=False)
class GitToken:
    """A password or access token for http(s); most forges take any user name beside a token."""

    token: Secret[str]
    username: str = "x-access-token"


@dataclass(frozen=True, eq=False)
class Command:
    """One run of git. `directory` is where; None is anywhere."""

    argv: tuple[str, ...]
    environment: Environment = field(default_factory=dict, repr=False)
    directory: str | None = None


@dataclass(frozen=True)
class Ssh:
    """`key` is a private key file, `known_hosts` a file of ours; a host already in it must show the same key."""

    known_hosts: Path
    key: Path | None = None
    host_is_known: bool = False
    connect_seconds: int = 30


def ssh_command(ssh: Ssh) -> str:
    options = [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "PasswordAuthentication=no",
        "KbdInteractiveAuthentication=no",
        f"StrictHostKeyChecking={'yes' if ssh.host_is_known else 'accept-new'}",
        f'UserKnownHostsFile="{ssh.known_hosts}"',
        "GlobalKnownHostsFile=/dev/null",
        "HashKnownHosts=no",
        "UpdateHostKeys=no",
        "ForwardAgent=no",
        "ClearAllForwardings=yes",
        f"ConnectTimeout={ssh.connect_seconds}",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=2",
        f'IdentityFile="{ssh.key}"' if ssh.key else "IdentityFile=none",
    ]
    words = ["ssh", "-F", "/dev/null"]
    for option in options:
        words += ["-o", option]
    return shlex.join(words)


def settings(address: Address, token: GitToken | None, stall_seconds: int) -> list[tuple[str, str | Secret[str]]]:
    """Git's configuration for one address, as (key, value)."""
    pairs: list[tuple[str, str | Secret[str]]] = [
        ("protocol.allow", "never"),
        ("protocol.ext.allow", "never"),
        (f"protocol.{address.protocol}.allow", "always"),
        *QUIET,
    ]
    if address.protocol in {"http", "https"}:
        # With credentials no redirect is followed: git would hand the header to whatever it is sent to.
        pairs += [
            ("http.followRedirects", "false" if token else "initial"),
            ("http.lowSpeedLimit", "1"),
            ("http.lowSpeedTime", str(stall_seconds)),
        ]
        if token:
            pair = f"{token.username}:{token.token.reveal()}".encode()
            header = Secret(f"Authorization: Basic {base64.b64encode(pair).decode()}")
            pairs.append((f"http.{origin_url(address)}.extraHeader", header))
    return pairs


def origin_url(address: Address) -> str:
    host = f"[{address.host}]" if address.host and ":" in address.host else address.host
    return f"{address.protocol}://{host}{f':{address.port}' if address.port else ''}/"


def environment(
    address: Address,
    home: Path,
    *,
    token: GitToken | None = None,
    ssh: Ssh | None = None,
    stall_seconds: int = 30,
    inherited: Mapping[str, str] | None = None,
) -> dict[str, str | Secret[str]]:
    """No system or user configuration, no prompts, no hooks, no large-file filters, one protocol."""
    values = _closed(home, address.protocol, inherited)
    if address.protocol == "file":
        # git asks a local repository's owner through the user's configuration only.
        values["GIT_CONFIG_GLOBAL"] = str(home / "gitconfig")
    if ssh:
        values["GIT_SSH_COMMAND"] = ssh_command(ssh)
    return values | configured(settings(address, token, stall_seconds))


def offline(home: Path, *, inherited: Mapping[str, str] | None = None) -> dict[str, str | Secret[str]]:
    """As `environment`, for commands that speak to no other repository: no protocol at all."""
    # An empty list would be taken for one that was not given.
    return _closed(home, "none", inherited) | configured([("protocol.allow", "never"), *QUIET])


def configured(pairs: Sequence[tuple[str, str | Secret[str]]]) -> dict[str, str | Secret[str]]:
    """Git's configuration as variables, which count more than any file."""
    values: dict[str, str | Secret[str]] = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (key, value) in enumerate(pairs):
        values[f"GIT_CONFIG_KEY_{number}"] = key
        values[f"GIT_CONFIG_VALUE_{number}"] = value
    return values


def _closed(home: Path, protocol: str, inherited: Mapping[str, str] | None) -> dict[str, str | Secret[str]]:
    values: dict[str, str | Secret[str]] = {
        name: value for name, value in (inherited or {}).items() if name in PASSED_ON
    }
    return values | {
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_ALLOW_PROTOCOL": protocol,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_SSH_VARIANT": "ssh",
        "GIT_SSH_COMMAND": "/bin/false",
    }
