"""What the directory that was moved away still runs is named before it runs twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from backups.house import House
from e2e.server import PROGRAM, environment
from quarterdeck.backups.outlived import outlived, told
from quarterdeck.backups.taking import take
from quarterdeck.fleet.processes.starting import supervisor_argv


def left_by(data: Path) -> subprocess.Popen[bytes]:
    """A process with the command line of a supervisor of that data directory."""
    words = supervisor_argv(data / "runtime/processes/instances/dep_4k2m9x0q7c1z")[1:]
    return subprocess.Popen([sys.executable, "-c", "input()", *words], stdin=subprocess.PIPE)


def test_a_restore_names_the_processes_that_the_directory_before_it_still_runs(house: House, tmp_path):
    file, _ = take(house.data, house.address, tmp_path / "kept.tar.gz", with_key=True)
    house.directory.rename(tmp_path / "before")
    with left_by(house.directory) as ours, left_by(tmp_path / "other") as other:
        try:
            arguments = [*PROGRAM, "restore", str(file), "--data-dir", str(house.directory), "-o", "json"]
            if house.fresh:
                (tmp_path / "url").write_text(house.fresh)
                arguments += ["--database-url", f"@{tmp_path / 'url'}"]
            done = subprocess.run(arguments, env=environment(None), capture_output=True, text=True, check=True)
            assert json.loads(done.stdout)["stillRunning"] == [ours.pid]
        finally:
            ours.kill()
            other.kill()
    assert outlived(house.directory) == []


def test_what_to_do_is_said_in_words_that_agree():
    assert told([]) == ""
    assert "One host process" in told([7])
    assert told([7]).endswith("end it: kill 7")
    assert told([7, 8]).endswith("end them: kill 7 8")
