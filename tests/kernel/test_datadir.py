from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.errors import Conflict, Unavailable
from quarterdeck.kernel.ids import Ids

HOLDER = """
import sys, time
from pathlib import Path
from quarterdeck.kernel.datadir import DataDirectory
DataDirectory.open(Path(sys.argv[1])).lock()
print("locked", flush=True)
time.sleep(60)
"""


def test_the_directory_is_made_for_its_owner_alone(tmp_path):
    made = DataDirectory.open(tmp_path / "a" / "data")
    assert made.path.stat().st_mode & 0o777 == 0o700
    assert made.database.parent == made.logs.parent == made.master_key.parent == made.path


def test_a_directory_that_others_may_write_to_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o777)
    with pytest.raises(Conflict, match="others may write"):
        DataDirectory.open(tmp_path / "data")


def test_a_file_in_its_place_is_refused(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(Conflict):
        DataDirectory.open(tmp_path / "data")


def test_a_second_process_is_told_which_one_holds_it_and_a_killed_one_holds_nothing(tmp_path):
    mine = DataDirectory.open(tmp_path / "data")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(mine.path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(Conflict, match=f"in use by process {holder.pid}"):
            mine.lock()
        holder.kill()
        holder.wait()
    mine.lock()
    assert mine.locked
    mine.release()
    assert not mine.locked


def test_a_directory_that_another_installation_works_from_is_not_begun_in(tmp_path):
    data = DataDirectory.open(tmp_path / "data")
    data.require_alone()
    marks = data.runtime / "installations"
    marks.mkdir(parents=True)
    data.require_alone()
    (marks / "somebody-else").touch()
    with pytest.raises(Conflict) as refused:
        data.require_alone()
    assert refused.value.code == "data_directory_in_use"
    assert "qd server uninstall there" in (refused.value.hint or "")
    data.master_key.touch()  # it was here before: nobody else can have come since
    data.require_alone()


def test_below_five_per_cent_free_is_a_shortage(tmp_path, monkeypatch):
    directory = DataDirectory.open(tmp_path / "data")
    monkeypatch.setattr(DataDirectory, "free", lambda self: 0.05)
    directory.require_space()
    monkeypatch.setattr(DataDirectory, "free", lambda self: 0.049)
    with pytest.raises(Unavailable) as refusal:
        directory.require_space()
    assert refusal.value.code == "disk_low"


def test_a_process_has_the_name_of_its_directory_and_that_of_a_copy_or_another_machine_is_another(tmp_path):
    def name(directory, machine="one"):
        data = DataDirectory.open(directory)
        data.lock()
        try:
            return data.process_uid(Ids(), machine)
        finally:
            data.release()

    first = name(tmp_path / "data")
    assert name(tmp_path / "data") == first
    (tmp_path / "data").rename(tmp_path / "moved")
    assert name(tmp_path / "moved") == first  # the lock went along
    shutil.copytree(tmp_path / "moved", tmp_path / "copy")
    copied = name(tmp_path / "copy")
    assert copied != first
    assert name(tmp_path / "copy") == copied
    assert name(tmp_path / "moved") == first
    assert name(tmp_path / "moved", "another") not in {first, copied}
    assert (tmp_path / "moved" / "process").stat().st_mode & 0o777 == 0o600
