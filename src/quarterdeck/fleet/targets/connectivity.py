"""Looking whether a machine can be deployed to: each thing that has to be so is one check with its own instruction.

Nothing is changed there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from quarterdeck.fleet.docker import system
from quarterdeck.fleet.docker.address import EngineAddress
from quarterdeck.fleet.edge.ports import HTTP_PORT, HTTPS_PORT
from quarterdeck.fleet.targets.edge_host import SOCKETS, RemoteSockets, lowest_port
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.facts import ARCHITECTURES, SHARED, place_of
from quarterdeck.fleet.targets.files import SshFiles
from quarterdeck.fleet.targets.host import Host, LocalHost
from quarterdeck.fleet.targets.login import HostKeyPin, Login
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.answers import KIBIBYTES, LAST_SECOND, whole
from quarterdeck.kernel.clock import Clock
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.text import shown

REACHING = ("tcp", "ssh-handshake", "host-key", "authentication")
MOST_SKEW_SECONDS = 30.0
LEAST_FREE_BYTES = 2 << 30
ALL_SECONDS = 12.0
LONGEST_MESSAGE, LONGEST_FACT = 1000, 500
LONGEST_VERSION = 100


@dataclass(frozen=True, slots=True)
class Check:
    """`status` is passed, failed or skipped; a failed one has its `code`, its instruction (`hint`) and, where one mends
    it, the `command` to run there in `facts`. A passed one with a code works, but not as it usually does.
    """

    name: str
    status: str
    message: str
    seconds: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examined:
    """`host_key` is what the machine showed to somebody whom it let in."""

    status: str
    checks: tuple[Check, ...]
    host_key: HostKeyPin | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    passed: bool
    message: str
    facts: dict[str, str] = field(default_factory=dict)


Look = Callable[[Host], Awaitable[Outcome]]
EdgePorts = tuple[int | None, int | None]
"""The ports for HTTP and HTTPS that an edge is told; 0 and None: none is named."""


async def examine_local(
    clock: Clock, engine: EngineAddress, *, edge: Collection[int] = (), named: EdgePorts = (None, None)
) -> Examined:
    """The machine that we run on: nothing has to be reached. `edge` are the ports that its edge has already, `named`
    those that the settings name for it.
    """
    reaching = [Check(name, "skipped", "This machine needs no connection.") for name in REACHING]
    return _judged([*reaching, *await _machine(LocalHost(), clock, engine, edge, named=named)], None)


async def examine(login: Login, clock: Clock, instance: str = "", *, edge: Collection[int] = ()) -> Examined:
    """A machine behind SSH, over a connection made for this purpose; `edge` as above. `instance` is the name of this
    installation: of others that work there with the same account is told.
    """
    began = clock.monotonic()
    try:
        host = await SshHost.connect(login)
    except Problem as problem:
        return _judged(_failed_reaching(login, problem, clock.monotonic() - began), None)
    async with host:
        shown = host.host_key
        facts = {"fingerprint": shown.fingerprint, "algorithm": shown.algorithm or ""}
        known = "It is the pinned one." if login.pin else "It was not known before."
        words = _passed(login)
        reached = [
            Check("tcp", "passed", words["tcp"], host.timings["tcp"]),
            Check("ssh-handshake", "passed", words["ssh-handshake"], host.timings["ssh-handshake"]),
            Check("host-key", "passed", f"The host key is {shown.fingerprint}. {known}", 0.0, facts),
            Check("authentication", "passed", f"{login.username} is let in.", 0.0, {"username": login.username}),
        ]
        return _judged([*reached, *await _machine(host, clock, None, edge, instance)], shown)


def without_credential(problem: Problem) -> Examined:
    """What can be said of a machine that nobody knows how to sign in to."""
    why = "nothing says how to sign in."
    failed = _problem_check("authentication", problem, 0.0)
    return _judged([*_unseen(REACHING[:3], why), failed, *_unseen(MACHINE, why)], None)


def engine_refused(found: Examined) -> Examined:
    """The same where somebody has said that no engine is to be used there: then none is missing."""
    if found.status == "unreachable":
        return found
    said = Check("docker-engine", "skipped", "No Docker engine is to be used there: applications are host processes.")
    return _judged([said if check.name == said.name else check for check in found.checks], found.host_key)


UNSEEN = {
    "tcp": "nothing answers there.",
    "ssh-handshake": "no SSH connection came about.",
    "host-key": "it shows another host key than the expected one, so nobody signed in.",
    "authentication": "it has not let us in.",
}
"""Why what comes after a failed stage was not looked at."""


def _failed_reaching(login: Login, problem: Problem, seconds: float) -> list[Check]:
    """Every check, in order: the stages before the one that failed have passed, what comes after it was not seen."""
    failed = str(problem.details.get("phase", "ssh-handshake"))
    failed = failed if failed in REACHING else "ssh-handshake"
    told = _problem_check(failed, problem, seconds)
    if problem.code in {"ssh_agent_unavailable", "ssh_key_unusable"}:  # found out before anything was sent
        why = "there is no key to sign in with."
        return [*_unseen(REACHING[:3], why), told, *_unseen(MACHINE, why)]
    place, words, why = REACHING.index(failed), _passed(login), UNSEEN[failed]
    passed = [Check(name, "passed", words[name]) for name in REACHING[:place]]
    return [*passed, told, *_unseen((*REACHING[place + 1 :], *MACHINE), why)]


def _passed(login: Login) -> dict[str, str]:
    """What is known of the stages before signing in, once that is reached."""
    return {
        "tcp": f"{login.host} answers on port {login.port}.",
        "ssh-handshake": "An SSH server answers.",
        "host-key": "It shows the pinned host key." if login.pin else "No host key is expected of it yet.",
    }


def _problem_check(name: str, problem: Problem, seconds: float) -> Check:
    facts = {"code": problem.code, "hint": problem.hint or ""}
    for wire in ("expectedFingerprint", "shownFingerprint", "command"):
        if problem.details.get(wire):
            facts[wire] = str(problem.details[wire])
    hint = f" {problem.hint}" if problem.hint else ""
    return Check(name, "failed", f"{problem.message}{hint}", seconds, facts)


def _unseen(names: Iterable[str], why: str) -> list[Check]:
    return [Check(name, "skipped", f"Not looked at: {why}") for name in names]


def _judged(checks: list[Check], host_key: HostKeyPin | None) -> Examined:
    failed = {check.name for check in checks if check.status == "failed"}
    status = "unreachable" if failed & set(REACHING) else "degraded" if failed else "healthy"
    return Examined(status, tuple(checks), host_key)


async def _machine(
    host: Host,
    clock: Clock,
    engine: EngineAddress | None,
    edge: Collection[int] = (),
    instance: str = "",
    *,
    named: EdgePorts = (None, None),
) -> list[Check]:
    async def others(there: Host) -> Outcome:
        return await _others(there, instance)

    async def docker(there: Host) -> Outcome:
        return await _docker(there, engine)

    async def time(there: Host) -> Outcome:
        return await _clock(there, clock)

    async def ports(there: Host) -> Outcome:
        return await _edge_ports(there, edge, named)

    looks: dict[str, Look] = {
        "sudo": _sudo, "sftp": _sftp, "architecture": _architecture, "docker-engine": docker, "clock": time,
        "disk": _disk, "edge-ports": ports, "other-installations": others,
    }  # fmt: skip

    async def check(name: str) -> Check:
        began = clock.monotonic()
        try:
            async with asyncio.timeout(ALL_SECONDS):
                outcome = await looks[name](host)
        except Problem as problem:
            return _told(_problem_check(name, problem, clock.monotonic() - began))
        except TimeoutError:
            slow = f"It took longer than {ALL_SECONDS:g} s. Look again when less is going on there."
            return Check(name, "failed", slow, clock.monotonic() - began, {"code": "timeout"})
        except (ValueError, ArithmeticError, LookupError):
            facts = {"code": "answer_unreadable", "hint": UNREADABLE}
            return Check(name, "failed", f"Its answer cannot be read. {UNREADABLE}", clock.monotonic() - began, facts)
        status = "passed" if outcome.passed else "failed"
        return _told(Check(name, status, outcome.message, clock.monotonic() - began, outcome.facts))

    return list(await asyncio.gather(*(check(name) for name in MACHINE)))


UNREADABLE = "Look at what that machine runs in the place of standard programs."


def _told(check: Check) -> Check:
    """With no more of the machine's own words than a page and a database can hold."""
    facts = {name: shown(value, LONGEST_FACT) for name, value in check.facts.items()}
    return replace(check, message=shown(check.message, LONGEST_MESSAGE), facts=facts)


