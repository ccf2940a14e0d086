"""A deployment to a server behind SSH over what a person would type, the same source by `ssh` and `docker`; and how
long a change of version takes to be seen.

    python bench/behind_ssh.py [rounds]

The server is a machine of its own (namespaces, a real sshd and Docker engine, tests/real/host.py); needs root.
`behind_ssh.over_bare` is a deployment less `tar | ssh docker build` and `ssh docker run`, over one kept connection of
`ssh`, in turns. `cut_over.seen` is from the end of the verification of a version to its first answer at the edge, asked
every two milliseconds; `cut_over.both` is how long answers of both versions come (negative: a gap).
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import httpx  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first

from e2e.client import Application, Client, signed_in  # noqa: E402 - the paths come first
from e2e.over_ssh import register  # noqa: E402 - the paths come first
from e2e.repositories import APPS, Repositories, Repository  # noqa: E402 - the paths come first
from e2e.server import deck  # noqa: E402 - the paths come first
from e2e.truth import rows, unfinished_jobs, until  # noqa: E402 - the paths come first
from real import base_images  # noqa: E402 - the paths come first
from real.git_server import git_server  # noqa: E402 - the paths come first
from real.host import Machine, machine  # noqa: E402 - the paths come first
from real.sshd import new_key  # noqa: E402 - the paths come first

BUDGET_SECONDS, BUDGET_SEEN = 2.0, 500.0
PORT = 3000


@dataclass
class Bare:
    """What a person would type, over one kept connection."""

    there: Machine
    key: Path
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        options = {
            "IdentityFile": self.key, "IdentitiesOnly": "yes", "StrictHostKeyChecking": "no", "LogLevel": "ERROR",
            "UserKnownHostsFile": "/dev/null", "ControlMaster": "auto", "ControlPath": f"{self.key}.%C",
            "ControlPersist": "600",
        }  # fmt: skip
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        self.words = ["ssh", "-F", "none", *given, f"{self.there.username}@{self.there.address}"]
        self.run("true")

    def run(self, command: str, content: bytes | None = None) -> str:
        done = subprocess.run([*self.words, command], input=content, check=True, capture_output=True)
        return done.stdout.decode().strip()

    def deployed(self, source: Path, number: int) -> float:
        """Seconds until what was built and run by hand answers."""
        change(source, number)
        name, port = f"bare-{number}", 20_000 + number
        began = time.monotonic()
        packed = subprocess.run(["tar", "-C", source, "-c", "."], check=True, capture_output=True).stdout
        self.run(f"docker build -q -t {name} -", packed)
        self.run(f"docker run -d --init --name {name} -e PORT={PORT} -p 0.0.0.0:{port}:{PORT} {name}")
        with httpx.Client(trust_env=False, timeout=5) as client:
            while True:
                try:
                    client.get(f"http://{self.there.address}:{port}/")
                    break
                except httpx.HTTPError:
                    time.sleep(0.01)
        took = time.monotonic() - began
        self.run(f"docker rm -f {name}; docker rmi {name}")
        return took


def change(source: Path, number: int) -> None:
    """Every round builds: a source that changed by one file."""
    file = source / "server.py"
    file.write_text(f"{(APPS / 'dockerfile' / file.name).read_text()}\n# {time.time_ns()} {number}\n")


class Watch:
    """When which version answered first and last, by the clock of this machine."""

    def __init__(self, address: str, hostname: str) -> None:
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self.wrong = 0
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(address, hostname), daemon=True)
        self._thread.start()

    def _ask(self, address: str, hostname: str) -> None:
        with httpx.Client(trust_env=False, timeout=10, headers={"Host": hostname}) as client:
            while not self._leaving.wait(0.002):
                answer = client.get(f"http://{address}/")
                now = time.time()
                if answer.status_code != 200:
                    self.wrong += 1
                    continue
                self.first.setdefault(answer.text.strip(), now)
                self.last[answer.text.strip()] = now

    def close(self) -> None:
        self._leaving.set()
        self._thread.join(15)


def took(client: Client, deployment: str) -> float:
    """Seconds from the request to the end, as the ledger has them."""
    asked = f"SELECT created_at, finished_at FROM deploy_deployments WHERE ref = '{deployment}'"
    ((created, finished),) = rows(client.deck, asked)
    return (finished - created) / 1_000_000


def verified(client: Client, deployment: str) -> float:
    asked = (
        "SELECT p.finished_at FROM deploy_phases p JOIN deploy_deployments d ON d.id = p.deployment_id "
        f"WHERE d.ref = '{deployment}' AND p.phase = 'verify'"
    )
    return float(rows(client.deck, asked)[0][0]) / 1_000_000


def versions(
    client: Client, application: Application, repository: Repository, address: str, rounds: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of each change of version: until it is seen, and that both are."""
    last = client.deployed(application)
    seen, both = [], []
    for number in range(2, rounds + 2):
        repository.release(str(number))
        watch = Watch(address, client.hostname(last))
        last = client.succeeded(client.redeploy(application))
        until(lambda number=number, watch=watch: f"dockerfile {number}" in watch.first, lambda watch=watch: watch.first)
        time.sleep(0.3)
        watch.close()
        assert watch.wrong == 0
        new, old = f"dockerfile {number}", f"dockerfile {number - 1}"
        seen.append((watch.first[new] - verified(client, last)) * 1000)
        both.append((watch.last[old] - watch.first[new]) * 1000)
        until(lambda: unfinished_jobs(client.deck) == [], lambda: unfinished_jobs(client.deck))
    return seen, both


def main(rounds: int) -> int:
    place = Path(tempfile.mkdtemp(prefix="qd-bench-"))
    place.chmod(0o711)
    try:
        public = new_key(place / "key")
        with (
            machine(9, authorized=[public]) as there,
            git_server(place / "git") as url,
            deck(place / "deck") as made,
            signed_in(made) as client,
        ):
            base_images.ensure(there.docker_host, ["python"])
            repository = Repositories(place / "git", url).sample("dockerfile", "shop")
            application = client.application("shop", repository.source())
            application.server = register(client, there, (place / "key").read_text())
            bare, source = Bare(there, place / "key"), place / "source"
            shutil.copytree(APPS / "dockerfile", source)
            bare.deployed(source, 0)
            client.deployed(application)
            hand, ours = [], []
            for number in range(2, rounds + 2):
                hand.append(bare.deployed(source, number))
                repository.release(str(number))
                ours.append(took(client, client.succeeded(client.redeploy(application))))
                until(lambda: unfinished_jobs(made) == [], lambda: unfinished_jobs(made))
                print(f"round {number}: bare {hand[-1]:.2f} s, deployment {ours[-1]:.2f} s", flush=True)
            busy = client.application("busy", Repositories(place / "git", url).sample("dockerfile", "busy").source())
            busy.server = application.server
            seen, both = versions(
                client, busy, Repository(place / "git" / "busy", f"{url}/busy/.git"), there.address, rounds * 3
            )
        over = statistics.median(one - by_hand for one, by_hand in zip(ours, hand, strict=True))
        good = [
            record("behind_ssh.over_bare", over, "s", BUDGET_SECONDS),
            record("cut_over.seen", statistics.median(seen), "ms", BUDGET_SEEN),
        ]
        print(f"cut_over.both: {min(both):.1f} to {max(both):.1f} ms; seen at worst after {max(seen):.0f} ms")
        return 0 if all(good) else 1
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
