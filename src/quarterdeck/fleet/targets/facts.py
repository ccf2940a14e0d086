"""What we have to know of a server behind SSH before we work there."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.fleet.targets.host import Host
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.answers import whole
from quarterdeck.kernel.datadir import KEPT_IN
from quarterdeck.kernel.errors import ProviderFailure
from quarterdeck.kernel.text import shown

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
NEEDED = ("flock", "setsid", "timeout", "tr", "cut", "sed", "stat", "head", "df", "tar")
WANTED = ("setpriv", "python3")
ROOTS_PLACE = Path("/var/lib/quarterdeck/runtime")
USERS_PLACE = ".local/share/quarterdeck/runtime"
PLACE = """
if [ "$(id -u)" = 0 ]; then root=$1; else root=$HOME/$2; fi
printf '%s\\n' "$root"
for file in "$3" "$4"; do [ -e "${root%/*}/$file" ] && echo "$3"; done
ls "$root/installations" 2>/dev/null; true
"""
CONTROL_PLANE = "master.key"
"""Its file, or the note of its database (`KEPT_IN`), tells of a control plane: a master key may lie elsewhere."""
MOST_UID = (1 << 32) - 1
LONGEST_NAME = 100
SHARED = (
    "Another installation of Quarterdeck works here with the same account. They share the edge, and each leaves alone "
    "what the other has."
)
LOOK = """
id -u; printf '%s\\n' "$HOME"; printf '%s\\n' "$PATH"; uname -m
for tool in "$@"; do found=$(command -v "$tool") && printf '%s=%s\\n' "$tool" "$found"; done; true
"""


@dataclass(frozen=True, slots=True)
class Room:
    """A disk of a machine: bytes that are free, of how many where that was told, and where it is mounted."""

    free: int
    size: int | None
    mount: str


@dataclass(frozen=True, slots=True)
class Machine:
    """`uid` is of the account that we sign in as, `path` where it looks for programs; `tools` are the paths of those
    that are there.
    """

    uid: int
    home: Path
    path: str
    machine: str
    tools: dict[str, str]

    @property
    def architecture(self) -> str | None:
        return ARCHITECTURES.get(self.machine)

    @property
    def root(self) -> Path:
        """The target directory: of the system for root, else the account's own."""
        return ROOTS_PLACE if self.uid == 0 else self.home / USERS_PLACE


async def look(host: SshHost) -> Machine:
    """Raises `ProviderFailure` (`remote_tool_missing`) that names what is to be installed there."""
    said = (await host.run(["sh", "-c", LOOK, "look", *NEEDED, *WANTED])).text.splitlines()
    uid = whole(said[0], MOST_UID) if len(said) >= 4 else None
    if uid is None or not said[1].startswith("/"):
        raise ProviderFailure(
            f"{host.login.host} does not tell what it is.",
            code="ssh_command_refused",
            hint="Give the account a POSIX shell and a home directory, and let that shell print nothing by itself.",
        )
    tools = dict(line.split("=", 1) for line in said[4:] if "=" in line)
    missing = [tool for tool in NEEDED if tool not in tools]
    if missing:
        raise ProviderFailure(
            f"{host.login.host} has no {', '.join(missing)}.",
            code="remote_tool_missing",
            hint="Install util-linux, coreutils, sed and tar there. On Debian and Ubuntu: "
            "sudo apt-get install util-linux coreutils sed tar",
        )
    return Machine(uid, Path(said[1]), said[2], shown(said[3], LONGEST_NAME), tools)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account of a machine keeps what we put there (see `Machine.root`), whether a control plane lives in the
    directory above, and which installations have worked there, by their own names. Without a `root` nobody tells.
    """

    root: str = ""
    control_plane: bool = False
    installations: tuple[str, ...] = ()


async def place_of(host: Host) -> Place:
    """Looks, and makes nothing."""
    words = (str(ROOTS_PLACE), USERS_PLACE, CONTROL_PLANE, KEPT_IN)
    root, *said = (await host.run(["sh", "-c", PLACE, "place", *words])).text.splitlines() or [""]
    return Place(root, CONTROL_PLANE in said, tuple(name for name in said if name != CONTROL_PLANE))


def own_architecture() -> str | None:
    """Of the machine that we run on, and so of the programs that we bring along."""
    return ARCHITECTURES.get(platform.machine())
