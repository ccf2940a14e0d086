"""`qd deploy` against the contract: what is sent, what is shown, how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Result, failed
from cli.contract_server import ContractServer, Refusal
from cli.installation import DEPLOYMENT, Installation, end, failing, progress, succeeding, told

Command = Callable[..., Result]


def test_everything_that_is_missing_is_made_and_the_address_is_the_answer(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    server.streams = [succeeding()]
    result = qd("deploy", str(folder), "--port", "8080", "--start-command", "./run")
    assert result.code == 0, result.err
    assert result.out == "http://shop.localhost/\n"
    assert server.changes == [
        "projects.create", "environments.create", "servers.register", "resources.create", "deployments.create",
    ]  # fmt: skip
    assert server.called("environments.create")[0]["kind"] == "production"
    created = server.called("resources.create")[0]
    assert created["source"] == {"kind": "local-folder", "locator": str(folder), "displayName": "shop"}
    assert created["runtimeProfile"] == {"strategy": "auto", "startCommand": "./run"}
    assert created["networkProfile"] == {"internalPort": 8080}
    assert server.called("deployments.create")[0]["executionMode"] == "detached"


def test_each_phase_is_told_once_with_what_came_of_it(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    server.streams = [succeeding()]
    lines = qd("deploy", str(folder)).err.splitlines()
    assert lines[0].endswith("/console/projects/shop/production/shop")
    assert [line.split()[1] for line in lines[1:6]] == ["detect", "plan", "package", "deploy", "verify"]
    assert lines[1] == "  ✓ detect      2.0 s   detect is done"
    assert lines[6].startswith("  ✓ cut over ")
    assert lines[6].endswith("shop.localhost")
    assert len(lines) == 7
    assert "\x1b" not in "".join(lines)


def test_with_json_one_object_and_nothing_else_is_on_stdout(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    server.streams = [succeeding()]
    result = qd("-o", "json", "deploy", str(folder))
    assert result.code == 0
    assert json.loads(result.out) == {
        "deploymentId": DEPLOYMENT,
        "resourceId": "res_000000000000",
        "status": "succeeded",
        "url": "http://shop.localhost/",
    }


def test_jsonl_streams_the_events_and_ends_with_the_answer(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    server.streams = [succeeding()]
    lines = [json.loads(line) for line in qd("deploy", str(folder), "-o", "jsonl").out.splitlines()]
    assert lines[0]["event"]["eventType"] == "deployment-requested"
    assert lines[-2]["kind"] == "closed"
    assert lines[-1]["status"] == "succeeded"


def test_a_failed_deployment_ends_with_one_and_shows_the_log_the_reason_and_what_to_do(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    server.streams = [failing()]
    installation.status = "failed"
    installation.failure = {
        "timestamp": "2026-05-31T12:00:03.000Z", "source": "appaloft", "phase": "verify", "level": "error",
        "message": "no answer on port 4321 Run: qd set shop port=3000",
    }  # fmt: skip
    installation.metadata = {"errorCode": "health_check_failed", "errorHint": "Run: qd set shop port=3000"}
    installation.log(*(f"line {number}" for number in range(30)))
    result = qd("deploy", str(folder), "-o", "json")
    assert result.code == 1
    assert "  ✗ verify" in result.err
    assert result.err.count("no answer on port 4321") == 1
    assert "line 29" in result.err
    assert "line 9\n" not in result.err
    assert "Error: The deployment failed in verify: no answer on port 4321" in result.err
    assert "Try:   Run: qd set shop port=3000" in result.err
    body = json.loads(result.out)
    assert (body["status"], body["error"]["code"], body["url"]) == ("failed", "health_check_failed", None)


def test_what_serves_is_said_to_go_on_serving_when_a_newer_one_fails(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    resource = installation.exists(
        "shop/production/shop", source={"kind": "local-folder", "locator": str(folder), "displayName": "shop"}
    )
    installation._server({}, {}, {"name": "This machine", "host": "127.0.0.1", "providerKey": "local-shell"})
    installation.deployed(resource)
    installation.status = "failed"
    server.streams = [failing()]
    result = qd("deploy", str(folder))
    assert result.code == 1
    assert "The version before keeps serving." in result.err


def test_a_broken_stream_is_taken_up_after_the_last_event_seen(
    qd: Command, server: ContractServer, installation: Installation, folder: Path, impatient: None
) -> None:
    whole = succeeding()
    server.streams = [whole[:5], whole[5:]]
    result = qd("deploy", str(folder))
    assert result.code == 0, result.err
    assert server.cursors == [None, f"{4:032x}"]
    assert result.err.count("✓ detect") == 1
    assert "The connection was lost; trying again." in result.err


def test_a_stream_that_ends_early_is_no_success(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    installation.status = "canceled"
    server.streams = [[progress(1, "detect", "Detect: running"), *end("source-ended")]]
    result = qd("deploy", str(folder))
    assert result.code == 1
    assert "The deployment was canceled" in result.err


def test_detached_it_ends_as_soon_as_the_deployment_is_accepted(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    installation.status = "created"
    result = qd("deploy", str(folder), "--detach", "-o", "json")
    assert result.code == 0
    assert json.loads(result.out)["status"] == "created"
    assert f"qd attach {DEPLOYMENT}" in result.err
    assert server.cursors == []


def test_ctrl_c_leaves_the_deployment_running_and_says_how_to_come_back(
    qd: Command, server: ContractServer, installation: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.status = "running"
    monkeypatch.setattr("quarterdeck.cli.events.follow", _interrupted)
    result = qd("deploy", str(folder))
    assert result.code == 130
    assert f"qd attach {DEPLOYMENT}" in result.err
    assert f"qd cancel {DEPLOYMENT}" in result.err
    assert "deployments.cancel" not in server.changes


def _interrupted(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


def test_after_the_timeout_it_ends_with_eight_and_the_deployment_goes_on(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    installation.status = "running"
    server.streams = [[": open\n\n", progress(1, "detect", "Detect: running")]]
    result = qd("deploy", str(folder), "--timeout", "0.000001")
    assert result.code == 8
    assert f"qd attach {DEPLOYMENT}" in result.err


def test_deploying_again_changes_only_what_flags_say(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    source = {"kind": "local-folder", "locator": str(folder), "displayName": "shop"}
    installation.exists(
        "shop/production/shop",
        source=source,
        runtimeProfile={"strategy": "dockerfile", "dockerfilePath": "deploy/Dockerfile"},
        networkProfile={"internalPort": 3000, "upstreamProtocol": "http", "exposureMode": "reverse-proxy"},
    )
    server.streams = [succeeding(), succeeding()]
    assert qd("deploy", str(folder)).code == 0
    assert [name for name in server.changes if name.startswith("resources.")] == []
    assert qd("deploy", str(folder), "--port", "4000", "--build-command", "make").code == 0
    assert server.called("resources.configure-network") == [
        {"networkProfile": {"internalPort": 4000, "upstreamProtocol": "http", "exposureMode": "reverse-proxy"}}
    ]
    assert server.called("resources.configure-runtime") == [
        {
            "runtimeProfile": {
                "strategy": "dockerfile",
                "dockerfilePath": "deploy/Dockerfile",
                "buildCommand": "make",
            }
        }
    ]
    assert server.called("resources.configure-source") == []


def test_from_a_folder_to_an_image_the_strategy_goes_first_and_back_it_goes_last(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    source = {"kind": "local-folder", "locator": str(folder), "displayName": "shop"}
    installation.exists("shop/production/shop", source=source, runtimeProfile={"strategy": "dockerfile"})
    server.streams = [succeeding(), succeeding()]
    assert qd("deploy", "nginx:alpine", "--name", "shop").code == 0
    assert qd("deploy", str(folder), "--strategy", "dockerfile").code == 0
    order = [name for name in server.changes if name.startswith("resources.configure")]
    assert order == [
        "resources.configure-runtime", "resources.configure-source",
        "resources.configure-source", "resources.configure-runtime",
    ]  # fmt: skip


def test_a_plan_shows_every_call_and_sends_none(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    result = qd("deploy", "https://ada:s3cret@git.example.com/shop.git", "--plan", "--branch", "main")
    assert result.code == 0
    assert server.changes == []
    assert "POST /api/deployments   (deployments.create)" in result.out
    assert '"gitRef": "main"' in result.out
    assert "s3cret" not in result.out
    planned = json.loads(qd("deploy", str(folder), "--plan", "-o", "json").out)["plan"]
    assert [step["operation"] for step in planned] == [
        "projects.create", "environments.create", "servers.register", "resources.create", "deployments.create",
    ]  # fmt: skip


def test_a_folder_is_refused_where_the_server_cannot_see_it(
    qd: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDECK_URL", "https://deck.example.com")
    monkeypatch.setenv("QUARTERDECK_TOKEN", "x")
    result = qd("deploy", str(folder))
    assert result.code == 2
    assert "cannot see it" in result.err
    assert "qd deploy https://" in result.err


@pytest.mark.parametrize(
    ("status", "code", "exit_status"),
    [
        (401, "product_auth_missing", 3),
        (403, "product_auth_forbidden", 4),
        (404, "not_found", 5),
        (409, "project_archived", 6),
        (502, "provider_error", 1),
        (504, "coordination_timeout", 8),
    ],
)
def test_refusals_have_the_documented_exit_status_and_their_own_words(
    qd: Command,
    server: ContractServer,
    installation: Installation,
    folder: Path,
    status: int,
    code: str,
    exit_status: int,
) -> None:
    server.answers["deployments.create"] = Refusal(status, code, "It cannot be done.", hint="Do the other thing.")
    result = qd("deploy", str(folder), "--json")
    assert result.code == exit_status
    assert "Error: It cannot be done." in result.err
    error = json.loads(result.out)["error"]
    assert error["code"] == code
    assert error["hint"] == ("Do the other thing." if status != 401 else f"qd login {server.url}")


def test_a_server_that_is_not_there_ends_with_nine(qd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("QUARTERDECK_TOKEN", "x")
    result = qd("ls")
    assert result.code == 9
    assert "nothing listens there" in result.err


def test_the_running_phase_is_rewritten_in_place_on_a_terminal() -> None:
    import io

    from quarterdeck.cli.options import Common
    from quarterdeck.cli.phases import Drawing
    from quarterdeck.cli.terminal import Terminal

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    with Drawing(Terminal(Common(no_color=True), err=screen), tick=60) as drawing:
        for text in (progress(1, "detect", "Detect: running"), told(2, "deployment-succeeded", status="succeeded")):
            drawing.tell(json.loads(text.split("data: ", 1)[1])["event"])
    assert "● detect" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[2K  ✓ detect      1.0 s\n")


def other(installation: Installation, *names: str) -> None:
    for name in names:
        installation._server({}, {}, {"name": name, "host": "203.0.113.10", "providerKey": "generic-ssh"})
    installation.servers.reverse()  # a list has the newest first


@pytest.mark.parametrize("others", [("berlin",), ("berlin", "bad")])
def test_without_a_server_it_goes_to_the_own_machine_and_later_where_it_ran_and_says_so(
    qd: Command, server: ContractServer, installation: Installation, folder: Path, others: tuple[str, ...]
) -> None:
    other(installation, *others)
    server.streams = [succeeding(), succeeding(), succeeding()]
    first = qd("deploy", str(folder))
    assert first.code == 0, first.err
    own = installation.servers[-1]
    assert (own["name"], own["providerKey"]) == ("This machine", "local-shell")
    assert "  shop/production/shop on This machine   dep_" in first.err
    assert "on berlin   dep_" in qd("deploy", str(folder), "--server", "berlin").err
    berlin = server.called("deployments.create")[1]["serverId"]
    resource = server.called("deployments.create")[1]["resourceId"]
    ran = installation.deployed(resource)
    next(row for row in installation.deployments if row["id"] == ran)["serverId"] = berlin
    assert "on berlin   dep_" in qd("deploy", str(folder)).err
    assert [body["serverId"] for body in server.called("deployments.create")] == [own["id"], berlin, berlin]
    assert server.changes.count("servers.register") == 1


def test_the_own_machine_goes_by_its_name_before_it_was_used(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    other(installation, "berlin")
    server.streams = [succeeding()] * 3
    assert qd("deploy", str(folder), "--server", "berlin", "--build-on", "This machine").code == 0
    own = installation.servers[-1]["id"]
    assert server.called("resources.create")[0]["source"]["metadata"] == {"buildServerId": own}
    assert qd("deploy", str(folder), "--server", "this machine").code == 0
    installation.servers[-1]["name"] = "deck"
    assert "on deck   dep_" in qd("deploy", str(folder), "--server", "This machine").err
    assert [body["serverId"] for body in server.called("deployments.create")][1:] == [own, own]
    assert server.changes.count("servers.register") == 1


def test_where_the_own_machine_cannot_be_taken_a_server_within_reach_is_proposed(
    qd: Command, server: ContractServer, installation: Installation, folder: Path
) -> None:
    other(installation, "far berlin", "bad")
    seen = [{"serverId": row["id"], "status": "unreachable"} for row in installation.servers if row["name"] == "bad"]
    server.outside["GET", "/api/servers/health"] = {"items": seen, "mostWatched": 500}
    server.answers["servers.register"] = Refusal(403, "product_auth_forbidden", "You may not.", hint="Ask.")
    result = qd("deploy", str(folder))
    failed(result, 2, "you may not do that. There are 2 other servers: far berlin, bad.", "--server 'far berlin'")
    installation._server({}, {}, {"name": "This machine", "host": "127.0.0.1", "providerKey": "local-shell"})
    installation.servers[-1]["lifecycleStatus"] = "inactive"
    failed(qd("deploy", str(folder)), 2, "own machine is deactivated. There are 2 other servers: far berlin, bad.")
    installation.servers.clear()
    failed(qd("deploy", str(folder), "-p", "other"), 4, "You may not.")
    assert "deployments.create" not in server.changes
