"""What would be done about an engine, as values: for each system and each state, and what is said where nothing is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quarterdeck.fleet.engines import packages
from quarterdeck.fleet.engines.packages import Manager
from quarterdeck.fleet.engines.planning import planned
from quarterdeck.fleet.engines.seeing import mark_of, system_of
from quarterdeck.fleet.engines.values import Mark, Plan, Seen, System

DEBIAN = System("debian", (), "Debian 12", "root", "root", "systemd", frozenset({"apt-get", "usermod"}))
ADA = replace(DEBIAN, account="ada", becoming="yes")
CONFIGURE = (
    "env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 dpkg --force-confdef --force-confold --configure -a"
)
INSTALL = (
    "env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get install -y --no-remove "
    "-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef "
    "-o Dpkg::Options::=--force-confold docker.io"
)


def lines(plan: Plan) -> list[str]:
    """The commands, but for the note, which is a script."""
    assert plan.refusal is None
    return [step.line for step in plan.steps if "\n" not in step.line]


def absent(system: System) -> Seen:
    return Seen("absent", system)


def test_debian_installs_its_own_package_and_starts_it() -> None:
    plan = planned(absent(DEBIAN), "here")
    assert lines(plan) == [CONFIGURE, "apt-get update", INSTALL, "systemctl enable --now docker"]
    note = plan.steps[2].argv
    assert note[:2] == ("sh", "-c")
    assert note[3:] == ("note", "/var/lib/quarterdeck", "/var/lib/quarterdeck/engine", "here", "apt", "docker.io")
    assert [step.title for step in plan.steps] == [
        "Finish what an interrupted installation has left", "Renew the lists of packages",
        "Note what will be new, so that it can be taken away again", "Install docker.io",
        "Start it, now and at every boot",
    ]  # fmt: skip


def test_an_account_that_is_not_root_uses_sudo_and_is_let_in_last() -> None:
    plan = planned(absent(ADA), "here")
    assert all(step.argv[:2] == ("sudo", "-n") for step in plan.steps)
    assert plan.steps[-1].line == "sudo -n usermod -aG docker ada"
    assert lines(planned(Seen("closed", ADA), "here")) == ["sudo -n usermod -aG docker ada"]
    member = replace(ADA, groups=frozenset({"docker"}))
    assert lines(planned(Seen("stopped", member), "here")) == ["sudo -n systemctl enable --now docker"]


@pytest.mark.parametrize(
    ("name", "like", "programs", "init", "expected"),
    [
        ("ubuntu", ("debian",), {"apt-get", "usermod"}, "systemd", INSTALL),
        ("linuxmint", ("ubuntu", "debian"), {"apt-get"}, "service", INSTALL),
        ("fedora", (), {"dnf", "usermod"}, "systemd", "dnf install -y moby-engine"),
        ("amzn", ("fedora",), {"dnf"}, "systemd", "dnf install -y docker"),
        ("alpine", (), {"apk"}, "openrc", "apk add docker"),
    ],
)
def test_each_system_installs_by_its_own_means(name, like, programs, init, expected) -> None:
    system = System(name, like, name, "root", "root", init, frozenset(programs))
    assert expected in lines(planned(absent(system), "here"))


def test_each_init_starts_services_in_its_own_way() -> None:
    def started(init: str) -> list[str]:
        return lines(planned(Seen("stopped", replace(DEBIAN, init=init)), "here"))  # type: ignore[arg-type]

    assert started("systemd") == ["systemctl enable --now docker"]
    assert started("openrc") == ["rc-update add docker default", "rc-service docker start"]
    assert started("service") == ["service docker start"]
    assert planned(Seen("stopped", replace(DEBIAN, init="none")), "here").refusal.code == "engine_by_hand"
    assert packages.admit(replace(ADA, programs=frozenset())) == ("addgroup", "ada", "docker")


@pytest.mark.parametrize(
    ("seen", "code", "says"),
    [
        (absent(System("rocky", ("rhel", "fedora"), "Rocky Linux 9", "root", "root", "systemd", frozenset({"dnf"}))),
         "engine_by_hand", "Rocky Linux 9"),
        (absent(replace(ADA, becoming="password")), "sudo_unavailable", "asks for a password"),
        (absent(replace(ADA, becoming="missing")), "sudo_unavailable", "there is no sudo"),
        (Seen("too-old", DEBIAN), "engine_by_hand", "not upgraded by us"),
        (Seen("stopped", DEBIAN, named=True), "engine_by_hand", "DOCKER_HOST"),
    ],
)  # fmt: skip
def test_what_is_not_done_by_us_is_said_with_what_a_person_does(seen: Seen, code: str, says: str) -> None:
    plan = planned(seen, "here")
    assert (plan.steps, plan.refusal.code) == ((), code)
    assert says in plan.refusal.message
    assert plan.refusal.hint


def test_a_ready_engine_needs_nothing_and_every_plan_has_an_id_of_its_own() -> None:
    assert planned(Seen("ready", DEBIAN, "24.0.7", origin="found"), "here") == Plan()
    plans = [planned(absent(DEBIAN), "here"), planned(absent(DEBIAN), "there"), planned(absent(ADA), "here"), Plan()]
    assert len({plan.id for plan in plans}) == 4
    assert planned(absent(DEBIAN), "here").id == plans[0].id


def test_what_a_system_says_of_itself_is_read() -> None:
    said = (
        "account=ada\ngroups=ada adm docker\nbecoming=yes\ninit=systemd\nprogram=apt-get\nprogram=usermod\n"
        "id=ubuntu\nlike=debian\nname=Ubuntu 24.04.1 LTS\nnamed=\n"
    )
    assert system_of(said) == System(
        "ubuntu", ("debian",), "Ubuntu 24.04.1 LTS", "ada", "yes", "systemd", frozenset({"apt-get", "usermod"}),
        frozenset({"ada", "adm", "docker"}),
    )  # fmt: skip
    empty = system_of("")
    assert (empty.becoming, empty.init) == ("missing", "none")


def test_a_mark_is_read_also_when_a_repeat_has_added_to_it() -> None:
    said = "instance=one\nmanager=apt\npackage=docker.io\nnew=runc\nnew=docker.io\n"
    assert mark_of(said) == Mark("one", "apt", "docker.io", ("docker.io", "runc"))
    assert mark_of(f"{said}instance=two\nmanager=apt\npackage=docker.io\nnew=tini\n") == Mark(
        "one", "apt", "docker.io", ("docker.io", "runc", "tini")
    )
    for wrong in ("", "instance=one\n", "instance=one\nmanager=apt\npackage=--purge\n"):
        assert mark_of(wrong) is None


def test_only_what_came_with_it_and_nothing_needs_is_removed() -> None:
    said = "Reading…\nRemv runc [1.1]\nRemv libfoo [2.0] [bar ]\nInst x\n"
    assert Manager("apt", "docker.io").leftover(said, ["runc", "tini", "docker.io"]) == ("runc",)
    assert Manager("apt", "docker.io").remove(["b", "a"])[-2:] == ("a", "b")
    assert packages.end(DEBIAN, Manager("dnf", "docker")) == (
        "sh", "-c", 'systemctl stop docker; exec "$@"', "end", "dnf", "remove", "-y", "docker"
    )  # fmt: skip
    assert packages.end(replace(DEBIAN, init="service"), Manager("apk", "docker"))[2].startswith("service docker stop")
    assert Manager("apk", "docker").remove(["docker"]) == ("apk", "del", "docker")
    assert Manager("dnf", "docker").unneeded is Manager("dnf", "docker").half is None
