"""A saved plan is applied only where it is what people read: it carries its own configuration, and its maker may be
anybody's program.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import msgspec
import pytest
from tests.infra.execution.workbench import FULL, MINIMAL

from quarterdeck.infra.execution import modules, planning, reviewing
from quarterdeck.infra.execution.commands import BACKEND, OVERRIDE
from quarterdeck.infra.execution.orders import SavedPlan
from quarterdeck.kernel.errors import Problem


def forged(bench, server, directory: Path, snapshot, *, extra: str = "", backend: str = BACKEND) -> bytes:
    """A saved plan that somebody has made by themselves, of the bundled template and something of their own."""
    directory.mkdir()
    for file in modules.template_files("local"):
        (directory / file.name).write_bytes(file.read_bytes())
    (directory / OVERRIDE).write_text(backend)
    if extra:
        (directory / "main.tf").write_text((directory / "main.tf").read_text() + extra)
    variables = directory / "terraform.tfvars.json"
    variables.write_text(json.dumps(snapshot))
    place = server.place("made-elsewhere")
    env = {
        **os.environ, "CHECKPOINT_DISABLE": "1", "TF_HTTP_ADDRESS": f"{server.url}{place.path}/state",
        "TF_HTTP_USERNAME": place.username, "TF_HTTP_PASSWORD": place.password,
    }  # fmt: skip
    for argv in (["init"], ["plan", "-lock=false", f"-var-file={variables}", "-out=plan.out"]):
        subprocess.run(["terraform", *argv, "-input=false"], cwd=directory, env=env, check=True, capture_output=True)
    return (directory / "plan.out").read_bytes()


async def applied(bench, server, honest: SavedPlan, content: bytes) -> str | None:
    """The code with which the apply of another file in the place of an honest plan fails."""
    server.artefacts[honest.job] = content
    plan = SavedPlan(honest.job, hashlib.sha256(content).hexdigest(), len(content), honest.reviewed)
    try:
        await bench.run(bench.order("DEPLOY", MINIMAL, plan=plan))
    except Problem as problem:
        assert "apply" not in bench.ledger.phases
        assert server.state is None
        return problem.code
    return None


async def test_a_forged_plan_runs_nothing_on_whoever_applies_it(bench, server, tmp_path):
    """Its list of changes is the one that was read: what it would run stands in its configuration alone."""
    honest, mark = await bench.plan(MINIMAL), tmp_path / "ran"
    first = next(
        line for line in (modules.TEMPLATES / "local" / "main.tf").read_text().splitlines() if "terraform_data" in line
    )
    name = first.split('"')[3]
    # An override adds the provisioner to a resource of the template: nothing more is planned than before.
    override = (
        f'{BACKEND}\nresource "terraform_data" "{name}" {{\n  provisioner "local-exec" {{\n'
        f'    command = "touch {mark}"\n  }}\n}}\n'
    )
    content = forged(bench, server, tmp_path / "forge", MINIMAL, backend=override)
    assert await applied(bench, server, honest, content) == "plan_differs"
    assert not mark.exists()


async def test_a_plan_with_a_file_of_its_own_is_not_applied(bench, server, tmp_path):
    honest = await bench.plan(MINIMAL)
    content = forged(bench, server, tmp_path / "forge", MINIMAL, extra='\nresource "terraform_data" "mine" {}\n')
    assert await applied(bench, server, honest, content) == "plan_differs"


async def test_a_plan_of_other_changes_than_were_read_is_not_applied(bench, server, tmp_path):
    honest = await bench.plan(MINIMAL)
    content = forged(bench, server, tmp_path / "forge", {**FULL, "id": "x"})
    assert await applied(bench, server, honest, content) == "plan_differs"


async def test_a_plan_that_names_where_its_state_is_gets_no_credential(bench, server, tmp_path):
    honest = await bench.plan(MINIMAL)
    named = f'terraform {{\n  backend "http" {{\n    address = "{server.url}/api/jobs/made-elsewhere/state"\n  }}\n}}\n'
    content = forged(bench, server, tmp_path / "forge", MINIMAL, backend=named)
    server.requests.clear()
    assert await applied(bench, server, honest, content) == "plan_differs"
    assert not [path for _, path in server.requests if "made-elsewhere" in path]


def test_a_plan_that_keeps_its_state_elsewhere_is_told_by_its_body_alone(tmp_path):
    def field(number: int, content: bytes) -> bytes:
        assert len(content) < 128
        return bytes([number << 3 | 2, len(content)]) + content

    def body(kind: bytes, config: object) -> bytes:
        packed = field(1, msgspec.msgpack.encode(config))
        return b"\x08\x03" + field(13, field(1, kind) + field(2, packed) + field(3, b"default"))

    reviewing._require_backend(body(b"http", {"address": None, "password": None}))
    for wrong in (body(b"local", {"path": None}), body(b"http", {"address": "http://x"}), body(b"http", [1])):
        with pytest.raises(Problem) as refused:
            reviewing._require_backend(wrong)
        assert refused.value.code == "plan_differs"
    for torn in (b"\x6a\x7f", b"\x6a", b"\xff" * 12, b"\x6f\x01"):
        with pytest.raises(ValueError, match=r"\d"):
            list(reviewing._fields(torn, 13))


async def test_the_plan_of_a_runner_that_told_its_changes_alone_is_compared_by_them(bench, server):
    """Foreign runners report Terraform's list of changes and nothing else of its JSON."""
    plan = await bench.plan(FULL)
    shown = json.loads(_shown(bench, server, plan))
    alone = planning.read(json.dumps({"resource_changes": shown["resource_changes"]}).encode(), changes_alone=True)
    plan.reviewed = reviewing.digest(alone.summary, alone.changes, "changes")
    await bench.run(bench.order("DEPLOY", FULL, plan=plan))
    assert server.resources()


async def test_a_plan_that_nobody_was_told_of_is_not_applied(bench, server):
    plan = await bench.plan(MINIMAL)
    plan.reviewed = ""
    with pytest.raises(Problem) as refused:
        await bench.run(bench.order("DEPLOY", MINIMAL, plan=plan))
    assert refused.value.code == "plan_differs"


async def test_a_plan_of_a_repository_with_called_modules_is_applied(bench, server, forge):
    module = forge.module(
        {
            "main.tf": 'module "inner" {\n  source = "./inner"\n}\n',
            "inner/main.tf": 'module "deep" {\n  source = "./deep"\n}\n',
            "inner/deep/main.tf": 'resource "terraform_data" "x" {}\n',
        }
    )
    plan = await bench.plan(MINIMAL, module=module)
    await bench.run(bench.order("DEPLOY", MINIMAL, plan=plan, module=module))
    assert server.resources() == ["terraform_data.x"]


def _shown(bench, server, plan: SavedPlan) -> bytes:
    place = bench.directory / "shown"
    place.mkdir()
    (place / "plan.out").write_bytes(server.artefacts[plan.job])
    return subprocess.run(["terraform", "show", "-json", "plan.out"], cwd=place, check=True, capture_output=True).stdout
