"""Every command that a page shows is one that the command line takes and the API answers."""

from __future__ import annotations

import html
import re
import shlex

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console.portside import Portside
from e2e.console.addresses import PAGES
from quarterdeck.app import openapi_document
from quarterdeck.cli.main import application

SHOWN = re.compile(r'data-copy="([^"]+)"')
CALL = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) /")
ON_A_MACHINE = ("mkdir -p ~/.ssh && ", "echo '", "sudo ", "ssh-ed25519 ")
"""How the lines begin that are copied to another machine: they are neither commands of ours nor calls."""


def shown(client: TestClient[Litestar], ports: Portside) -> set[str]:
    lines: set[str] = set()
    for empty in (False, True):
        ports.empty = empty
        for path in PAGES.values():
            lines |= {html.unescape(line) for line in SHOWN.findall(client.get(path).text)}
    return lines


@pytest.fixture(scope="module")
def routes() -> list[tuple[str, re.Pattern[str]]]:
    document = openapi_document()
    return [
        (method.upper(), re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + r"\Z"))
        for path, methods in document["paths"].items()
        for method in methods
    ]


def test_every_shown_call_is_a_documented_route(
    client: TestClient[Litestar], ports: Portside, routes: list[tuple[str, re.Pattern[str]]]
) -> None:
    lines = {line for line in shown(client, ports) if not line.startswith("qd ")}
    calls = {line for line in lines if CALL.match(line)}
    assert len(calls) > 10
    assert [line for line in lines - calls if not line.startswith(ON_A_MACHINE)] == []
    for call in calls:
        method, _, path = call.partition("?")[0].partition(" ")
        assert any(known == method and pattern.match(path) for known, pattern in routes), call


def test_every_shown_command_line_is_one_that_qd_takes(client: TestClient[Litestar], ports: Portside) -> None:
    lines = {line for line in shown(client, ports) if line.startswith("qd ")}
    assert len(lines) > 8
    for line in lines:
        words = shlex.split(line)[1:]
        application(words[0]).parse_args(words, exit_on_error=False, print_error=False)
