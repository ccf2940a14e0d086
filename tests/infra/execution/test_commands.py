"""Commands and environments, whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.fleet.git.commands import environment as git_environment
from quarterdeck.fleet.git.locators import parse
from quarterdeck.infra.execution import commands, modules, versions
from quarterdeck.infra.execution.commands import Layout
from quarterdeck.infra.execution.executing import host_settings
from quarterdeck.infra.execution.orders import Place
from quarterdeck.infra.execution.versions import Program
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import Secret

PLANNED = "-var-file=/w/terraform.tfvars.json -out=/w/terraform.plan.out"
LAYOUT = Layout(Path("/w"), Path("/w/module"))
PLACE = Place("/api/jobs/j1", "j1", "word")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (commands.version("tofu"), "tofu version -json"),
        (commands.init("tofu", locked=False), "tofu init -input=false -no-color -reconfigure"),
        (commands.init("tofu", locked=True), "tofu init -input=false -no-color -reconfigure -lockfile=readonly"),
        (
            commands.plan("tofu", LAYOUT),
            f"tofu plan -input=false -no-color -detailed-exitcode {PLANNED}",
        ),
        (
            commands.plan("tofu", LAYOUT, destroy=True),
            f"tofu plan -input=false -no-color -detailed-exitcode -destroy {PLANNED}",
        ),
        (commands.show("tofu", LAYOUT), "tofu show -json -no-color /w/terraform.plan.out"),
        (commands.apply("tofu", LAYOUT), "tofu apply -input=false -no-color /w/terraform.plan.out"),
        (commands.output("tofu"), "tofu output -json -no-color"),
        (commands.push("tofu", LAYOUT), "tofu state push -no-color /w/module/errored.tfstate"),
        (commands.cost(LAYOUT), "infracost breakdown --path /w/plan.json --format json --no-color"),
    ],
)
def test_a_command_is_exactly_this(made, expected):
    assert " ".join(made) == expected


def test_the_environment_is_exactly_this():
    host = {
        "PATH": "/bin", "HOME": "/root", "AWS_ACCESS_KEY_ID": "x", "TF_VAR_a": "x", "TF_CLI_ARGS": "-x",
        "LD_PRELOAD": "x",
        "https_proxy": "http://p", "TF_CLI_CONFIG_FILE": "/etc/terraformrc", "SSL_CERT_FILE": "/etc/ca.pem",
    }  # fmt: skip
    made = commands.environment(
        LAYOUT, "https://deck.example.com/", PLACE, host, {"AWS_SESSION_TOKEN": "t", "PATH": "no"}
    )
    plain = {name: value for name, value in made.items() if not isinstance(value, Secret)}
    assert plain == {
        "PATH": "/bin",
        "https_proxy": "http://p",
        "TF_CLI_CONFIG_FILE": "/etc/terraformrc",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "HOME": "/w/home",
        "TMPDIR": "/w/tmp",
        "TF_DATA_DIR": "/w/data",
        "QUARTERDECK_PROCESS": "w",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "TF_HTTP_ADDRESS": "https://deck.example.com/api/jobs/j1/state",
        "TF_HTTP_LOCK_ADDRESS": "https://deck.example.com/api/jobs/j1/state/lock",
        "TF_HTTP_LOCK_METHOD": "POST",
        "TF_HTTP_UNLOCK_ADDRESS": "https://deck.example.com/api/jobs/j1/state/lock",
        "TF_HTTP_UNLOCK_METHOD": "DELETE",
        "TF_HTTP_RETRY_MAX": "5",
        "TF_HTTP_USERNAME": "j1",
    }
    secret = {name: value.reveal() for name, value in made.items() if isinstance(value, Secret)}
    assert secret == {"TF_HTTP_PASSWORD": "word", "AWS_SESSION_TOKEN": "t"}


def test_the_hosts_own_settings_of_terraform_count(tmp_path):
    assert "TF_CLI_CONFIG_FILE" not in host_settings({"HOME": str(tmp_path)})
    assert "TF_CLI_CONFIG_FILE" not in host_settings({"TF_CLI_CONFIG_FILE": str(tmp_path / "gone")})
    (tmp_path / ".terraformrc").touch()
    assert host_settings({"HOME": str(tmp_path)})["TF_CLI_CONFIG_FILE"] == str(tmp_path / ".terraformrc")
    (tmp_path / "named").touch()
    given = {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(tmp_path / "named")}
    assert host_settings(given)["TF_CLI_CONFIG_FILE"] == str(tmp_path / "named")


def test_a_fetch_has_neither_history_nor_submodules_nor_a_credential_in_its_arguments():
    env = git_environment(parse("https://git.example.net/x"), Path("/w/home"))
    begin, fetch = modules.fetch_commands("https://git.example.net/x", Path("/w/git"), "a" * 40, env)
    assert " ".join(begin.argv) == "git init --quiet --bare --template= -- /w/git"
    assert " ".join(fetch.argv) == (
        "git --git-dir=/w/git fetch --quiet --no-tags --no-write-fetch-head --no-recurse-submodules --depth=1 -- "
        f"https://git.example.net/x +{'a' * 40}:refs/quarterdeck/source"
    )
    out = modules.checkout_command(Path("/w/git"), Path("/w/module"), "a" * 40, env)
    assert " ".join(out.argv) == (
        f"git --git-dir=/w/git --work-tree=/w/module checkout --quiet --force --detach {'a' * 40} --"
    )


@pytest.mark.parametrize(
    ("rule", "fitting", "others"),
    [
        ("", ["0.1.0", "1.11.4"], []),
        ("1.11.4", ["1.11.4", "1.11.9"], ["1.11.3", "1.12.0", "2.11.4"]),
        ("1.11", ["1.11.0", "1.11.9"], ["1.10.9", "1.12.0"]),
        ("= 1.11.4", ["1.11.4"], ["1.11.5"]),
        (">= 1.6, < 2", ["1.6.0", "1.99.1"], ["1.5.9", "2.0.0"]),
        ("!= 1.6.0, >= 1.5", ["1.5.0", "1.6.1"], ["1.6.0", "1.4.0"]),
        ("~> 1.6", ["1.6.0", "1.9.0"], ["1.5.0", "2.0.0"]),
        ("~> 1.6.2", ["1.6.2", "1.6.9"], ["1.6.1", "1.7.0"]),
        ("<= 1.6, > 1.4.2", ["1.6.0", "1.4.3"], ["1.6.1", "1.4.2"]),
        ("v1.9", ["1.9.3"], ["1.8.0"]),
    ],
)
def test_a_version_fits_or_not(rule, fitting, others):
    wanted = versions.wanted(rule)
    assert [one for one in (*fitting, *others) if wanted.fits("terraform", one)] == fitting


@pytest.mark.parametrize("text", ["latest", ">= x", "1.2.3.4", "~>", "1; 2", ">> 1", "tofu newest"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(Problem) as refused:
        versions.wanted(text)
    assert refused.value.code == "infra_version_invalid"


TOFU, TERRAFORM = Program("tofu", "/bin/tofu", "1.9.1"), Program("terraform", "/bin/terraform", "1.11.4")


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [
        ("", TOFU),
        ("1.11.4", TERRAFORM),
        ("terraform", TERRAFORM),
        ("opentofu 1.9", TOFU),
        ("terraform >= 1", TERRAFORM),
    ],
)
def test_the_program_that_was_asked_for_is_chosen_and_tofu_before_terraform(rule, chosen):
    assert versions.choose(versions.wanted(rule), [TOFU, TERRAFORM]) == chosen


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(Problem) as refused:
        versions.choose(versions.wanted("tofu 1.9"), [TERRAFORM])
    assert "asks for tofu 1.9" in refused.value.message
