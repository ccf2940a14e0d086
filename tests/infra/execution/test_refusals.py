"""What is refused, with what to do next, and without anything having been changed."""

from __future__ import annotations

import shutil

import msgspec
import pytest
from tests.infra.execution.workbench import FULL, LOCAL, MINIMAL

from quarterdeck.infra.execution.orders import Cloud, Module, SavedPlan
from quarterdeck.kernel.errors import Problem
from real.git_server import git, git_server, repository

GOOD = 'resource "terraform_data" "one" {\n  input = "one"\n}\n'


async def refusal(bench, order) -> Problem:
    with pytest.raises(Problem) as refused:
        await bench.run(order)
    assert refused.value.hint
    assert [name for name in bench.left if name != "infra-work"] == []
    return refused.value


# The saved plan.


@pytest.mark.parametrize("wrong", ["sha256", "size", "content"])
async def test_another_plan_than_the_one_that_was_read_is_not_applied(bench, server, wrong):
    plan = await bench.plan(MINIMAL)
    if wrong == "content":
        server.artefacts[plan.job] = server.artefacts[plan.job][:-1] + b"x"
    else:
        plan = msgspec.structs.replace(plan, **({"sha256": "0" * 64} if wrong == "sha256" else {"size": plan.size - 1}))
    refused = await refusal(bench, bench.order("DEPLOY", MINIMAL, plan=plan))
    assert refused.code == "infra_artefact_differs"
    assert bench.ledger.phases == ["prepare", "download"]
    assert server.state is None


async def test_a_plan_that_is_not_there_is_never_replaced_by_a_new_one(bench, server):
    plan = await bench.plan(MINIMAL)
    server.artefacts.clear()
    refused = await refusal(bench, bench.order("DEPLOY", MINIMAL, plan=plan))
    assert refused.code == "infra_artefact_refused"
    assert server.state is None


async def test_a_plan_whose_state_moved_on_is_not_applied(bench, server):
    plan = await bench.plan(MINIMAL)
    await bench.run(bench.order("DEPLOY", {**MINIMAL, "queues": [{"name": "work"}]}))
    before = server.state
    refused = await refusal(bench, bench.order("DEPLOY", MINIMAL, plan=plan))
    assert refused.code == "infra_plan_stale"
    assert server.state == before


async def test_a_plan_that_was_applied_is_not_applied_again(bench, server):
    plan = await bench.plan(MINIMAL)
    await bench.run(bench.order("DEPLOY", MINIMAL, plan=plan))
    refused = await refusal(bench, bench.order("DEPLOY", MINIMAL, plan=plan))
    assert refused.code == "infra_plan_stale"


@pytest.mark.parametrize("job", ["../../etc", "a/b", "", "x" * 65])
async def test_the_name_of_a_plans_job_leads_nowhere_else(bench, server, job):
    refused = await refusal(bench, bench.order("DEPLOY", MINIMAL, plan=SavedPlan(job, "0" * 64, 10)))
    assert refused.code == "infra_order_invalid"


async def test_garbage_in_the_place_of_a_plan_is_refused(bench, server):
    from hashlib import sha256

    server.artefacts["plan-9"] = garbage = b"no archive at all"
    plan = SavedPlan("plan-9", sha256(garbage).hexdigest(), len(garbage))
    refused = await refusal(bench, bench.order("DEPLOY", MINIMAL, plan=plan))
    assert refused.code == "infra_plan_unreadable"


# The server.


async def test_a_server_that_is_away_for_a_moment_is_asked_again(bench, server):
    answers = iter([503, 502])
    server.answer = lambda method, path: next(answers, None) if path.endswith("/plan-artifact") else None
    await bench.run(bench.order("PLAN", MINIMAL))
    assert "plan-1" in server.artefacts
    assert bench.ledger.text.count("trying again") == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [(503, "infra_server_unreachable"), (401, "infra_artefact_refused"), (200, "infra_artefact_refused"),
     (302, "infra_artefact_refused"), (413, "infra_plan_too_large")],
)  # fmt: skip
async def test_a_plan_that_is_not_kept_is_not_told(bench, server, status, code):
    server.answer = lambda method, path: status if path.endswith("/plan-artifact") else None
    refused = await refusal(bench, bench.order("PLAN", MINIMAL))
    assert refused.code == code
    assert bench.ledger.of("plan") == []


