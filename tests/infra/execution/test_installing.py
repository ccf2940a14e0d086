"""The server's own worker runs no provider that its template does not name, whatever a state names."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.infra.execution.workbench import FULL, MINIMAL

from quarterdeck.infra.execution import installing, modules
from quarterdeck.infra.execution.commands import Layout
from quarterdeck.kernel.errors import Problem

AWS = 'provider["registry.terraform.io/hashicorp/aws"]'


def state(*providers: object) -> bytes:
    named = [
        {"mode": "managed", "type": "x_y", "name": f"n{at}", "provider": one, "instances": []}
        for at, one in enumerate(providers)
    ]
    whole = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 1,
        "lineage": "l",
        "outputs": {},
        "resources": named,
    }
    return json.dumps(whole).encode()


@pytest.fixture
def registry() -> Iterator[tuple[str, list[str]]]:
    """A registry that somebody else runs: its host, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{listening.server_address[1]}", asked
    listening.shutdown()
    listening.server_close()
    thread.join(5)


async def test_a_provider_that_only_the_state_names_is_refused_before_anything_is_initialized(bench, server):
    bench.own = True
    server.state = state('provider["registry.attacker.example/evil/evil"]')
    with pytest.raises(Problem) as refused:
        await bench.run(bench.order("PLAN", MINIMAL))
    assert refused.value.code == "infra_state_provider_foreign"
    assert "registry.attacker.example/evil/evil" in refused.value.message
    assert refused.value.hint
    assert "Initializing provider plugins" not in bench.ledger.text


async def test_a_state_that_comes_between_the_look_and_the_init_installs_nothing(bench, server, tmp_path):
    bench.own = True
    mirror = tmp_path / "mirror"
    place = mirror / "registry.attacker.example" / "evil" / "evil" / "1.0.0" / "linux_amd64"
    place.mkdir(parents=True)
    program = place / "terraform-provider-evil_v1.0.0"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    settings = tmp_path / "host.tfrc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    bench.environment["TF_CLI_CONFIG_FILE"] = str(settings)
    looks: list[str] = []

    def answer(method: str, path: str) -> None:
        if method == "GET" and path.endswith("/state"):
            looks.append(path)
            if len(looks) == 2:
                server.state = state('provider["registry.attacker.example/evil/evil"]')

    server.answer = answer
    with pytest.raises(Problem) as refused:
        await bench.run(bench.order("PLAN", MINIMAL))
    assert refused.value.code in {"infra_provider_unavailable", "infra_init_failed"}
    assert len(looks) >= 2
    assert not (tmp_path / "ran").exists()


async def test_its_own_states_go_on_working(bench, server):
    bench.own = True
    await bench.deploy(FULL)
    first = server.resources()
    await bench.deploy({**FULL, "queues": []})
    assert server.resources() != first


async def test_a_runner_decides_by_itself_what_it_installs(bench, server, registry):
    host, _ = registry
    server.state = state(f'provider["{host}/evil/evil"]')
    with pytest.raises(Problem) as refused:
        await bench.run(bench.order("PLAN", MINIMAL))
    assert refused.value.code != "infra_state_provider_foreign"


@pytest.mark.parametrize(
    "hidden",
    [
        state("provider.evil"),
        state('provider["hashicorp/aws"]'),
        state('module.a["x"].provider["registry.terraform.io/hashicorp/aws"]'),
        state(AWS, None),
        state(AWS, {"x": 1}),
        state(AWS).replace(b'"provider"', b'"Provider": "provider[\\"x.example/e/e\\"]", "provider"'),
        state('provider["x.example/e/e"]').replace(b'"provider"', b'"PROVIDER"'),
        state('provider["x.example/e/e"]').replace(b'"resources"', b'"Resource\xc5\xbf"'),
        state('provider["x.example/e/e"]')[:-1] + b', "resources": []}',
        b"[" * 200_000,
        b"\xff",
    ],
    ids=["legacy", "short", "index", "none", "object", "twice", "capitals", "long s", "two lists", "deep", "no text"],
)
def test_no_way_of_writing_hides_a_provider(hidden):
    with pytest.raises(Problem) as refused:
        installing.require(hidden, installing.allowed(modules.template_files("aws")))
    assert refused.value.code == "infra_state_provider_foreign"


@pytest.mark.parametrize("text", [AWS, f"module.vpc.{AWS}", f"{AWS}.west", AWS.replace("terraform.io", "opentofu.org")])
def test_the_templates_own_providers_are_taken(text):
    allowed = installing.allowed(modules.template_files("aws"))
    installing.require(state(text, 'provider["terraform.io/builtin/terraform"]'), allowed)
    installing.require(b"", allowed)


@pytest.mark.parametrize(("name", "wanted"), [("local", []), ("aws", ["hashicorp/aws", "hashicorp/random"])])
def test_terraform_is_told_where_its_providers_may_come_from(tmp_path, name, wanted):
    layout = Layout(tmp_path, tmp_path / "module")
    given = installing.configure(layout, installing.allowed(modules.template_files(name)), {"PATH": "/bin"})
    text = (tmp_path / installing.SETTINGS).read_text()
    assert given == {"PATH": "/bin", "TF_CLI_CONFIG_FILE": str(tmp_path / installing.SETTINGS)}
    assert ("direct" in text) == bool(wanted)
    assert all(f'"registry.terraform.io/{one}"' in text for one in wanted)


def test_the_hosts_mirrors_count_for_templates_that_need_providers_and_for_no_other(tmp_path):
    layout, host = Layout(tmp_path, tmp_path / "module"), {"TF_CLI_CONFIG_FILE": "/etc/mirror.tfrc"}
    assert installing.configure(layout, installing.allowed(modules.template_files("aws")), host) == host
    local = installing.configure(layout, installing.allowed(modules.template_files("local")), host)
    assert local["TF_CLI_CONFIG_FILE"] == str(tmp_path / installing.SETTINGS)


def test_what_was_installed_is_looked_at_before_it_runs(tmp_path):
    layout = Layout(tmp_path, tmp_path / "module")
    (layout.data / "providers" / "registry.attacker.example" / "evil" / "evil" / "1.0.0").mkdir(parents=True)
    with pytest.raises(Problem) as refused:
        installing.require_installed(layout, installing.allowed(modules.template_files("aws")))
    assert refused.value.code == "infra_state_provider_foreign"
