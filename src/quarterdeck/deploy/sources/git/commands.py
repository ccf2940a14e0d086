"""The git commands of a fetch, whole: arguments without secrets, and an environment that lets nothing else in."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.deploy.sources.locators import Address
from quarterdeck.deploy.sources.spec import GitToken
from quarterdeck.kernel.vault import Secret

SOURCE = "refs/quarterdeck/source"
# What the host's administrator says about the way out; everything else of the environment stays behind.
PASSED_ON = (
    "PATH", "http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH",
)  # fmt: skip

Environment = Mapping[str, str | Secret[str]]


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
    values: dict[str, str | Secret[str]] = {
        name: value for name, value in (inherited or {}).items() if name in PASSED_ON
    }
    values |= {
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        # git asks a local repository's owner through the user's configuration only.
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig") if address.protocol == "file" else "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_ALLOW_PROTOCOL": address.protocol,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_SSH_VARIANT": "ssh",
        "GIT_SSH_COMMAND": ssh_command(ssh) if ssh else "/bin/false",
    }
    pairs = settings(address, token, stall_seconds)
    values["GIT_CONFIG_COUNT"] = str(len(pairs))
    for number, (key, value) in enumerate(pairs):
        values[f"GIT_CONFIG_KEY_{number}"] = key
        values[f"GIT_CONFIG_VALUE_{number}"] = value
    return values


def ask_commands(url: str, ref: str | None, env: Environment) -> list[Command]:
    """What the remote calls `ref`, or where its default branch stands."""
    names: tuple[str, ...]
    if ref is None:
        names = ("HEAD",)
    elif ref.startswith("refs/"):
        names = (ref, f"{ref}^{{}}")
    else:
        names = (f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/tags/{ref}^{{}}")
    return [Command(("git", "ls-remote", "--symref", "--", url, *names), env)]


def fetch_commands(url: str, git_directory: Path, wanted: str | None, env: Environment) -> list[Command]:
    """Fetch `wanted` (a full ref or a commit) without history, or everything when it is None."""
    store = f"--git-dir={git_directory}"
    fetch = ("git", store, "fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    if wanted is None:
        refspecs = ("+refs/heads/*:refs/quarterdeck/heads/*", "+refs/tags/*:refs/quarterdeck/tags/*")
        step = Command((*fetch, "--", url, *refspecs), env)
    else:
        step = Command((*fetch, "--depth=1", "--", url, f"+{wanted}:{SOURCE}"), env)
    return [Command(("git", "init", "--quiet", "--bare", "--template=", "--", str(git_directory)), env), step]


def resolve_command(git_directory: Path, revision: str, env: Environment) -> Command:
    arguments = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    return Command(("git", f"--git-dir={git_directory}", *arguments), env)


def describe_command(git_directory: Path, commit: str, env: Environment) -> Command:
    arguments = ("log", "-1", "--no-show-signature", "--format=%an <%ae>%x00%s", commit)
    return Command(("git", f"--git-dir={git_directory}", *arguments), env)


def list_command(git_directory: Path, commit: str, env: Environment) -> Command:
    return Command(("git", f"--git-dir={git_directory}", "ls-tree", "-r", "-l", "-z", "--full-tree", commit), env)


def modules_command(git_directory: Path, commit: str, env: Environment) -> Command:
    arguments = ("config", "--null", "--list", f"--blob={commit}:.gitmodules")
    return Command(("git", f"--git-dir={git_directory}", *arguments), env)


def checkout_command(git_directory: Path, tree: Path, commit: str, env: Environment) -> Command:
    arguments = ("checkout", "--quiet", "--force", "--detach", commit, "--")
    return Command(("git", f"--git-dir={git_directory}", f"--work-tree={tree}", *arguments), env, directory=str(tree))
