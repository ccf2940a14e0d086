"""Measures the budgets, one program after the other, and prints each figure beside its budget.

    script/bench [NAME …] [--ten-million]

Without names everything: start, idle, idle_worker, ledger, ledger_full, lists, audit, authorization, policies, logs,
terminal_echo, fabric, brokered_secrets, provisioning where there is a Terraform, deployment where a Docker engine
answers, watched where there is an SSH server, and behind_ssh where a machine of its own can be made (root, a Docker
engine, an SSH server). `--ten-million` fills the ledger with as many finished rows as its budget names, instead of one
million. Ends with status 1 when a figure is outside of its budget or a program failed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from record import RESULTS, within

HERE = Path(__file__).parent
ROOT = HERE.parent
PROGRAMS: dict[str, list[list[str]]] = {
    "start": [["start.py"]],
    "idle": [["idle.py"]],
    "idle_worker": [["idle_worker.py"]],
    "watched": [["watched.py"]],
    "ledger": [["ledger.py"]],
    "ledger_full": [["ledger_full.py"]],
    "lists": [["lists.py"]],
    "audit": [["audit.py"]],
    "authorization": [["authorization.py"]],
    "policies": [["policies.py"]],
    "logs": [["logs.py"], ["logs.py", "--postgresql"]],
    "terminal_echo": [["terminal_echo.py"]],
    "fabric": [["fabric.py"]],
    "provisioning": [["provisioning.py"]],
    "brokered_secrets": [["brokered_secrets.py"]],
    "deployment": [["deployment.py"]],
    "behind_ssh": [["behind_ssh.py"]],
}


def engine_answers() -> bool:
    """Whether there is a Docker engine for the deployments, with the base images that the samples stand on."""
    done = subprocess.run(["docker", "version"], capture_output=True, check=False)
    return done.returncode == 0


def no_machine() -> str | None:
    sys.path.append(str(ROOT / "tests"))
    from real.host import available

    return available()


def measure(name: str, *, ten_million: bool) -> bool:
    good = True
    for program, *arguments in PROGRAMS[name]:
        given = [*arguments, *(["--finished", "10000000"] if ten_million and name == "ledger_full" else [])]
        print(f"bench: {program} {' '.join(given)}", flush=True)
        paths = os.pathsep.join(str(ROOT / place) for place in ("src", "tests", "bench"))
        done = subprocess.run(
            [sys.executable, HERE / program, *given], env={**os.environ, "PYTHONPATH": paths}, check=False
        )
        good &= done.returncode == 0
    return good


def table(before: dict[str, object]) -> None:
    """What was measured by this run."""
    now = json.loads(RESULTS.read_text())
    print(f"\n{'measured':44} {'figure':>12} {'budget':>12} {'ratio':>7}")
    for key, entry in now.items():
        if before.get(key) != entry:
            figure, budget = f"{entry['figure']:,} {entry['unit']}", f"{entry['budget']:,}"
            print(f"{key:44} {figure:>16} {budget:>8} {entry['ratio']:>7} {'' if within(entry) else 'OUTSIDE'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    parser.add_argument("--ten-million", action="store_true")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - PROGRAMS.keys()
    if unknown:
        parser.error(f"there is no bench {', '.join(sorted(unknown))}; there are {', '.join(PROGRAMS)}")
    names = arguments.names or list(PROGRAMS)
    if not arguments.names and not engine_answers():
        print("bench: left out: deployment (no Docker engine answers)")
        names.remove("deployment")
    if not arguments.names and (why := no_machine()):
        print(f"bench: left out: behind_ssh ({why})")
        names.remove("behind_ssh")
    if not arguments.names and shutil.which("terraform") is None:
        print("bench: left out: provisioning (terraform is not installed)")
        names.remove("provisioning")
    if not arguments.names and shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin") is None:
        print("bench: left out: watched (no SSH server)")
        names.remove("watched")
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    good = [measure(name, ten_million=arguments.ten_million) for name in names]
    table(before)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
