"""Rules of planning that no single fixture shows."""

from __future__ import annotations

import pytest

from quarterdeck.deploy.detection import MemoryTree, detect
from quarterdeck.deploy.planning import (
    BuildPlan,
    HealthPolicy,
    HostPlan,
    NetworkProfile,
    RuntimeProfile,
    plan,
    require_tools,
)
from quarterdeck.deploy.planning.profiles import HttpCheck
from quarterdeck.deploy.planning.shell import command_argv, programs
from quarterdeck.deploy.planning.values import ToolRequirement
from quarterdeck.kernel.errors import Invalid

EXPRESS = {"package.json": '{"dependencies": {"express": "4"}, "scripts": {"start": "node .", "build": "tsc"}}'}
FLASK = {"requirements.txt": "flask\n", "app.py": "app = Flask(__name__)\n"}


def made(files: dict[str, str], **values: object) -> BuildPlan:
    return plan(detect(MemoryTree(files)), source_kind="git-public", **values)  # type: ignore[arg-type]


def test_explicit_commands_win_over_the_planner_and_over_a_dockerfile() -> None:
    files = {**EXPRESS, "Dockerfile": "FROM busybox\nEXPOSE 1\n"}
    runtime = RuntimeProfile(install_command="a", build_command="b", start_command="c")
    result = made(files, runtime=runtime)
    assert [(item.kind, item.command, item.source) for item in result.commands] == [
        ("install", "a", "resource-runtime-profile"),
        ("build", "b", "resource-runtime-profile"),
        ("start", "c", "resource-runtime-profile"),
    ]
    assert made(files).build_strategy == "dockerfile"


def test_a_dockerfile_is_passed_over_on_a_host_without_an_engine_when_the_application_is_known() -> None:
    files = {**FLASK, "Dockerfile": "FROM busybox\nEXPOSE 1\n"}
    result = made(files, target="host-process")
    assert (result.planner_key, result.execution_kind, result.packaging_mode) == (
        "flask",
        "host-process",
        "host-process-runtime",
    )
    assert result.dockerfile is None


@pytest.mark.parametrize("module", ["gunicorn", "uvicorn", "hypercorn"])
def test_the_server_that_a_start_command_needs_is_installed_unless_the_project_lists_it(module: str) -> None:
    runtime = RuntimeProfile(start_command=f"{module} app:app")
    assert f"RUN pip install {module}\n" in str(made(FLASK, runtime=runtime).dockerfile)
    listed = {**FLASK, "requirements.txt": f"flask\n{module}[extra]>=1\n"}
    assert f"RUN pip install {module}\n" not in str(made(listed, runtime=runtime).dockerfile)


def test_manifests_are_copied_and_installed_before_the_source() -> None:
    lines = str(made(EXPRESS).dockerfile).splitlines()
    order = [
        lines.index(line)
        for line in (
            "COPY --chown=1000:1000 package.json ./",
            "RUN npm install",
            "COPY --chown=1000:1000 . .",
            "RUN npm run build",
        )
    ]
    assert order == sorted(order)


@pytest.mark.parametrize(
    "package",
    [
        '{"workspaces": ["a"]}',
        '{"scripts": {"postinstall": "node setup.js"}}',
        '{"dependencies": {"shared": "file:../shared"}}',
    ],
)
def test_an_installation_that_reads_the_source_comes_after_it(package: str) -> None:
    runtime = RuntimeProfile(start_command="node .")
    text = str(made({"package.json": package}, runtime=runtime).dockerfile)
    assert text.index("COPY --chown=1000:1000 . .") < text.index("RUN npm install")


def test_only_public_variables_become_build_arguments_and_secrets_are_mounted() -> None:
    result = made(EXPRESS, build_arguments=("VITE_A", "PUBLIC_B", "TOKEN"), build_secrets=("NPM_TOKEN",))
    text = str(result.dockerfile)
    assert "ARG VITE_A\nARG PUBLIC_B\n" in text
    assert "ARG TOKEN" not in text
    assert "--mount=type=secret,id=NPM_TOKEN,uid=1000" in text
    assert "ENV NPM_TOKEN" not in text
    assert "# syntax" not in text


def test_generated_images_do_not_run_as_root() -> None:
    for files in (EXPRESS, FLASK, {"index.html": "x"}, {"go.mod": "module a\n", "main.go": "package main\n"}):
        text = str(made(files).dockerfile)
        final = text[text.rindex("FROM ") :]
        assert "\nUSER " in final
        assert "apk " not in text
        assert "apt-get" not in text


