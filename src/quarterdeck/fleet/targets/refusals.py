"""What can be in the way of an SSH connection, each with what to do about it."""

from __future__ import annotations

import shlex

from quarterdeck.fleet.targets.login import HostKeyPin, Login
from quarterdeck.kernel.errors import Conflict, Problem, ProviderFailure, Unavailable


def unreachable(login: Login, why: str) -> Unavailable:
    return Unavailable(
        f"Nothing answers at {login.host} on port {login.port}: {why}.",
        code="ssh_unreachable",
        hint="Check that the machine is on, its address and SSH port, and the firewalls between it and this machine.",
        phase="tcp",
    )


def no_handshake(login: Login, why: str) -> ProviderFailure:
    return ProviderFailure(
        f"What listens at {login.host} on port {login.port} does not speak SSH with us: {why}.",
        code="ssh_handshake_failed",
        hint="Check that this is the port of an OpenSSH server 7.4 or newer, and that it lets this address in.",
        phase="ssh-handshake",
    )


def host_key_changed(login: Login, seen: HostKeyPin) -> Conflict:
    expected = login.pin.fingerprint if login.pin else "none"
    return Conflict(
        f"{login.host} shows another host key than before: {seen.fingerprint} "
        f"({seen.algorithm}) instead of {expected}.",
        code="ssh_host_key_changed",
        hint="Somebody may be in between. If the machine was set up anew, compare on its own screen (ssh-keygen -lf "
        f"/etc/ssh/ssh_host_ed25519_key.pub), then: qd server trust {login.argument} {seen.fingerprint}",
        phase="host-key",
        expectedFingerprint=expected,
        shownFingerprint=seen.fingerprint,
    )


def not_let_in(login: Login) -> ProviderFailure:
    return ProviderFailure(
        f"{login.host} does not let {login.username} in with this key.",
        code="ssh_authentication_failed",
        hint=f"Add the public key to ~{login.username}/.ssh/authorized_keys there, or correct the user name.",
        phase="authentication",
    )


def no_agent(why: str) -> Conflict:
    return Conflict(
        f"The SSH agent of this machine cannot be used: {why}.",
        code="ssh_agent_unavailable",
        hint="Start the control plane with SSH_AUTH_SOCK set and a key in the agent, or store a key for this purpose.",
        phase="authentication",
    )


def unusable_key(login: Login) -> Conflict:
    named = login.credential is not None
    return Conflict(
        f"The stored private key {login.credential} cannot be used for SSH."
        if named
        else f"The private key that was given for {login.host} cannot be used for SSH.",
        code="ssh_key_unusable",
        hint=f"Make a new one and replace it: qd credential rotate {shlex.quote(login.credential or '')} --generate"
        if named
        else "Give another one, or store a new one: qd credential add --help",
        phase="authentication",
    )


def cut(login: Login) -> Unavailable:
    return Unavailable(
        f"The connection to {login.host} was cut.",
        code="ssh_connection_lost",
        hint="Try again; if it keeps happening, look at the network between here and there.",
    )


def too_much(login: Login) -> ProviderFailure:
    return ProviderFailure(
        f"A command on {login.host} answers more than we take.",
        code="ssh_answer_too_large",
        hint="Look at what that machine runs in the place of standard programs.",
    )


def no_session(login: Login, why: str) -> Problem:
    return ProviderFailure(
        f"{login.host} runs no command for {login.username}: {why}.",
        code="ssh_command_refused",
        hint="Give the account a shell, and no forced command in its authorized_keys.",
    )


def no_files(login: Login) -> Problem:
    return ProviderFailure(
        f"{login.host} takes no files from {login.username}: it offers no SFTP.",
        code="ssh_sftp_unavailable",
        hint="Write `Subsystem sftp internal-sftp` into /etc/ssh/sshd_config there, and load it: systemctl reload ssh",
        command="systemctl reload ssh",
    )


def runs_control_plane(login: Login) -> Conflict:
    return Conflict(
        f"{login.host} runs a control plane itself, from the directory that {login.username} would use there.",
        code="server_in_use",
        hint="Sign in to it as another account, or move that control plane to another data directory "
        "(--data-dir). If it is this one, use the server that it is itself (local-shell).",
    )
