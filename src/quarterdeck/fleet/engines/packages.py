"""How each distribution installs an engine from its own packages, and takes it away again: argv lists alone.

Distributions whose packages bring no engine under a name that is sure (on Red Hat Enterprise Linux and its kin `docker`
is Podman in disguise) are left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from quarterdeck.fleet.engines.values import System

PLACE = "/var/lib/quarterdeck"
MARK = f"{PLACE}/engine"
SERVICE = "docker"
GROUP = "docker"
SILENT = ("env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1")
APT = ("-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0")
"""apt waits so many seconds for another one, such as the nightly upgrade; it passes on what dpkg says."""
KEEPING = ("--force-confdef", "--force-confold")
"""A configuration file that somebody has written there stays as it is; else dpkg would ask, and there is nobody."""
# What is new is only known before the installation: a repeat after a cut adds to it.
NOTE = """umask 022; mkdir -p "$1" && chmod 711 "$1" &&
printf 'instance=%s\\nmanager=%s\\npackage=%s\\n' "$3" "$4" "$5" >>"$2" || exit 1
[ "$4" != apt ] || apt-get -s install "$5" | sed -n 's/^Inst \\([^ ]*\\) (.*/new=\\1/p' >>"$2"
"""


@dataclass(frozen=True, slots=True)
class Manager:
    """A package manager, and the package that it has of the engine."""

    name: Literal["apt", "dnf", "apk"]
    package: str

    @property
    def before(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What comes before the installation, with titles."""
        if self.name != "apt":
            return ()
        return (
            ("Finish what an interrupted installation has left", (*SILENT, "dpkg", *KEEPING, "--configure", "-a")),
            ("Renew the lists of packages", ("apt-get", "update")),
        )

    @property
    def install(self) -> tuple[str, ...]:
        """No package is removed for it: one that is in the way makes it fail."""
        if self.name == "apt":
            kept = [word for option in KEEPING for word in ("-o", f"Dpkg::Options::={option}")]
            return (*SILENT, "apt-get", "install", "-y", "--no-remove", *APT, *kept, self.package)
        if self.name == "dnf":
            return ("dnf", "install", "-y", self.package)
        return ("apk", "add", self.package)

    def note(self, instance: str) -> tuple[str, ...]:
        """Write down who installs what, and what will be new with it."""
        return ("sh", "-c", NOTE, "note", PLACE, MARK, instance, self.name, self.package)

    @property
    def installed(self) -> tuple[str, ...]:
        """Succeeds where the package is installed."""
        if self.name == "apt":
            look = "dpkg-query -W -f '${db:Status-Status}' \"$1\" | grep -qx installed"
            return ("sh", "-c", look, "look", self.package)
        return ("rpm", "-q", self.package) if self.name == "dnf" else ("apk", "info", "-e", self.package)

    @property
    def half(self) -> tuple[str, ...] | None:
        """Succeeds where the package is installed in part, as a power cut leaves it; None where nobody can tell."""
        if self.name != "apt":
            return None
        look = "dpkg-query -W -f '${db:Status-Status}' \"$1\" | grep -qx -e unpacked -e 'half-.*' -e 'triggers-.*'"
        return ("sh", "-c", look, "look", self.package)

    def remove(self, packages: Collection[str]) -> tuple[str, ...]:
        """Data and configuration stay."""
        if self.name == "apt":
            return (*SILENT, "apt-get", "remove", "-y", *APT, *sorted(packages))
        return ("dnf", "remove", "-y", *sorted(packages)) if self.name == "dnf" else ("apk", "del", *sorted(packages))

    @property
    def unneeded(self) -> tuple[str, ...] | None:
        """Prints what nothing needs any more; None where removing takes that along by itself."""
        return ("apt-get", "-s", "autoremove") if self.name == "apt" else None

    def leftover(self, said: str, new: Collection[str]) -> tuple[str, ...]:
        """Of what nothing needs any more, the packages that came with the engine."""
        return tuple(sorted(set(re.findall(r"^Remv (\S+) ", said, re.MULTILINE)) & set(new)))


def manager_of(system: System) -> Manager | None:
    """None for a distribution that a person has to look after."""
    names = {system.id, *system.like}
    if names & {"debian", "ubuntu"} and "apt-get" in system.programs:
        return Manager("apt", "docker.io")
    if system.id in {"fedora", "amzn"} and "dnf" in system.programs:
        return Manager("dnf", "moby-engine" if system.id == "fedora" else "docker")
    if system.id == "alpine" and "apk" in system.programs:
        return Manager("apk", "docker")
    return None


def named(name: str, package: str) -> Manager | None:
    """The manager that a mark names."""
    return Manager(name, package) if name in {"apt", "dnf", "apk"} else None  # type: ignore[arg-type]


def start(system: System) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Start the engine now and at every boot, with titles."""
    if system.init == "systemd":
        return (("Start it, now and at every boot", ("systemctl", "enable", "--now", SERVICE)),)
    if system.init == "openrc":
        return (
            ("Start it at every boot", ("rc-update", "add", SERVICE, "default")),
            ("Start it now", ("rc-service", SERVICE, "start")),
        )
    return (("Start it", ("service", SERVICE, "start")),) if system.init == "service" else ()


def end(system: System, manager: Manager) -> tuple[str, ...]:
    """Stop the engine and remove its package, in one command: not every package stops what it has started."""
    stop = {"systemd": f"systemctl stop {SERVICE}", "openrc": f"rc-service {SERVICE} stop"}
    words = stop.get(system.init, f"service {SERVICE} stop")
    return ("sh", "-c", f'{words}; exec "$@"', "end", *manager.remove([manager.package]))


def admit(system: System) -> tuple[str, ...]:
    """Let the account use the engine's socket, from its next session on."""
    if "usermod" in system.programs:
        return ("usermod", "-aG", GROUP, system.account)
    return ("addgroup", system.account, GROUP)