MACHINE = ("sudo", "sftp", "architecture", "docker-engine", "clock", "disk", "edge-ports", "other-installations")


async def _sftp(host: Host) -> Outcome:
    """What is deployed is laid down as files. Raises what `files` would, where that is refused."""
    if not isinstance(host, SshHost):
        return Outcome(True, "Files are laid down on this machine itself.")
    files = SshFiles(host)
    try:
        await files.list(Path("/"))
    finally:
        await files.close()
    return Outcome(True, "Files are taken by SFTP.")


async def _sudo(host: Host) -> Outcome:
    """Nothing is refused for want of it: what is started there runs as the account that we sign in as."""
    if (await host.run(["id", "-u"])).text.strip() == "0":
        return Outcome(True, "The account is root.")
    name = (await host.run(["id", "-un"])).text.strip() or "the account"
    own = f"What we start there runs as {name}, and the edge on ports from 1024 on."
    if (await host.run(["sudo", "-n", "true"])).status == 0:
        return Outcome(True, f"The account may become root without a password. {own}")
    there = (await host.run(["sh", "-c", "command -v sudo"])).status == 0
    install = "" if there else "apt-get install sudo && "
    line = f"{name} ALL=(ALL) NOPASSWD:ALL"
    command = f"{install}echo '{line}' > /etc/sudoers.d/quarterdeck && chmod 440 /etc/sudoers.d/quarterdeck"
    hint = f"As root there: {command}"
    why = "sudo asks for a password" if there else "there is no sudo"
    return Outcome(
        False,
        f"{name} is not root and cannot become root without a password ({why}), so nothing can be installed there on "
        f"our behalf. {own} {hint}",
        {"code": "sudo_unavailable", "hint": hint, "command": command},
    )


