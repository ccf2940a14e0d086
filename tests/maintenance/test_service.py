"""The server as a service: what the unit says, and what is said when it goes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from maintenance.commands import typed
from quarterdeck import serving
from quarterdeck.infra.execution import executing
from quarterdeck.infra.execution.orders import InfraOrder, Module, Place
from quarterdeck.service_unit import Unit, quoted, rendered


def settings_of(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def test_the_unit_leaves_applications_alone() -> None:
    said = settings_of(rendered(Unit(Path("/usr/bin/quarterdeck"))))
    assert said["KillMode"] == "process"
    assert said["Delegate"] == "yes"
    assert said["Restart"] == "on-failure"
    # Each of these would be inherited by host processes and the edge, and break some of them.
    harmful = {
        "NoNewPrivileges", "PrivateTmp", "ProtectSystem", "ProtectHome", "PrivateDevices", "UMask", "DynamicUser",
        "SystemCallFilter", "RestrictAddressFamilies", "CapabilityBoundingSet", "ProtectClock", "MemoryMax",
        "MemoryDenyWriteExecute", "ProtectControlGroups", "RestrictSUIDSGID", "PrivateNetwork",
    }  # fmt: skip
    assert not harmful & set(said)
    assert {"ProtectKernelModules", "ProtectKernelLogs", "LockPersonality"} <= set(said)


def test_a_stop_is_given_the_time_that_terraform_may_take() -> None:
    said = settings_of(rendered(Unit(Path("/usr/bin/quarterdeck"))))
    order = InfraOrder(job="j", job_type="DEPLOY", module=Module(kind="bundled"), place=Place("", "", ""), snapshot={})
    needed = order.grace_seconds + executing.ENDING_SECONDS + serving.STOP_SECONDS
    assert int(said["TimeoutStopSec"]) > needed


def test_another_user_gets_the_ports_and_nothing_else() -> None:
    said = settings_of(rendered(Unit(Path("/usr/bin/quarterdeck"), user="deck")))
    assert said["User"] == "deck"
    assert said["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"
    assert "User" not in settings_of(rendered(Unit(Path("/usr/bin/quarterdeck"))))


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/srv/data", "/srv/data"), ("with space", '"with space"'), ("50%", "50%%"), ("a$b", '"a$$b"'),
        ('say "x"', '"say \\"x\\""'), ("--host=::1", "--host=::1"), ("a;b", '"a;b"'),
    ],
)  # fmt: skip
def test_words_mean_themselves(word: str, written: str) -> None:
    assert quoted(word) == written


def test_systemd_itself_understands_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "quarterdeck"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = rendered(Unit(program, ("--public-url", "https://deck.example.com", "--data-dir", "/srv/with space")))
    assert 'serve --public-url https://deck.example.com --data-dir "/srv/with space"' in text
    analyze = shutil.which("systemd-analyze")
    if analyze is not None:
        file = tmp_path / "quarterdeck.service"
        file.write_text(text)
        done = subprocess.run([analyze, "verify", "--man=no", file], capture_output=True, text=True, check=False)
        told = [line for line in (done.stdout + done.stderr).splitlines() if "quarterdeck.service" in line]
        assert told == []


def test_install_writes_the_unit_and_uninstall_says_what_stays(tmp_path: Path) -> None:
    place, data = ("--directory", str(tmp_path)), ("--data-dir", str(tmp_path / "data"))
    status, shown = typed("install", "--print", *place, *data, "--", "--port", "8800")
    assert status == 0
    assert not list(tmp_path.iterdir())
    status, told = typed("install", *place, *data, "--", "--port", "8800")
    file = tmp_path / "quarterdeck.service"
    assert (status, told) == (0, {"file": str(file), "started": False})
    assert file.read_text() == shown["unit"]
    assert f"serve --data-dir {tmp_path / 'data'} --port 8800" in shown["unit"]
    status, planned = typed("uninstall", "--plan", *place, *data)
    assert file.exists()
    status, told = typed("uninstall", *place, *data)
    assert status == 0
    assert told == {"removed": planned["removes"], "stays": planned["stays"]}
    assert not file.exists()
    assert str(tmp_path / "data") in " ".join(told["stays"])
    assert typed("uninstall", *place)[1]["error"]["code"] == "service_not_installed"


def test_a_credential_does_not_get_into_a_unit(tmp_path: Path) -> None:
    for words in (
        ("--database-url", "postgresql://deck:hunter2@db/deck"),
        ("--database-url=postgresql://x:hunter2@y/z",),
    ):
        status, told = typed("install", "--directory", str(tmp_path), "--", *words)
        assert (status, told["error"]["code"]) == (2, "usage")
        assert "hunter2" not in str(told)
    assert not list(tmp_path.iterdir())