async def test_a_state_that_somebody_holds_is_left_alone(bench, server):
    server.lock = {"ID": "other", "Operation": "apply", "Who": "ada"}
    refused = await refusal(bench, bench.order("PLAN", MINIMAL))
    assert refused.code == "infra_state_locked"
    assert server.lock["ID"] == "other"


async def test_a_credential_that_has_ended_reads_no_state(bench, server):
    order = bench.order("PLAN", MINIMAL)
    server.passwords[order.job] = "another by now"
    refused = await refusal(bench, order)
    assert refused.code == "infra_state_unavailable"


# The machine.


@pytest.fixture
def path_of(tmp_path):
    """A PATH with these programs and nothing else."""

    def make(*programs: str, **scripts: str) -> str:
        directory = tmp_path / f"bin-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        for name in (*programs, "sh", "git", "setpriv", "cat", "sleep", "env"):
            found = shutil.which(name)
            assert found, name
            (directory / name).symlink_to(found)
        for name, text in scripts.items():
            (directory / name).write_text(f"#!/bin/sh\n{text}\n")
            (directory / name).chmod(0o755)
        return str(directory)

    return make


async def test_a_machine_without_terraform_says_so_and_fetches_none(bench, path_of):
    bench.environment["PATH"] = path_of()
    refused = await refusal(bench, bench.order("PLAN", MINIMAL))
    assert refused.code == "infra_terraform_missing"


async def test_a_version_that_is_not_there_is_refused_with_what_is(bench):
    refused = await refusal(bench, bench.order("PLAN", {**MINIMAL, "terraform_version": "0.11.4"}))
    assert refused.code == "infra_terraform_version"
    assert "terraform 1." in refused.message


async def test_a_version_that_is_none_is_refused(bench):
    refused = await refusal(bench, bench.order("PLAN", {**MINIMAL, "terraform_version": "newest; rm -rf /"}))
    assert refused.code == "infra_version_invalid"


async def test_tofu_goes_before_terraform_where_its_version_fits(bench, path_of):
    real = shutil.which("terraform")
    told = '{"terraform_version":"1.9.1"}'
    tofu = f"""if [ "$1" = version ]; then echo '{told}'; else exec {real} "$@"; fi"""
    bench.environment["PATH"] = path_of("terraform", tofu=tofu)
    await bench.run(bench.order("PLAN", {**MINIMAL, "terraform_version": ">= 1.6"}))
    assert bench.ledger.of("plan")[0]["program"] == "tofu"
    await bench.run(bench.order("PLAN", {**MINIMAL, "terraform_version": ">= 1.10"}))
    assert bench.ledger.of("plan")[0]["program"] == "terraform"


# The module.


async def test_a_module_of_a_repository_is_planned_at_its_commit(bench, forge):
    module = forge.module({"infra/main.tf": GOOD, "infra/shared/x.tf": ""}, path="infra")
    git(forge.directory / "modules", "commit", "--quiet", "--allow-empty", "--message", "Later")
    await bench.run(bench.order("PLAN", MINIMAL, module=module))
    assert [one["address"] for one in bench.ledger.of("plan")[0]["changes"]] == ["terraform_data.one"]


