"""Starting: what stands in the way is said in a sentence, and nothing is left behind."""

from __future__ import annotations

import os
import socket
import sqlite3
from pathlib import Path

import pytest

from fakes.transit_server import OPERATOR, transit_server
from quarterdeck.instance import Instance
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.db.migrate import create, revisions
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.settings import Settings
from quarterdeck.kernel.settings_reading import load
from quarterdeck.serving import listen
from serving.process import serving


def settings(data: Path, **given) -> Settings:
    return load({"data_dir": data, "no_edge": True, "port": 0, **given})


def closed(instance: Instance) -> Instance:
    instance.close_sync()
    return instance


def refused(data: Path, **given) -> Problem:
    """What an opening is refused with; nothing may be left: no lock, no thread."""
    import threading

    before = {thread.name for thread in threading.enumerate()}
    with pytest.raises(Problem) as raised:
        Instance.open(settings(data, **given))
    assert {thread.name for thread in threading.enumerate()} <= before
    if data.is_dir() and data.stat().st_uid == os.geteuid():
        again = DataDirectory.open(data)
        again.lock()
        again.release()
    assert raised.value.hint
    return raised.value


def test_a_first_start_answers_and_says_where(tmp_path):
    with serving(tmp_path / "data") as served:
        served.ready()
        assert f"Console: {served.url}/console/" in served.said()
        assert "Setup token" not in served.said()  # loopback, no proxy: only this machine can knock
        assert served.stop() == 0
    assert not (tmp_path / "data" / "quarterdeck.db-wal").exists()


def test_a_second_server_is_refused_with_the_process_that_has_the_directory(tmp_path):
    with serving(tmp_path / "data") as first:
        first.ready()
        with serving(tmp_path / "data") as second:
            assert second.ends() == 1
            assert f"is in use by process {first.process.pid}" in second.said()
            assert "--data-dir" in second.said()


def test_a_taken_port_is_named_and_the_directory_given_back(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serving(tmp_path / "data", port=port) as served:
            assert served.ends() == 1
            assert f"listen_failed: Port {port} of 127.0.0.1 cannot be had" in served.said()
            assert "--port" in served.said()
            assert "Traceback" not in served.said()
        assert not (tmp_path / "data").exists()
        closed(Instance.open(settings(tmp_path / "data")))
        with serving(tmp_path / "data", port=port) as served:
            assert served.ends() == 1
    closed(Instance.open(settings(tmp_path / "data")))


def test_a_host_that_is_not_ours_is_refused(tmp_path):
    with pytest.raises(Problem) as raised:
        listen("192.0.2.1", 0)
    assert raised.value.code == "listen_failed"


def test_a_newer_schema_is_refused_and_the_lock_given_back(tmp_path):
    data = tmp_path / "data"
    closed(Instance.open(settings(data)))
    with sqlite3.connect(data / "quarterdeck.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert refused(data).code == "schema_newer_than_program"


def test_a_master_key_that_others_may_read_stops_the_start(tmp_path):
    data = tmp_path / "data"
    closed(Instance.open(settings(data)))
    (data / "master.key").chmod(0o644)
    assert refused(data).code == "master_key_permissions"


def test_a_missing_master_key_stops_the_start(tmp_path):
    data = tmp_path / "data"
    closed(Instance.open(settings(data)))
    (data / "master.key").unlink()
    assert refused(data).code == "master_key_missing"
    assert not (data / "master.key").exists()


def test_a_key_backend_that_is_down_stops_the_start_and_nothing_is_made_anew(tmp_path):
    data = tmp_path / "data"
    with transit_server() as server:
        given = {"key_backend": "transit", "transit_address": server.url, "transit_token": OPERATOR}
        server.sealed = True
        assert refused(data, **given).code == "key_backend_unavailable"
        assert not (data / "master.key").exists()
        server.sealed = False
        closed(Instance.open(settings(data, **given)))
        (data / "runtime" / "installations" / "of-another").mkdir(parents=True)
        closed(Instance.open(settings(data, **given)))  # an installation, though it has no master key here
    assert refused(data, **given).code == "key_backend_unavailable"
    assert refused(data).code == "key_backend_not_configured"
    assert not (data / "master.key").exists()


def test_a_master_key_that_cannot_be_read_stops_the_start(tmp_path):
    data = tmp_path / "data"
    closed(Instance.open(settings(data)))
    (data / "master.key").unlink()
    (data / "master.key").mkdir()
    assert refused(data).code.startswith("master_key")


def test_a_damaged_database_stops_the_start(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "quarterdeck.db").write_bytes(b"no database at all" * 500)
    assert refused(data).code == "database_damaged"


def test_an_unreachable_database_stops_the_start_without_its_password(tmp_path):
    problem = refused(tmp_path / "data", database_url="postgresql://deck:hunter2@127.0.0.1:1/deck")
    assert problem.code == "database_unavailable"
    assert "hunter2" not in f"{problem.message}{problem.hint}"


def test_files_are_ours_alone_and_applications_can_pass(tmp_path):
    data = tmp_path / "data"
    instance = Instance.open(settings(data))
    try:
        for name in ("quarterdeck.db", "logs.db", "master.key", "lock"):
            assert (data / name).stat().st_mode & 0o077 == 0, name
        assert (data.stat().st_mode & 0o777) == (0o711 if os.geteuid() == 0 else 0o700)
    finally:
        closed(instance)


def test_an_upgrade_leaves_a_backup_beside_the_database(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    create(data / "quarterdeck.db", revisions()[-2], lambda _connection: None)
    closed(Instance.open(settings(data)))
    (made,) = (data / "backups").iterdir()
    assert made.name.startswith(f"quarterdeck-{revisions()[-2]}-")


def test_the_instance_is_the_same_after_a_restart(tmp_path):
    first, second = (closed(Instance.open(settings(tmp_path / "data"))).uid for _ in range(2))
    assert first == second


def test_it_serves_on_either_database(database_address, database_kind, tmp_path):
    address = str(database_address) if database_kind == "postgresql" else None
    with serving(tmp_path / "data", database_url=address) as served:
        served.ready()
        assert (tmp_path / "data" / "quarterdeck.db").exists() == (database_kind == "sqlite")
        assert served.stop() == 0