def test_the_internal_port_reaches_command_environment_and_exposure() -> None:
    result = made(FLASK, network=NetworkProfile(internal_port=8080))
    text = str(result.dockerfile)
    assert result.environment == {"PORT": "8080"}
    assert "PORT=8080" in text
    assert "EXPOSE 8080" in text
    assert '"--port", "8080"' in text
    assert not result.warnings


def test_a_host_process_takes_its_port_from_the_environment_on_loopback() -> None:
    host = made(FLASK, target="host-process", network=NetworkProfile(internal_port=8080)).host
    assert host is not None
    assert host.start == (
        "sh", "-c", 'exec python -m flask --app app:app run --host 127.0.0.1 --port "$PORT"',
    )  # fmt: skip
    assert [step.argv for step in host.steps] == [
        ("python3", "-m", "venv", ".venv"),
        ("pip", "install", "-r", "requirements.txt"),
    ]
    assert host.path_prefix == (".venv/bin",)


def test_a_missing_tool_is_told_with_its_remedy_before_anything_is_built() -> None:
    host = HostPlan(tools=(ToolRequirement("node", "Install Node.js 22."), ToolRequirement("npm", "Install npm.")))
    with pytest.raises(Invalid) as refused:
        require_tools(host, {"npm"})
    assert refused.value.code == "missing_runtime_tool"
    assert refused.value.hint == "Install Node.js 22."
    assert refused.value.details["missingTools"] == ["node"]
    require_tools(host, {"npm", "node"})


def test_health_follows_the_policy_then_the_profile_then_the_framework() -> None:
    policy = HealthPolicy(retries=2, http=HttpCheck(path="/ready"))
    assert made(FLASK, health=policy).health == policy
    assert made(FLASK, health=HealthPolicy(enabled=False)).health is None
    by_path = made(FLASK, runtime=RuntimeProfile(health_check_path="/up"))
    assert by_path.health is not None
    assert by_path.health.http.path == "/up"
    assert by_path.health_configured
    assert not made(FLASK).health_configured
    assert made(FLASK, network=NetworkProfile(internal_port=1, upstream_protocol="tcp")).health is None


def test_a_publish_directory_may_not_leave_the_source() -> None:
    result = made({"a.txt": ""}, runtime=RuntimeProfile(strategy="static", publish_directory="../../etc"))
    assert result.readiness.reason_codes == ("static-publish-directory-missing",)
    assert result.dockerfile is None


def test_a_static_site_listens_where_it_is_told_and_hides_what_is_private() -> None:
    result = made({"index.html": "x"}, network=NetworkProfile(internal_port=8081))
    texts = {file.path: file.text for file in result.context_files}
    assert "listen 8081;" in texts[".quarterdeck/nginx.conf"]
    assert ".git" in result.ignore
    assert ".env" in result.ignore
    assert result.static_site is not None
    assert ".git" in result.static_site.excluded


def test_a_source_of_one_kind_refuses_the_strategy_of_another() -> None:
    result = made(FLASK, runtime=RuntimeProfile(strategy="prebuilt-image"), image="a")
    assert result.readiness.reason_codes[0] == "incompatible-source-strategy"
    assert result.support_tier == "unsupported"


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("node server.js", ("node", "server.js")),
        ('node "my server.js"', ("node", "my server.js")),
        ("node server.js --port $PORT", ("sh", "-c", "exec node server.js --port $PORT")),
        ("A=1 node .", ("sh", "-c", "exec env A=1 node .")),
        ("npm run a && npm start", ("sh", "-c", "npm run a && npm start")),
        ("cd app", ("sh", "-c", "cd app")),
        ("echo 'unbalanced", ("sh", "-c", "echo 'unbalanced")),
    ],
)
def test_a_shell_is_used_only_where_the_command_needs_one(command: str, argv: tuple[str, ...]) -> None:
    assert command_argv(command) == argv


def test_the_programs_of_a_command_are_found_behind_assignments_and_runners() -> None:
    assert {"gunicorn", "python"} <= programs("A=1 exec python -m gunicorn x && true")
    assert "uvicorn" in programs("uv run uvicorn main:app")
    assert "gunicorn" in programs("./venv/bin/gunicorn x")
