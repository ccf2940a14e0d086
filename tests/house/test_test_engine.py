"""The engine that tests start: what a killed one left behind does not stand in its way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from real.clean_network import removals, stale_bridges

TESTS = Path(__file__).resolve().parents[1]
FILTER = """\
-P FORWARD DROP
-N DOCKER
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-USER
-N mine
-A FORWARD -j DOCKER-USER
-A FORWARD -o br-0123456789ab -j DOCKER
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A FORWARD -i eth0 -j mine
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -j ACCEPT
-A DOCKER-USER -j RETURN
-A mine -i br-lan -j ACCEPT""".splitlines()


def test_an_engines_chains_and_what_leads_to_them_goes_and_nothing_else():
    assert removals(FILTER) == [
        ["-D", "FORWARD", "-j", "DOCKER-USER"],
        ["-D", "FORWARD", "-o", "br-0123456789ab", "-j", "DOCKER"],
        ["-D", "FORWARD", "-i", "docker0", "-o", "docker0", "-j", "ACCEPT"],
        ["-F", "DOCKER"], ["-F", "DOCKER-ISOLATION-STAGE-1"], ["-F", "DOCKER-USER"],
        ["-X", "DOCKER"], ["-X", "DOCKER-ISOLATION-STAGE-1"], ["-X", "DOCKER-USER"],
    ]  # fmt: skip
    assert removals(["-P INPUT ACCEPT", "-A INPUT -i lo -j ACCEPT"]) == []


def test_what_an_operator_put_into_his_chain_stays_with_the_way_to_it():
    left = removals([*FILTER, "-A DOCKER-USER -s 10.0.0.0/8 -j DROP"])
    assert not any("DOCKER-USER" in arguments for arguments in left)
    assert ["-X", "DOCKER"] in left


def test_only_an_engines_bridges_are_stale():
    names = ["lo", "eth0", "docker0", "br-0123456789ab", "br-lan", "br0", "virbr0", "cni-podman0"]
    assert stale_bridges(names) == ["br-0123456789ab", "docker0"]


LEFT_BEHIND = """
import subprocess, sys
from real import bridge_probe, clean_network
from real.engine import running_engine

def run(line):
    subprocess.run(line.split(), check=True)

run("ip link set lo up")
# Networks of an engine that is no more: the same addresses behind another bridge, and a rule that drops all of them.
for bridge in ("docker0", "br-0123456789ab"):
    run(f"ip link add {bridge} type bridge")
    run(f"ip link set {bridge} up")
run("ip address add 172.17.0.1/16 dev br-0123456789ab")
for rule in ("-N DOCKER-OLD", "-A DOCKER-OLD -j DROP", "-I OUTPUT -d 172.16.0.0/12 -j DOCKER-OLD"):
    run(f"iptables -w {rule}")
with running_engine() as host:
    assert "br-0123456789ab" not in clean_network.interfaces()
    run("iptables -w -I OUTPUT -d 172.16.0.0/12 -j DROP")
    bridge_probe.SECONDS = 2
    try:
        bridge_probe.prove(host.removeprefix("unix://"))
    except RuntimeError as error:
        assert "bridge network does not work" in str(error), error
    else:
        sys.exit("the probe saw nothing")
left = clean_network.clean()
assert not left, left
assert clean_network.interfaces() == ["lo"]
print("clean")
"""


@pytest.mark.engine
def test_an_engine_starts_from_a_clean_network_and_leaves_one():
    """In a network of its own, where nothing else can be hurt."""
    done = subprocess.run(
        ["unshare", "--net", "--mount", sys.executable, "-c", LEFT_BEHIND],
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )
    assert done.stdout.strip().endswith("clean"), done.stdout + done.stderr


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "QUARTERDECK_TEST_DOCKER_HOST"}
    return {**kept, "PYTHONPATH": f"{TESTS}:{TESTS.parent}/src"}
