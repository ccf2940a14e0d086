"""The import contracts reach every room: a new one has its place before it is built."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "quarterdeck"
WITH_HTTP = {"surfaces", "console", "cli", "kernel"}
"""What serves or calls; the kernel holds the frame itself, out of reach of the rooms of `Domains hold no HTTP`."""


@pytest.fixture(scope="module")
def contracts():
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return {one["name"].partition(" (")[0]: one for one in configured}


def test_every_package_but_those_that_serve_is_kept_free_of_http(contracts) -> None:
    packages = {one.parent.name for one in PACKAGE.glob("*/__init__.py")}
    kept = {name.removeprefix("quarterdeck.") for name in contracts["Domains hold no HTTP server"]["source_modules"]}
    assert packages - WITH_HTTP == kept


def test_a_room_without_a_place_fails_the_build(contracts, tmp_path: Path) -> None:
    layers = contracts["Packages import leftwards only"]
    package = tmp_path / "quarterdeck"
    for name in [one.stem for one in PACKAGE.glob("*.py") if one.stem != "__init__"]:
        (package / name).mkdir(parents=True)
    for name in [one.parent.name for one in PACKAGE.glob("*/__init__.py")]:
        (package / name).mkdir(parents=True)
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_package = quarterdeck\n[importlinter:contract:layers]\nname = Layers\ntype = layers\n"
        f"exhaustive = {layers['exhaustive']}\ncontainers =\n    {layers['containers'][0]}\nlayers =\n"
        + "".join(f"    {layer}\n" for layer in layers["layers"])
    )

    def kept() -> bool:
        for directory in (package, *filter(Path.is_dir, package.iterdir())):
            (directory / "__init__.py").touch()
        program = Path(sys.executable).with_name("lint-imports")
        done = subprocess.run(
            [program, "--no-logo", "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert "1 kept" in done.stdout or "1 broken" in done.stdout or "not defined" in done.stdout, done.stdout
        return done.returncode == 0

    assert kept()
    (package / "annex").mkdir()
    assert not kept()