async def test_a_private_repository_is_read_with_its_token_which_stands_nowhere(bench, tmp_path):
    directory = tmp_path / "private"
    with git_server(directory, "x-access-token", "token-of-the-forge") as url:
        commit = repository(directory / "modules", {"main.tf": GOOD})
        module = Module(kind="git", url=f"{url}/modules", commit=commit, token="token-of-the-forge")
        await bench.run(bench.order("PLAN", MINIMAL, module=module))
        assert bench.ledger.of("plan")[0]["summary"]["create"] == 1
        assert "token-of-the-forge" not in str(bench.ledger.records) + bench.ledger.text
        refused = await refusal(
            bench, bench.order("PLAN", MINIMAL, module=msgspec.structs.replace(module, token="wrong-token"))
        )
    assert refused.code == "infra_module_unreachable"
    assert "wrong-token" not in refused.message + bench.ledger.text


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"main.tf": "resource {{{ nonsense"}, "infra_init_failed"),
        ({"main.tf": "\0\1\2 binary"}, "infra_init_failed"),
        ({"README.md": "nothing here"}, "infra_module_invalid"),
        ({"main.tf": 'resource "terraform_data" "x" {\n  input = var.unknown\n}\n'}, "infra_plan_failed"),
        ({"main.tf": 'variable "must" {}\n'}, "infra_plan_failed"),
        ({"main.tf.json": "[[[["}, "infra_init_failed"),
    ],
    ids=["nonsense", "binary", "empty", "unknown-variable", "missing-variable", "json"],
)
async def test_a_module_that_is_garbage_is_told_from_a_machine_that_fails(bench, server, forge, files, code):
    refused = await refusal(bench, bench.order("PLAN", MINIMAL, module=forge.module(files)))
    assert refused.code == code
    assert server.lock is None


@pytest.mark.parametrize("path", ["..", "../outside", "infra/../..", "/etc", ".git", "a\\b", "missing", "main.tf"])
async def test_a_path_stays_within_the_repository(bench, forge, path):
    module = forge.module({"main.tf": GOOD, "infra/main.tf": GOOD}, path=path)
    refused = await refusal(bench, bench.order("PLAN", MINIMAL, module=module))
    assert refused.code == "infra_module_invalid"


async def test_a_path_through_a_link_is_refused(bench, forge, tmp_path):
    module = forge.module({"main.tf": GOOD})
    repo = forge.directory / "modules"
    (tmp_path / "outside").mkdir()
    (repo / "away").symlink_to(tmp_path / "outside")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "Link")
    commit = git(repo, "rev-parse", "HEAD")
    refused = await refusal(
        bench, bench.order("PLAN", MINIMAL, module=msgspec.structs.replace(module, commit=commit, path="away"))
    )
    assert refused.code == "infra_module_invalid"


async def test_a_commit_that_is_not_there_is_refused(bench, forge):
    module = msgspec.structs.replace(forge.module({"main.tf": GOOD}), commit="0" * 40)
    refused = await refusal(bench, bench.order("PLAN", MINIMAL, module=module))
    assert refused.code == "infra_commit_missing"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc", "infra_module_invalid"),
        ("ssh://git@host/x", "infra_module_invalid"),
        ("ext::sh -c id", "source_locator_invalid"),
        ("--upload-pack=id", "source_locator_invalid"),
    ],
)
async def test_only_addresses_over_http_are_fetched(bench, url, code):
    module = Module(kind="git", url=url, commit="0" * 40)
    assert (await refusal(bench, bench.order("PLAN", MINIMAL, module=module))).code == code


@pytest.mark.parametrize("commit", ["main", "HEAD", "0" * 39, "--help", ""])
async def test_a_branch_is_no_commit(bench, commit):
    module = Module(kind="git", url="https://git.example.net/x", commit=commit)
    assert (await refusal(bench, bench.order("PLAN", MINIMAL, module=module))).code == "infra_module_invalid"


