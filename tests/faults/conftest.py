"""Yards that modules of this directory share: one application each on a server behind SSH, to which things happen."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.client import signed_in
from e2e.conftest import own_database
from e2e.over_ssh import key_pair, register
from e2e.repositories import Repositories
from e2e.server import Deck
from e2e.test_load import COMPOSE
from faults.schedules import Yard
from real import base_images
from real.git_server import git_server
from real.host import machine


@pytest.fixture(scope="package")
def yard(request: pytest.FixtureRequest) -> Iterator[Yard]:
    """Its parameter: the kind of application, the database, where the worker is."""
    kind, database_kind, worker = request.param
    directory = Path(tempfile.mkdtemp(prefix="qd-sch-"))
    directory.chmod(0o711)
    cords = {name: directory / name for name in ("server", "worker")}
    for cord in (*cords.values(), directory / "git"):
        cord.mkdir()
    private_key, public_line = key_pair()
    with contextlib.ExitStack() as after:
        after.callback(shutil.rmtree, directory, ignore_errors=True)
        url = after.enter_context(contextlib.contextmanager(own_database)(database_kind, request))
        git = after.enter_context(git_server(directory / "git"))
        deck = Deck(directory / "data", database_url=url, remote_worker=worker == "remote")
        after.callback(deck.destroy)
        there = after.enter_context(machine(5, authorized=[public_line], engine=kind != "process", disk="400m"))
        deck.start(server_faults=cords["server"], worker_faults=cords["worker"])
        client = after.enter_context(signed_in(deck))
        server = register(client, there, private_key)
        name = "-".join(request.param)
        repository = Repositories(directory / "git", git).sample("sockets", f"schedules-{name}")
        shape: dict[str, object] = {}
        if kind == "stack":
            repository.change({"compose.yml": COMPOSE})
            shape = {"port": None, "kind": "compose-stack"}
        elif kind == "process":
            (repository.directory / "Dockerfile").unlink()
            shape = {"runtime": {"strategy": "workspace-commands", "startCommand": "python3 server.py"}}
        if kind != "process":
            base_images.ensure(there.docker_host, ["python", "busybox"])
        made = Yard(name, deck, client, there, server, repository, shape, cords, kind != "process")
        made.begin()
        yield made