async def _architecture(host: Host) -> Outcome:
    system_name, _, machine = (await host.run(["uname", "-sm"])).text.strip().partition(" ")
    known = ARCHITECTURES.get(machine)
    facts = {"system": system_name, "machine": machine}
    if system_name == "Linux" and known:
        return Outcome(True, f"Linux on {known}.", {**facts, "architecture": known})
    hint = "Use a machine with Linux on x86-64 or 64-bit ARM."
    return Outcome(
        False,
        f"{system_name or 'This system'} on {machine or 'this processor'} is not supported. {hint}",
        {**facts, "code": "architecture_unsupported", "hint": hint},
    )


async def _docker(host: Host, address: EngineAddress | None) -> Outcome:
    try:
        async with await open_engine(host, address) as engine:
            told = await system.version(engine)
    except Problem as problem:
        if not isinstance(host, LocalHost):
            raise
        without = "Applications are deployed to this machine as host processes; images and Dockerfiles want an engine."
        facts = {"code": problem.code, "hint": problem.hint or ""}
        if problem.details.get("command"):
            facts["command"] = str(problem.details["command"])
        return Outcome(False, f"{problem.message} {without} {problem.hint or ''}".strip(), facts)
    version = shown(told.version, LONGEST_VERSION)
    return Outcome(True, f"Docker {version} answers.", {"version": version, "apiVersion": told.api_version})


async def _clock(host: Host, clock: Clock) -> Outcome:
    before = clock.now().timestamp()
    told = whole((await host.run(["date", "+%s"])).text, LAST_SECOND)
    after = clock.now().timestamp()
    if told is None:
        return Outcome(False, "The machine does not tell its time.", {"code": "clock_unreadable"})
    # It told whole seconds at some moment between the two: only what lies outside of that is skew.
    skew = max(told - after, before - (told + 1), 0.0)
    facts = {"skewSeconds": f"{skew:.1f}"}
    if skew <= MOST_SKEW_SECONDS:
        return Outcome(True, "Its clock agrees with ours.", facts)
    command = "sudo timedatectl set-ntp true"
    hint = f"Switch time synchronisation on there: {command}"
    return Outcome(
        False,
        f"Its clock is {skew:.0f} seconds off; certificates and tokens would fail. {hint}",
        {**facts, "code": "clock_skew", "hint": hint, "command": command},
    )