@pytest.mark.parametrize(
    "own",
    [
        'terraform {\n  backend "local" {\n    path = "/tmp/stolen.tfstate"\n  }\n}\n',
        'terraform {\n  backend "http" {\n    address = "http://127.0.0.1:1/elsewhere"\n  }\n}\n',
        'terraform {\n  cloud {\n    organization = "other"\n    workspaces {\n      name = "other"\n    }\n  }\n}\n',
    ],
    ids=["local", "http", "cloud"],
)
async def test_the_backend_of_a_module_is_overridden(bench, server, forge, tmp_path, own):
    await bench.deploy(MINIMAL, module=forge.module({"main.tf": own.replace("/tmp", str(tmp_path)) + GOOD}))
    assert server.resources() == ["terraform_data.one"]
    assert not list(tmp_path.rglob("*.tfstate"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("zz_override.tf", 'terraform {\n  backend "local" {}\n}\n'),
        ("override.tf", 'terraform {\n  backend "http" {\n    address = "http://127.0.0.1:1/x"\n  }\n}\n'),
        ("zz_override.tf.json", '{"terraform": {"back\\u0065nd": {"local": {}}}}'),
        ("zz_override.tf", 'terraform {\n  cloud /* hidden */ {\n    organization = "x"\n  }\n}\n'),
        ("zz_override.tofu", 'terraform {\n  backend "local" {}\n}\n'),
        (
            "zz_override.tf.json",
            f'{{"terraform": {{"\\u0062ackend": {{"local": {{}}}}, "//": {"[" * 3000}{"]" * 3000}}}}}',
        ),
        ("zz_override.tf.json", '{"terraform": {"\\u0062ackend": {"local": {}}}, "terraform": {}}'),
        ("zz_override.tf.json", '{"terraform": {"\\u0062ackend": {"local": {}}}} # no JSON'),
    ],
    ids=["local", "http", "json", "cloud", "tofu", "deep json", "hidden by a second key", "no json"],
)
async def test_a_module_that_insists_on_another_backend_is_refused_before_it_is_initialized(
    bench, server, forge, name, text
):
    module = forge.module({"main.tf": GOOD, name: text})
    refused = await refusal(bench, bench.order("PLAN", MINIMAL, module=module))
    assert refused.code == "infra_backend_overridden"
    assert bench.ledger.phases == ["prepare"]
    assert server.requests == []


async def test_a_link_in_the_place_of_our_file_is_not_followed(bench, forge, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    forge.module({"main.tf": GOOD})
    repo = forge.directory / "modules"
    for name in ("quarterdeck_override.tf", "errored.tfstate", ".terraform.lock.hcl", "terraform.tfstate"):
        (repo / name).symlink_to(victim)
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "Links")
    module = Module(kind="git", url=f"{forge.url}/modules", commit=git(repo, "rev-parse", "HEAD"))
    with pytest.raises(Problem):
        await bench.run(bench.order("PLAN", MINIMAL, module=module))
    assert victim.read_text() == "untouched"


async def test_a_module_gets_what_it_declares_and_what_the_specification_gives(bench, forge):
    files = {
        "main.tf": 'resource "terraform_data" "x" {\n  input = [var.project_name, var.databases, var.extra]\n}\n',
        "variables.tf": 'variable "project_name" {}\nvariable "databases" {}\nvariable "extra" {}\n',
    }
    module = forge.module(files)
    await bench.run(bench.order("PLAN", {**FULL, "variables": {"extra": "given"}}, module=module))
    (change,) = bench.ledger.of("plan")[0]["changes"]
    assert change["after"]["input"][0] == "ledger"
    assert change["after"]["input"][1][0]["name"] == "main"
    assert change["after"]["input"][2] == "given"
    assert "undeclared variable" not in bench.ledger.text


# Who may run what.


async def test_the_servers_own_worker_takes_no_module_of_a_repository(bench, forge):
    bench.own = True
    refused = await refusal(bench, bench.order("PLAN", MINIMAL, module=forge.module({"main.tf": GOOD})))
    assert refused.code == "infra_needs_runner"


async def test_the_servers_own_worker_takes_no_identity_of_a_cloud(bench):
    bench.own = True
    refused = await refusal(bench, bench.order("PLAN", MINIMAL, cloud=Cloud(provider="aws")))
    assert refused.code == "infra_needs_runner"
    await bench.run(bench.order("PLAN", MINIMAL))


@pytest.mark.parametrize("job_type", ["PLAN", "CONNECTION_TEST", "FETCH_RESOURCES"])
async def test_a_cloud_that_nobody_knows_is_refused(bench, job_type):
    refused = await refusal(bench, bench.order(job_type, MINIMAL, cloud=Cloud(provider="elsewhere")))
    assert refused.code == "infra_cloud_unsupported"


async def test_a_job_of_another_release_is_refused(bench):
    assert (await refusal(bench, bench.order("BOOTSTRAP"))).code == "infra_order_invalid"


async def test_a_template_that_does_not_exist_is_refused(bench):
    order = bench.order("PLAN", module=Module(kind="bundled", name="../execution"))
    assert (await refusal(bench, order)).code == "infra_module_unknown"
    assert LOCAL.name == "local"
