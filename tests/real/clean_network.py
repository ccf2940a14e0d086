"""What an engine that was killed leaves in a network namespace: bridges and packet filter chains, which the next one
takes for its own although they belong to networks that it does not know.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence

BRIDGE = re.compile(r"docker0|docker_gwbridge|br-[0-9a-f]{12}")
TABLES = ("filter", "nat", "raw", "mangle")
OPERATORS = "DOCKER-USER"
"""The chain that is an operator's to fill: what he put there stays."""


def stale_bridges(interfaces: Iterable[str]) -> list[str]:
    return sorted(name for name in interfaces if BRIDGE.fullmatch(name))


def removals(rules: Sequence[str]) -> list[list[str]]:
    """Arguments that take an engine's chains, and the rules that lead to them or name its bridges, out of a table
    listed by `iptables -S`.
    """
    chains = [words[1] for words in map(str.split, rules) if words[:1] == ["-N"] and words[1].startswith("DOCKER")]
    kept = (
        {OPERATORS} if any(rule.startswith(f"-A {OPERATORS} ") and "-j RETURN" not in rule for rule in rules) else set()
    )
    gone = [chain for chain in chains if chain not in kept]
    found = []
    for rule in rules:
        words = rule.split()
        if words[:1] != ["-A"] or words[1] in gone or words[1] in kept:
            continue
        leads = any(words[at + 1] in gone for at, word in enumerate(words[:-1]) if word in {"-j", "-g"})
        if leads or any(BRIDGE.fullmatch(word) for word in words):
            found.append(["-D", *words[1:]])
    return [*found, *(["-F", chain] for chain in gone), *(["-X", chain] for chain in gone)]


def interfaces(*which: str) -> list[str]:
    """Names in this namespace; `/sys/class/net` may show those of the one that it was mounted in."""
    listed = subprocess.run(["ip", "-o", "link", "show", *which], capture_output=True, text=True, check=False)
    return [line.split(": ")[1].partition("@")[0] for line in listed.stdout.splitlines()]


def clean() -> list[str]:
    """Remove it all from this namespace, and say what it was. Only where no engine runs."""
    done = []
    for program in ("iptables", "ip6tables"):
        if shutil.which(program) is None:
            continue
        for table in TABLES:
            listed = subprocess.run([program, "-w", "-t", table, "-S"], capture_output=True, text=True, check=False)
            for arguments in removals(listed.stdout.splitlines()):
                subprocess.run([program, "-w", "-t", table, *arguments], capture_output=True, check=False)
                done.append(f"{program} -t {table} {' '.join(arguments)}")
    for bridge in stale_bridges(interfaces("type", "bridge")):
        for port in interfaces("master", bridge):
            subprocess.run(["ip", "link", "delete", port], capture_output=True, check=False)
        subprocess.run(["ip", "link", "delete", bridge], capture_output=True, check=False)
        done.append(f"ip link delete {bridge}")
    return done
