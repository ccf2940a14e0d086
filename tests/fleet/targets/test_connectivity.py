"""What the checks say of machines that are well and of machines that are not."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from quarterdeck.fleet.docker.address import EngineAddress
from quarterdeck.fleet.docker.dialing import LocalDialer
from quarterdeck.fleet.targets import connectivity
from quarterdeck.fleet.targets.connectivity import Check, Examined
from quarterdeck.fleet.targets.edge_host import SOCKETS
from quarterdeck.fleet.targets.host import Ran
from quarterdeck.fleet.targets.login import Login
from quarterdeck.kernel.clock import HeldClock, SystemClock
from quarterdeck.kernel.vault import Secret
from real.sshd import Sshd

pytestmark = pytest.mark.sshd


def named(found: Examined, name: str) -> Check:
    return next(check for check in found.checks if check.name == name)


class Scripted:
    """A machine that answers commands as it is told."""

    def __init__(self, answers: dict[str, tuple[int, str]]) -> None:
        self.dialer = LocalDialer()
        self._answers = answers

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 20) -> Ran:
        status, text = self._answers.get(" ".join(argv), (1, ""))
        return Ran(status, text.encode(), b"")


WELL = {
    "id -u": (0, "1000\n"),
    "id -un": (0, "ada\n"),
    "sudo -n true": (0, ""),
    "uname -sm": (0, "Linux aarch64\n"),
    "date +%s": (0, "1767225600\n"),
    "df -Pk /var/lib": (
        0,
        "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 9000000 1 8000000 1% /\n",
    ),
}


async def look(name: str, **other: tuple[int, str]) -> connectivity.Check:
    """One check of a machine that is well but for `other`, at the hour that it tells."""
    words = {key.replace("__", " "): value for key, value in other.items()}
    host = Scripted({**WELL, **words})
    checks = await connectivity._machine(host, HeldClock(), None)
    return next(check for check in checks if check.name == name)


async def test_a_machine_that_is_well_passes() -> None:
    for name in ("sudo", "architecture", "clock", "disk"):
        assert (await look(name)).status == "passed", name


@pytest.mark.parametrize(
    ("name", "command", "answer", "code", "instruction"),
    [
        ("sudo", "sudo -n true", (1, ""), "sudo_unavailable", "ada ALL=(ALL) NOPASSWD:ALL"),
        ("sudo", "sudo -n true", (1, ""), "sudo_unavailable", "there is no sudo"),
        ("sudo", "sudo -n true", (1, ""), "sudo_unavailable", "apt-get install sudo && echo"),
        ("architecture", "uname -sm", (0, "Linux riscv64\n"), "architecture_unsupported", "x86-64"),
        ("architecture", "uname -sm", (0, "Darwin arm64\n"), "architecture_unsupported", "Linux"),
        ("clock", "date +%s", (0, "1767225700\n"), "clock_skew", "timedatectl"),
        ("clock", "date +%s", (0, "1767225500\n"), "clock_skew", "99 seconds off"),
        ("clock", "date +%s", (0, "noon\n"), "clock_unreadable", "does not tell"),
        ("disk", "df -Pk /var/lib", (0, "F B U A C M\n/dev/a 9000000 1 1000000 1% /\n"), "disk_full", "2 GiB"),
        ("disk", "df -Pk /var/lib", (1, ""), "disk_unreadable", "does not tell"),
        ("docker-engine", "test -S x", (1, ""), "docker_unavailable", "Install Docker"),
        ("docker-engine", "sh -c PATH=$PATH:/usr/sbin:/sbin; command -v docker || command -v dockerd",
         (0, "/usr/bin/docker"), "docker_unavailable", "systemctl enable --now docker"),
        ("docker-engine", "printenv DOCKER_HOST", (0, "unix:///no/such.sock\n"), "docker_unavailable",
         f"sudo usermod -aG docker {pwd.getpwuid(os.geteuid()).pw_name} "),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_with_what_to_do(name, command, answer, code, instruction) -> None:
    host = Scripted({**WELL, command: answer})
    checks = await connectivity._machine(host, HeldClock(), None)
    found = next(check for check in checks if check.name == name)
    assert (found.status, found.facts["code"]) == ("failed", code)
    assert instruction in found.message


HOSTILE = ["\u00b2", "9" * 6000, "9" * 400, "9" * 18, "-1", "1e9", "\u0661\u0662", "\x00", "", ")" * 100_000]
"""What programs of a machine may say in the place of a number."""


@pytest.mark.parametrize("said", HOSTILE)
async def test_a_hostile_answer_is_a_failed_check_and_nothing_worse(said: str) -> None:
    row = f"F B U A C M\n/dev/a {said} {said} {said} {said} {said * 2000}"[:200_000]
    table = f"{said}\n{TABLE}\n0: 00000000:{said} 0 0A 0 0 0 0 0 0 1\n"
    answers = dict.fromkeys(("id -u", "id -un", "uname -sm", "date +%s"), (0, said))
    host = Scripted({**answers, "df -Pk /var/lib": (0, row), f"sh -c {SOCKETS}": (0, table)})
    checks = {check.name: check for check in await connectivity._machine(host, HeldClock(), None)}
    assert list(checks) == list(connectivity.MACHINE)
    assert {checks[name].status for name in ("architecture", "clock", "disk")} == {"failed"}
    for check in checks.values():
        assert "\x00" not in f"{check.message}{check.facts}"
        assert len(check.message) <= connectivity.LONGEST_MESSAGE
        assert all(len(value) <= connectivity.LONGEST_FACT for value in check.facts.values())


async def test_an_answer_that_nobody_thought_of_is_a_failed_check(monkeypatch) -> None:
    async def looked(host: object) -> connectivity.Outcome:
        raise OverflowError("int too large")

    monkeypatch.setattr(connectivity, "_disk", looked)
    found = await look("disk")
    assert (found.status, found.facts["code"]) == ("failed", "answer_unreadable")


TABLE = "sl local_address rem_address st tx rx tr tm retrnsmt uid timeout inode"


def listening(lowest: int, *ports: int) -> tuple[int, str]:
    """The kernel's tables of a machine where somebody listens on these ports."""
    rows = [f"{place}: 00000000:{port:04X} 00000000:0000 0A 0:0 00:0 0 0 0 {place}" for place, port in enumerate(ports)]
    return 0, "\n".join([str(lowest), TABLE, *rows]) + "\n"


