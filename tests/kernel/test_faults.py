"""What a test can do to a process at a place of its own choosing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from quarterdeck.kernel import faults


def test_whoever_comes_to_a_held_point_waits_there_and_nobody_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "_DIRECTORY", str(tmp_path))
    (tmp_path / "held").write_text("deploy.recorded")
    faults.point("plan.recorded")
    waiting = threading.Thread(target=faults.point, args=("deploy.recorded",), daemon=True)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    (tmp_path / "held").unlink()
    waiting.join(20)
    assert not waiting.is_alive()
    assert (tmp_path / "trace").read_text().split() == ["plan.recorded", "deploy.recorded"]
