"""What is brought along to a server, and what is read from its tables, looked at without one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.fleet.targets.edge_host import RemoteSockets
from quarterdeck.fleet.targets.steward import MODULE, archive, problem_of
from quarterdeck.kernel.errors import Invalid, NotFound


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    file = tmp_path / "processes.zip"
    file.write_bytes(archive())
    return file


def call(packed: Path, root: Path, wanted: str, /, **arguments: Any) -> tuple[int, Any]:
    """As over SSH: nothing but Python and the archive."""
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-m", MODULE, str(root), wanted],
        input=json.dumps(arguments).encode(), capture_output=True, check=False, cwd="/",
        env={"PYTHONPATH": str(packed), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def test_the_archive_needs_nothing_but_python(packed: Path, tmp_path: Path) -> None:
    status, port = call(packed, tmp_path / "root", "port", instance="one", reserved=[])
    assert (status, 21_000 <= port < 29_000) == (0, True)
    assert call(packed, tmp_path / "root", "port", instance="one", reserved=[]) == (0, port)
    assert call(packed, tmp_path / "root", "list") == (0, [])
    assert call(packed, tmp_path / "root", "find", instance="one") == (0, None)


def test_a_refusal_over_there_is_the_same_refusal_here(packed: Path, tmp_path: Path) -> None:
    status, said = call(packed, tmp_path / "root", "stop", instance="nobody", grace=None)
    found = problem_of(said)
    assert (status, type(found), found.code) == (3, NotFound, "process_not_found")
    assert "nobody" in found.message
    status, said = call(packed, tmp_path / "root", "publish", name="r", directory="dist", account=None)
    found = problem_of(said)
    assert (status, type(found), found.code) == (3, Invalid, "static_publish_directory_missing")
    assert found.hint


def test_the_archive_is_the_same_for_the_same_sources() -> None:
    first = archive()
    archive.cache_clear()
    assert archive() == first


HEADER = "  sl  local_address rem_address   st tx rx tr tm->when retrnsmt   uid  timeout inode\n"


def tables(*listening: tuple[str, int]) -> str:
    rows = [
        f"   {n}: {address}:{port:04X} 00000000:0000 0A 0:0 00:0 0 0 0 {n} 1"
        for n, (address, port) in enumerate(listening)
    ]
    return HEADER + "\n".join(rows)


def test_ports_of_a_server_are_read_from_its_tables() -> None:
    free = RemoteSockets(tables(("00000000", 22)), 1)
    assert free.can_listen(80, "")
    assert not free.can_listen(22, "")
    assert list(free.free(2, "")) == [8080, 8443]
    low = RemoteSockets(tables(("00000000", 8080)), 1024)
    assert not low.can_listen(80, "")
    spare = list(low.free(2, ""))
    assert len(set(spare)) == 2
    assert 8080 not in spare
    assert not free.shared(22)
    assert RemoteSockets(tables(("00000000", 80), ("00000000", 80)), 1).shared(80)