@pytest.mark.parametrize(
    ("tables", "account", "status", "code", "words"),
    [
        (listening(80), "1000", "passed", None, "can listen on 80 and 443"),
        (listening(1024), "0", "passed", None, "can listen on 80 and 443"),
        (listening(1024), "1000", "passed", "edge_ports_taken", "ip_unprivileged_port_start=80"),
        (
            listening(80, 80),
            "1000",
            "passed",
            "edge_ports_taken",
            "Another program has 80. The edge would listen on 8080",
        ),
        (listening(80, 443, 8080), "1000", "passed", "edge_ports_taken", "would listen on 18000 and 18001"),
        (listening(80, 80, *range(18_000, 18_999), 8080), "1000", "failed", "edge_ports_taken", "No other ports"),
        ((1, ""), "1000", "failed", "edge_ports_unreadable", "does not tell"),
    ],
)
async def test_where_an_edge_could_listen_is_said_before_it_is_brought_up(tables, account, status, code, words) -> None:
    host = Scripted({**WELL, f"sh -c {SOCKETS}": tables, "id -u": (0, account)})
    checks = await connectivity._machine(host, HeldClock(), None)
    found = next(check for check in checks if check.name == "edge-ports")
    assert (found.status, found.facts.get("code")) == (status, code)
    assert words in found.message


@pytest.mark.parametrize("own", [(80, 443), (8080, 8443)])
async def test_the_ports_of_the_own_edge_are_not_taken(own: tuple[int, int]) -> None:
    host = Scripted({**WELL, f"sh -c {SOCKETS}": listening(80, 80, 443, *own)})
    checks = await connectivity._machine(host, HeldClock(), None, own)
    found = next(check for check in checks if check.name == "edge-ports")
    assert (found.message, found.facts) == (
        f"Its edge has {own[0]} and {own[1]}.",
        {"ports": f"{own[0]},{own[1]}"},
    )


@pytest.mark.parametrize(
    ("taken", "status", "words"),
    [
        ((80, 443), "passed", "The edge can listen on 8080 and 8443."),
        ((8443,), "failed", "Another program has 8443. The settings name 8080 and 8443 for the edge."),
    ],
)
async def test_ports_that_the_settings_name_are_those_that_are_looked_at(taken, status, words) -> None:
    host = Scripted({**WELL, f"sh -c {SOCKETS}": listening(80, *taken)})
    checks = await connectivity._machine(host, HeldClock(), None, named=(8080, 8443))
    found = next(check for check in checks if check.name == "edge-ports")
    assert (found.status, found.message.startswith(words)) == (status, True), found.message


async def test_what_one_command_mends_names_it_apart() -> None:
    sudo = {"sh -c command -v sudo": (0, "/usr/bin/sudo\n")}
    for name, command, answer, mends in (
        ("sudo", "sudo -n true", (1, ""), "echo 'ada ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/quarterdeck"),
        ("clock", "date +%s", (0, "1767225500\n"), "sudo timedatectl set-ntp true"),
        ("docker-engine", "test -S x", (1, ""), "sudo apt-get install docker.io"),
    ):
        checks = await connectivity._machine(Scripted({**WELL, **sudo, command: answer}), HeldClock(), None)
        assert next(check for check in checks if check.name == name).facts["command"].startswith(mends)


