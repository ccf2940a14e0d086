"""Connections to a real OpenSSH server, and every way in which one is refused."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quarterdeck.fleet.targets.login import HostKeyPin, Login
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.errors import Conflict, Problem, ProviderFailure, Timeout, Unavailable
from quarterdeck.kernel.vault import Secret
from real.sshd import Sshd, new_key

pytestmark = pytest.mark.sshd


async def test_commands_arrive_word_by_word_and_answer_with_their_status(login: Login) -> None:
    async with await SshHost.connect(login) as host:
        words = ["a b", "$HOME", "`id`", "it's", "", "ü", "-n", "x;y", "*"]
        done = await host.run(["printf", "%s\\n", *words])
        assert (done.status, done.text.split("\n")[:-1]) == (0, words)
        done = await host.run(["sh", "-c", "cat; echo no >&2; exit 3"], stdin=b"\x00\xffin")
        assert (done.status, done.stdout, done.stderr) == (3, b"\x00\xffin", b"no\n")
        assert (await host.run(["no-such-command"])).status == 127


async def test_a_command_that_does_not_end_is_given_up(login: Login) -> None:
    async with await SshHost.connect(login) as host:
        with pytest.raises(Timeout) as late:
            await host.run(["sleep", "30"], seconds=0.3)
        assert late.value.code == "command_timeout"
        assert (await host.run(["echo", "still here"])).text == "still here\n"


async def test_a_command_that_never_stops_answering_is_ended(login: Login) -> None:
    async with await SshHost.connect(login) as host:
        with pytest.raises(ProviderFailure) as much:
            await host.run(["cat", "/dev/zero"])
        assert much.value.code == "ssh_answer_too_large"
        assert (await host.run(["echo", "still here"])).text == "still here\n"


async def test_many_commands_share_one_connection(login: Login, server: Sshd) -> None:
    async with await SshHost.connect(login) as host:
        done = await asyncio.gather(*(host.run(["echo", str(number)]) for number in range(8)))
        assert [one.text.strip() for one in done] == [str(number) for number in range(8)]
    log = (server.directory / "log").read_text()
    assert log.count("Accepted publickey") == 1


async def test_the_host_key_is_shown_and_the_pinned_one_expected(login: Login, server: Sshd) -> None:
    async with await SshHost.connect(login) as host:
        shown = host.host_key
    assert (shown.fingerprint, shown.algorithm) == (server.fingerprint, "ssh-ed25519")
    async with await SshHost.connect(replace(login, pin=shown)) as host:
        assert host.host_key == shown


@pytest.mark.parametrize("kind", [("-t", "ed25519"), ("-t", "ecdsa"), ("-t", "rsa", "-b", "2048")])
async def test_another_host_key_is_refused_with_both_fingerprints(login: Login, server: Sshd, kind) -> None:
    """Also one of another kind, which a client that asks for the pinned kind alone would never get to see."""
    before = server.fingerprint
    expected = replace(login, pin=HostKeyPin(before, "ssh-ed25519"))
    server.renew_host_key(*kind)
    with pytest.raises(Conflict) as changed:
        await SshHost.connect(expected)
    assert changed.value.code == "ssh_host_key_changed"
    assert before in changed.value.message
    assert "qd server trust" in (changed.value.hint or "")
    assert changed.value.details["shownFingerprint"] == server.fingerprint
    # Whoever has compared expects the new one, of whatever kind it is.
    async with await SshHost.connect(replace(login, pin=HostKeyPin(server.fingerprint))) as host:
        assert host.host_key.fingerprint == server.fingerprint


async def test_a_server_with_several_host_keys_is_the_same_server(login: Login, server: Sshd) -> None:
    """Whatever was pinned first, later additions do not make it a stranger."""
    server.renew_host_key("-t", "ecdsa")
    async with await SshHost.connect(login) as host:
        pinned = host.host_key
    new_key(server.directory / "second")
    server.stop()
    server.settings = [f"HostKey {server.directory}/second"]
    server.start()
    async with await SshHost.connect(replace(login, pin=pinned)) as host:
        assert host.host_key == pinned


async def test_a_wrong_key_and_a_wrong_name_are_told_apart_from_silence(login: Login, server: Sshd, tmp_path) -> None:
    new_key(tmp_path / "other")
    wrong = replace(login, key=Secret((tmp_path / "other").read_text()))
    for refused in (wrong, replace(login, username="nobody-there")):
        with pytest.raises(ProviderFailure) as denied:
            await SshHost.connect(refused)
        assert denied.value.code == "ssh_authentication_failed"
        assert "authorized_keys" in (denied.value.hint or "")
    server.stop()
    with pytest.raises(Unavailable) as silent:
        await SshHost.connect(login)
    assert (silent.value.code, silent.value.details["phase"]) == ("ssh_unreachable", "tcp")


async def test_a_name_that_nobody_knows_is_unreachable(login: Login) -> None:
    for host in ("no-such-host.invalid", "a..b"):
        with pytest.raises(Unavailable) as unknown:
            await SshHost.connect(replace(login, host=host))
        assert unknown.value.code == "ssh_unreachable"


async def test_something_that_is_no_ssh_server_is_named_so(login: Login) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    other = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(ProviderFailure) as foreign:
            await SshHost.connect(replace(login, port=port))
    assert foreign.value.code == "ssh_handshake_failed"


async def test_a_listener_that_says_nothing_is_given_up(login: Login, monkeypatch) -> None:
    monkeypatch.setattr("quarterdeck.fleet.targets.ssh.SIGN_IN_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ProviderFailure) as given_up:
        await SshHost.connect(replace(login, port=silent.getsockname()[1]))
    assert given_up.value.code == "ssh_handshake_failed"


async def test_a_cut_connection_is_a_problem_and_not_a_result(login: Login, server: Sshd) -> None:
    async with await SshHost.connect(login) as host:
        running = asyncio.create_task(host.run(["sleep", "20"]))
        await asyncio.sleep(0.3)
        server.cut()
        with pytest.raises(Problem) as lost:
            await running
        assert lost.value.code == "ssh_connection_lost"
        with pytest.raises(Problem) as gone:
            await host.run(["true"])
        assert gone.value.code == "ssh_connection_lost"
        assert host.closed


async def test_an_account_without_commands_is_named_so(keys, login: Login, server: Sshd) -> None:
    server.authorize(f'restrict,command="echo only this" {keys[1]}')
    async with await SshHost.connect(login) as host:
        assert (await host.run(["true"])).text == "only this\n"
    server.stop()
    server.settings = ["MaxSessions 0"]
    server.start()
    async with await SshHost.connect(login) as host:
        with pytest.raises(ProviderFailure) as refused:
            await host.run(["true"])
        assert refused.value.code == "ssh_command_refused"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An SSH agent that holds nothing yet, named by the environment."""
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        while not path.exists():
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        yield
    finally:
        process.terminate()
        process.wait(10)


