"""The bundled templates: well-formed, pinned, and mapping every documented section of a specification."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.infra.execution.workbench import FULL, MINIMAL

from quarterdeck.infra.execution import rendering
from quarterdeck.infra.execution.modules import BUNDLED, TEMPLATES, template_files

SPECIFIED = [name for name in BUNDLED if not name.startswith("runner")]
CLOUDS = [name for name in SPECIFIED if name != "local"]
RUNNER = {
    "worker_id": "0b5c9a1e-1f3e-4d5f-9a55-5a0c1b1f6f11", "worker_token": "token-of-the-runner", "worker_name": "pool",
    "image_tag": "0.4.0", "region": "eu-west-1", "cloud_provider": "aws", "trellis_url": "https://deck.example.com",
    "cpu": 512, "memory": 1024, "image_repository": "registry.example.com/runner",
}  # fmt: skip
SECTIONS = (*rendering.SECTIONS, *rendering.LISTS)


def terraform(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it there, with nothing of this machine but where providers come from."""
    passed = {name: os.environ[name] for name in ("PATH", "TF_CLI_CONFIG_FILE") if name in os.environ}
    environment = {**passed, "HOME": str(directory), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    return subprocess.run(
        ["terraform", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(params=BUNDLED)
def template(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    for file in template_files(request.param):
        shutil.copy(file, tmp_path)
    return request.param, tmp_path


def test_every_template_is_formatted_and_parsed(template):
    _, place = template
    done = terraform(place, "fmt", "-check", "-diff")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_template_is_whole_and_its_providers_are_pinned(template):
    """Terraform reads all of it for this, and asks no provider."""
    name, place = template
    done = terraform(place, "providers", "-no-color")
    assert done.returncode == 0, done.stderr
    required = re.findall(r"provider\[(\S+?)\] ?(\S*)", done.stdout)
    for provider, version in required:
        assert provider.endswith("/builtin/terraform") or re.fullmatch(r"\d+\.\d+\.\d+", version), (name, provider)
    assert (name == "local") == all(provider.endswith("/builtin/terraform") for provider, _ in required)


def test_no_template_says_where_its_state_is(template):
    _, place = template
    assert not [file for file in place.iterdir() if "backend" in file.read_text()]


@pytest.mark.parametrize("name", SPECIFIED)
def test_every_documented_section_is_a_variable_that_the_template_uses(name):
    text = "\n".join(file.read_text() for file in template_files(name) if file.name != "specification.tf")
    mapped = [*SECTIONS, "project_name", "environment_stage", "region"]
    if name in CLOUDS:
        mapped.remove("repositories")  # what fills it is no infrastructure
    assert [section for section in mapped if f"var.{section}" not in text] == []
    declared = rendering.declared_by(TEMPLATES)
    assert declared == {*SECTIONS, *rendering.PLAIN, "cloud_account_id"}


def test_the_runners_stack_declares_what_a_runner_is_given():
    assert rendering.declared_by(TEMPLATES / "runner_aws") == set(rendering.RUNNER)


def test_a_full_snapshot_becomes_variables_without_what_we_have_added(tmp_path):
    values = rendering.variables(FULL, None)
    assert set(values) == {*SECTIONS, *rendering.PLAIN}
    assert "status" not in values["network"]
    assert "network_id" not in values["network"], "nothing is the same as null"
    assert rendering.variables(MINIMAL, None) == MINIMAL
    assert rendering.variables({"network": None, "queues": None, "databases": ["x"]}, None) == {"databases": []}


def test_words_of_other_generations_are_understood():
    snapshot = {"queues": [{"name": "a", "ordered": True}], "nosql_tables": [{"name": "t", "partition_key": "k"}]}
    values = rendering.variables(snapshot, None)
    assert values["queues"][0]["fifo"] is True
    assert values["nosql_tables"][0]["hash_key"] == "k"


@pytest.mark.parametrize("snapshot", [FULL, MINIMAL], ids=["full", "minimal"])
def test_the_local_template_plans_every_snapshot(tmp_path, snapshot):
    for file in template_files("local"):
        shutil.copy(file, tmp_path)
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps(rendering.variables(snapshot, None)))
    for arguments in (("init", "-input=false"), ("validate",), ("plan", "-input=false", "-lock=false")):
        done = terraform(tmp_path, *arguments, "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout


def mirrored() -> list[str]:
    """The templates whose providers this machine has a mirror of, in the host's own settings of terraform."""
    settings = Path(os.environ.get("TF_CLI_CONFIG_FILE") or Path.home() / ".terraformrc")
    text = settings.read_text() if settings.is_file() else ""
    mirrors = [Path(found) for found in re.findall(r'^\s*path\s*=\s*"([^"]+)"', text, re.MULTILINE)]
    needed = {name: re.findall(r'source\s*=\s*"(\S+)"', (TEMPLATES / BUNDLED[name] / "main.tf").read_text())
              for name in BUNDLED if name != "local"}  # fmt: skip
    return [
        name
        for name, sources in needed.items()
        if sources and all(any(list(mirror.glob(f"*/{source}")) for mirror in mirrors) for source in sources)
    ]


if MIRRORED := mirrored():
    # Where no mirror is, there is no such test: providers are not fetched for it.
    @pytest.mark.parametrize("name", MIRRORED)
    def test_a_template_is_valid_for_its_providers(tmp_path, name):
        for file in template_files(name):
            shutil.copy(file, tmp_path)
        for arguments in (("init", "-input=false", "-backend=false"), ("validate",)):
            done = terraform(tmp_path, *arguments, "-no-color")
            assert done.returncode == 0, done.stdout + done.stderr


def test_what_a_runner_is_given_is_exactly_its_variables():
    values = rendering.runner_variables({**RUNNER, "user_id": "u", "runner_token": "other"})
    assert values == RUNNER