async def test_a_real_server_is_reached_and_the_stages_are_told_apart(login: Login, server: Sshd) -> None:
    found = await connectivity.examine(login, SystemClock())
    assert [check.name for check in found.checks] == [*connectivity.REACHING, *connectivity.MACHINE]
    assert {named(found, name).status for name in connectivity.REACHING} == {"passed"}
    assert named(found, "architecture").status == named(found, "clock").status == "passed"
    assert found.host_key is not None
    assert found.host_key.fingerprint == server.fingerprint
    server.authorize()
    kept_out = await connectivity.examine(login, SystemClock())
    assert (kept_out.status, kept_out.host_key) == ("unreachable", None)
    assert [named(kept_out, name).status for name in connectivity.REACHING] == ["passed", "passed", "passed", "failed"]
    assert {named(kept_out, name).status for name in connectivity.MACHINE} == {"skipped"}
    assert {named(kept_out, name).message for name in connectivity.MACHINE} == {"Not looked at: it has not let us in."}
    assert named(kept_out, "host-key").message == "No host key is expected of it yet."


async def test_a_server_without_sftp_is_named_as_one(login: Login, server: Sshd) -> None:
    """It runs commands, and nothing could be deployed to it."""
    assert named(await connectivity.examine(login, SystemClock()), "sftp").status == "passed"
    server.stop()
    server.sftp = False
    server.start()
    found = named(await connectivity.examine(login, SystemClock()), "sftp")
    assert (found.status, found.facts["code"]) == ("failed", "ssh_sftp_unavailable")
    assert "Subsystem sftp internal-sftp" in found.message


async def test_a_server_is_reached_by_an_ipv6_address(login: Login, server: Sshd) -> None:
    server.stop()
    server.settings = ["ListenAddress ::1"]
    server.start()
    by_it = replace(login, host="::1")
    found = await connectivity.examine(by_it, SystemClock())
    assert {named(found, name).status for name in connectivity.REACHING} == {"passed"}
    assert str(by_it) == f"{login.username}@[::1]:{login.port}"
    server.stop()
    gone = await connectivity.examine(by_it, SystemClock())
    assert named(gone, "tcp").message.startswith(f"Nothing answers at ::1 on port {login.port}: ")


async def test_a_key_that_ssh_does_not_know_is_said_before_anything_is_sent(login: Login) -> None:
    found = await connectivity.examine(replace(login, key=Secret("nonsense"), credential="deploy key"), SystemClock())
    assert [named(found, name).status for name in connectivity.REACHING] == ["skipped", "skipped", "skipped", "failed"]
    assert named(found, "authentication").facts["code"] == "ssh_key_unusable"
    assert "qd credential rotate 'deploy key' --generate" in named(found, "authentication").message
    given = await connectivity.examine(replace(login, key=Secret("nonsense")), SystemClock())
    assert "The private key that was given for" in named(given, "authentication").message


async def test_a_machine_without_an_engine_is_degraded_and_told_how_to_get_one(
    login: Login, server: Sshd, tmp_path: Path
) -> None:
    server.stop()
    server.settings = [f"SetEnv DOCKER_HOST=unix://{tmp_path}/none.sock"]
    server.start()
    found = await connectivity.examine(login, SystemClock())
    engine = named(found, "docker-engine")
    assert (found.status, engine.status, engine.facts["code"]) == ("degraded", "failed", "docker_unavailable")
    assert engine.facts["hint"]


async def test_this_machine_without_an_engine_runs_host_processes_and_that_is_said(tmp_path: Path) -> None:
    found = await connectivity.examine_local(SystemClock(), EngineAddress(str(tmp_path / "none.sock")))
    engine = named(found, "docker-engine")
    assert (engine.status, engine.facts["code"]) == ("failed", "docker_unavailable")
    assert "does not answer. Applications are deployed to this machine as host processes" in engine.message
    assert engine.message.endswith(f" {engine.facts['hint']}")


async def test_a_clock_that_is_off_is_measured_against_ours(login: Login) -> None:
    class Slow(SystemClock):
        def now(self):
            return super().now() - timedelta(seconds=90)

    found = await connectivity.examine(login, Slow())
    assert named(found, "clock").facts["code"] == "clock_skew"
    assert 88 < float(named(found, "clock").facts["skewSeconds"]) < 95


OLD_PONG = b"HTTP/1.1 200 OK\r\nApi-Version: 1.39\r\nOstype: linux\r\nContent-Length: 2\r\n\r\nOK"


async def test_a_server_whose_engine_is_too_old_is_degraded_and_told_to_upgrade(
    login: Login, server: Sshd, tmp_path: Path
) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
        writer.write(OLD_PONG)
        await writer.drain()
        writer.close()

    socket = tmp_path / "old.sock"
    server.stop()
    server.settings = [f"SetEnv DOCKER_HOST=unix://{socket}"]
    server.start()
    async with await asyncio.start_unix_server(answer, socket):
        found = await connectivity.examine(login, SystemClock())
    engine = named(found, "docker-engine")
    assert (found.status, engine.status, engine.facts["code"]) == ("degraded", "failed", "docker_too_old")
    assert "API 1.39; 1.40 or newer is needed" in engine.message
    assert engine.facts["hint"] == "Upgrade Docker on that host to 20.10 or newer."
    assert asked == [b"GET /_ping HTTP/1.1"]  # nothing else is asked of it
