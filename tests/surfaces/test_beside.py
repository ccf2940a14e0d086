"""Which routes a server answers that stands beside another."""

from __future__ import annotations

from quarterdeck.app import handlers
from quarterdeck.beside import ANSWERED, answered_here


def declared():
    for handler in handlers():
        endpoint = handler.opt.get("endpoint")
        if endpoint is not None:
            yield endpoint.method, endpoint.path
        else:
            yield from (("WS", path) for path in handler.paths)


def test_every_one_of_them_is_a_route_that_changes_nothing():
    assert set(ANSWERED) <= set(declared())
    assert {method for method, _ in ANSWERED} == {"GET", "WS"}


def test_everything_else_is_passed_on():
    assert answered_here("GET", "/api/deployments/dep_1/logs")
    for method, path in (
        ("POST", "/api/deployments"), ("POST", "/api/deployments/stream"), ("GET", "/api/deployments/dep_1"),
        ("POST", "/api/deployments/dep_1/logs"), ("GET", "/api/deployments/a/b/logs"), ("WS", "/ws/pty/1"),
        ("WS", "/api/workers/control"), ("GET", "/console/"), ("GET", "/nothing"), ("GET", "/healthz/x"),
    ):  # fmt: skip
        assert not answered_here(method, path), path