def add_to_agent(key: str) -> None:
    subprocess.run(["ssh-add", "-q", "-"], input=key, text=True, check=True)


@pytest.mark.usefixtures("agent")
async def test_the_agent_is_used_only_when_it_is_asked_for(keys, login: Login, tmp_path, monkeypatch) -> None:
    asked = replace(login, key=None)
    with pytest.raises(Conflict, match="holds no key"):
        await SshHost.connect(asked)
    add_to_agent(keys[0])
    async with await SshHost.connect(asked) as host:
        assert (await host.run(["true"])).status == 0
    # A login with a key of its own does not fall back to the agent's.
    new_key(tmp_path / "other")
    with pytest.raises(ProviderFailure):
        await SshHost.connect(replace(login, key=Secret((tmp_path / "other").read_text())))
    for gone in ("SSH_AUTH_SOCK", None):
        if gone:
            monkeypatch.delenv(gone)
        else:
            monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "none"))
        with pytest.raises(Conflict) as missing:
            await SshHost.connect(asked)
        assert missing.value.code == "ssh_agent_unavailable"


async def test_nothing_of_the_users_own_ssh_directory_is_read(login: Login, keys, tmp_path, monkeypatch) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text(keys[0])
    (home / ".ssh" / "id_ed25519").chmod(0o600)
    (home / ".ssh" / "config").write_text("Host *\n  Port 1\n  User nobody\n  ProxyCommand false\n")
    monkeypatch.setenv("HOME", str(home))
    async with await SshHost.connect(login) as host:
        assert (await host.run(["true"])).status == 0
    new_key(tmp_path / "other")
    with pytest.raises(ProviderFailure):
        await SshHost.connect(replace(login, key=Secret((tmp_path / "other").read_text())))


def test_asyncssh_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, quarterdeck.app as app, quarterdeck.cli.main; app.handlers(); print('asyncssh' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
