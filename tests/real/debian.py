"""A machine of its own with a file system of its own: Debian (or whatever debootstrap makes of this host's
distribution) with a real SSH server, apt, and a repository on its disk that has a Docker engine. None is installed.

with debian(7, authorized=[public_line]) as host: what `real.host.machine` has, host.tree, host.slow(seconds)
"""

from __future__ import annotations

import contextlib
import hashlib
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from real import base_images
from real.host import Machine, sh
from real.sshd import PROGRAM, new_key

THERE = "openssh-server sudo iproute2 procps"
PACKAGE = "docker.io"
REPOSITORY = "srv/apt"
USER = "ada"
SLOW = "etc/apt/apt.conf.d/90slow"


def tarball(cache: Path) -> Path:
    """The machine's file system when it is new, kept for the next run."""
    suite = base_images.suite_and_mirror()[0]
    made = cache / f"machine-{suite}-{base_images.configuration()}.tar"
    if made.exists():
        return made
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="machine-") as place:
        root, packed = Path(place) / "root", Path(place) / "packed.tar"
        root.mkdir(mode=0o755)
        base_images.run("tar", "-C", str(root), "-xf", str(base_images.base_tarball(cache)))
        base_images.copy_host_configuration(root)
        install = "apt-get install -y --no-install-recommends"
        base_images.inside(
            root, f"apt-get update; {install} {THERE}; useradd -m -s /bin/sh -p '*' {USER}; apt-get clean"
        )
        # What it recommends is not there, and apt does without.
        base_images.inside(root, f"{install} --download-only {PACKAGE}")
        repository = root / REPOSITORY
        repository.mkdir()
        for package in (root / "var/cache/apt/archives").glob("*.deb"):
            package.rename(repository / package.name)
        (repository / "Packages").write_text("\n".join(entry(file) for file in sorted(repository.glob("*.deb"))))
        for place_of_lists in (root / "etc/apt/sources.list.d", root / "var/lib/apt/lists"):
            shutil.rmtree(place_of_lists)
            place_of_lists.mkdir()
        (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:/{REPOSITORY} ./\n")
        # Who is root in a container may not raise every limit, as a machine of its own does.
        (root / "etc/default/docker").write_text('ulimit() { command ulimit "$@" || true; }\n')
        (root / "etc/dpkg/dpkg.cfg.d/quick").write_text("force-unsafe-io\n")
        (root / "usr/sbin/policy-rc.d").unlink()  # services are started as they are on a machine of its own
        base_images.run("tar", "-C", str(root), "--exclude=./dev/*", "-cf", str(packed), ".")
        packed.rename(made)
    return made


def entry(package: Path) -> str:
    """What an index of a repository says of a package."""
    fields = subprocess.run(["dpkg-deb", "-f", str(package)], check=True, capture_output=True, text=True).stdout
    content = package.read_bytes()
    return f"{fields}Filename: ./{package.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"


@dataclass
class Debian(Machine):
    @property
    def tree(self) -> Path:
        """Its file system, seen from here."""
        return self.place / "tree"

    @property
    def docker_host(self) -> str:
        """The engine that is installed there, past SSH and past its file system: for the eyes of tests."""
        return f"unix:///proc/{self._first()}/root/run/docker.sock"

    @property
    def root(self) -> Path:
        home = self.tree / "var/lib" if self.username == "root" else self.tree / f"home/{self.username}/.local/share"
        return home / "quarterdeck" / "runtime"

    def slow(self, seconds: float) -> None:
        """Whatever dpkg does takes so much longer; 0 is as before."""
        text = f'DPkg::Pre-Invoke {{ "echo Slowly.; sleep {seconds:g}"; }};\n' if seconds else ""
        (self.tree / SLOW).write_text(text)

    def _script(self) -> str:
        place, tree = shlex.quote(str(self.place)), shlex.quote(str(self.tree))
        return "\n".join(
            [
                "ip link set lo up",
                f"until ip link show eth0 >{place}/null 2>&1; do sleep 0.05; done",
                f"ip address add {self.address}/24 dev eth0; ip link set eth0 up",
                f"mount --bind {tree} {tree}; mkdir -p {tree}{place} {tree}/was",
                f"mount -t proc proc {tree}/proc; mount --rbind /sys {tree}/sys; mount --rbind /dev {tree}/dev",
                f"mount -t tmpfs tmpfs {tree}/run; mkdir -p {tree}/run/sshd; mount --bind {place} {tree}{place}",
                f"cd {tree}; pivot_root . was; umount -l /was; cd /",
                f"{PROGRAM} -D -e -f {place}/sshd_config >>{place}/log 2>&1 &",
                "while :; do wait; sleep 0.2; done",
            ]
        )


@contextlib.contextmanager
def debian(number: int, *, authorized: Sequence[str], username: str = "root") -> Iterator[Debian]:
    """`username` is who signs in: root, or `ada`, who may become nothing until somebody writes a sudoers file."""
    place = Path(tempfile.mkdtemp(prefix=f"qd-host{number}-", dir="/var/tmp"))  # no memory disk
    place.chmod(0o755)
    made = Debian(place, number, authorized, with_engine=False, username=username)
    made.tree.mkdir(mode=0o755)
    sh("tar", "-C", str(made.tree), "--numeric-owner", "-xf", str(tarball(base_images.cache_directory())))
    new_key(place / "host")
    (place / "authorized_keys").write_text("".join(f"{line}\n" for line in authorized))
    try:
        made.on()
        yield made
    finally:
        made.off()
        sh("ip", "route", "delete", "unreachable", made.network, check=False)
        shutil.rmtree(place, ignore_errors=True)
