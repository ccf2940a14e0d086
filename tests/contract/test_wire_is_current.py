"""The generated wire structs are what the generator makes of the contract today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WIRE = ROOT / "src" / "quarterdeck" / "surfaces" / "deploy" / "wire"


def test_the_committed_structs_are_what_the_contract_generates(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "script" / "generate_deploy_wire"), str(tmp_path)], check=True)
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*.py")}
    committed = {path.relative_to(WIRE): path.read_text() for path in WIRE.rglob("*.py")}
    committed.pop(Path("__init__.py"))
    assert committed == made


def test_no_generated_room_is_too_long() -> None:
    lengths = {path.name: path.read_text().count("\n") for path in WIRE.rglob("*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > 600} == {}


def test_all_rooms_load_quickly() -> None:
    program = (
        "import msgspec, importlib, pkgutil, time\n"
        "began = time.process_time()\n"
        "import quarterdeck.surfaces.deploy.wire as wire\n"
        "for room in pkgutil.walk_packages(wire.__path__, wire.__name__ + '.'): importlib.import_module(room.name)\n"
        "print(time.process_time() - began)"
    )
    command = [sys.executable, "-c", program]
    environment = {"PYTHONPATH": str(ROOT / "src")}
    taken = min(
        float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )
    assert taken < 0.3
