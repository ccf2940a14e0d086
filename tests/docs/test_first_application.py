"""The guide's own application: made, deployed and changed from one directory."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

from docs.pages import ROOT

GUIDE = ROOT / "docs" / "guides" / "deploy-your-first-application.md"


def run(place: Path, script: str) -> None:
    who = {f"GIT_{role}_{part}": "demo@demo.example" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    subprocess.run(["sh", "-ec", script], cwd=place, check=True, env={**os.environ, **who}, timeout=30)


def test_every_command_fits_the_directory_that_the_guide_is_in(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    run(tmp_path, blocks[0])
    lines = [line for block in blocks for line in block.splitlines()]
    folders = [
        word for line in lines if line.startswith("qd deploy ./") for word in shlex.split(line, comments=True)[2:3]
    ]
    assert folders
    for folder in folders:
        assert (tmp_path / folder / "app.py").is_file(), folder
        assert Path(folder).name != "hello", "the name of the demo's application"
    names = {
        word for line in lines if re.match(r"qd (set|redeploy|history|rollback) ", line) for word in line.split()[2:3]
    }
    assert names == {Path(folder).name for folder in folders}
    before = (tmp_path / folders[0] / "app.py").read_text()
    run(tmp_path, "\n".join(line for line in lines if line.startswith("sed ")))
    assert (tmp_path / folders[0] / "app.py").read_text() != before
