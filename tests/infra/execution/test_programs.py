"""What a worker finds on its machine when it starts, and what the server makes of it."""

from __future__ import annotations

import os
import shutil

import pytest

from quarterdeck.cli.commands import worker
from quarterdeck.infra.execution import programs


def program(directory, name, text):
    place = directory / name
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)


async def test_the_machines_own_terraform_is_found_with_its_version():
    found = await programs.present(os.environ)
    assert found["terraform"].startswith("1.")
    assert programs.told(["infra", *programs.words(found)]) == found


@pytest.mark.parametrize("text", ["exit 1", "echo nonsense", "echo '{}'", "echo []", "exec sleep 60"])
async def test_a_program_that_says_no_version_is_none(tmp_path, monkeypatch, text):
    monkeypatch.setattr(programs, "SECONDS", 0.3)
    program(tmp_path, "tofu", text)
    path = f"{tmp_path}:{os.path.dirname(shutil.which('sh'))}" if "sleep" in text else str(tmp_path)  # noqa: PTH120
    assert "tofu" not in await programs.present({"PATH": path})


async def test_a_worker_without_a_program_says_so_and_offers_no_infrastructure(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    async with worker.Workshop(tmp_path, "http://127.0.0.1:1") as workshop:
        assert await workshop.begin(["infra", "deploy"]) == frozenset()
        assert workshop.unable == {"infra", "infra:drift"}
    assert "neither OpenTofu (tofu) nor Terraform (terraform)" in capsys.readouterr().err


async def test_a_worker_with_a_program_offers_infrastructure_and_tells_the_version(tmp_path, monkeypatch, capsys):
    program(tmp_path, "tofu", 'echo \'{"terraform_version": "1.9.1"}\'')
    monkeypatch.setenv("PATH", str(tmp_path))
    async with worker.Workshop(tmp_path, "http://127.0.0.1:1") as workshop:
        assert await workshop.begin(["infra"]) == {"infra:program:tofu:1.9.1"}
        assert workshop.unable == frozenset()
        assert await workshop.begin(["deploy"]) == frozenset()
    assert capsys.readouterr().err == ""


def test_what_a_worker_offers_besides_is_no_program():
    offered = ["infra", "infra:program:", "infra:program:curl:8", "infra:program:tofu:", "infra:program:terraform:1.2"]
    assert programs.told(offered) == {"terraform": "1.2"}