async def _disk(host: Host) -> Outcome:
    table = (await host.run(["df", "-Pk", "/var/lib"])).text.splitlines()
    fields = table[-1].split() if table else []
    blocks = whole(fields[3], KIBIBYTES) if len(fields) >= 6 else None
    if blocks is None:
        return Outcome(False, "The machine does not tell its free disk space.", {"code": "disk_unreadable"})
    free, size = blocks * 1024, whole(fields[1], KIBIBYTES)
    facts = {"freeBytes": str(free), "mount": fields[5], **({"sizeBytes": str(size * 1024)} if size else {})}
    told = f"{free / (1 << 30):.1f} GiB are free on {fields[5]}."
    if free >= LEAST_FREE_BYTES:
        return Outcome(True, told, facts)
    hint = "Make room: images, logs and old packages take most. At least 2 GiB are needed."
    return Outcome(False, f"Only {told} {hint}", {**facts, "code": "disk_full", "hint": hint})


async def _others(host: Host, instance: str) -> Outcome:
    if isinstance(host, LocalHost):
        return Outcome(True, "This machine is the control plane's own.")
    there = await place_of(host)
    if there.control_plane:
        hint = "Sign in to it as another account, or move that control plane to another data directory (--data-dir)."
        return Outcome(
            False,
            f"A control plane runs on this machine, in the directory that this account would use. {hint}",
            {"code": "server_in_use", "hint": hint},
        )
    others = [name for name in there.installations if name != instance]
    facts = {"directory": there.root, "installations": ", ".join(others)}
    return Outcome(True, SHARED if others else "No other installation of Quarterdeck works with this account.", facts)


async def _edge_ports(host: Host, edge: Collection[int], named: EdgePorts) -> Outcome:
    """Where an edge could listen there: on the ports that it has already or that are named for it, and without such
    on 80 and 443, else on others, which work and stand in every address.
    """
    if edge:
        return Outcome(True, f"Its edge has {_and(edge)}.", {"ports": ",".join(map(str, edge))})
    told = (await host.run(["sh", "-c", SOCKETS])).text
    if not told.strip():
        return Outcome(False, "The machine does not tell which ports are taken.", {"code": "edge_ports_unreadable"})
    root = (await host.run(["id", "-u"])).text.strip() == "0"
    least = 1 if root else lowest_port(told)
    sockets = RemoteSockets(told, least)
    wanted = (named[0] or HTTP_PORT, named[1] or HTTPS_PORT)
    refused = [port for port in wanted if not sockets.can_listen(port, "")]
    if not refused:
        return Outcome(True, f"The edge can listen on {_and(wanted)}.", {"ports": ",".join(map(str, wanted))})
    spare = sockets.free(2, "")
    words = _and(refused)
    if refused[0] < least:
        command = (
            f"echo net.ipv4.ip_unprivileged_port_start={min(refused)} | sudo tee /etc/sysctl.d/60-quarterdeck.conf"
        )
        command, why = f"{command} && sudo sysctl --system", f"The account may not listen on {words}."
        hint = f"Let it: {command}"
    else:
        asked = " or ".join(f"sport = :{port}" for port in refused)
        command, why = f"sudo ss -ltnp '( {asked} )'", f"Another program has {words}."
        hint = f"See which one, and stop it there if the edge is to have them: {command}"
    facts = {"code": "edge_ports_taken", "hint": hint, "command": command}
    if {port for port in named if port} & set(refused):  # a port that is named is not left for another one
        return Outcome(False, f"{why} The settings name {_and(wanted)} for the edge. {hint}", facts)
    if len(spare) < 2:
        return Outcome(False, f"{why} No other ports are free for the edge either. {hint}", facts)
    facts["ports"] = ",".join(map(str, spare))
    return Outcome(True, f"{why} The edge would listen on {spare[0]} and {spare[1]}. {hint}", facts)


def _and(ports: Iterable[int]) -> str:
    return " and ".join(map(str, ports))
