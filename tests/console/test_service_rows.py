"""The page of a stack has a row for each of its services."""

from quarterdeck.console.domain.resources import service_rows

RUNTIME = {
    "target": "web",
    "container": "c1",
    "services": [{"service": "db", "container": "c2"}, {"service": "worker", "container": "c3"}],
}


def test_each_service_is_shown_as_it_is() -> None:
    rows = service_rows(RUNTIME, "worker: Exited (1) 3 seconds ago; db: The container was removed.")
    assert [(row.label, row.state, row.detail) for row in rows] == [
        ("web", "passed", "Runs, or has ended as it should."),
        ("db", "failed", "The container was removed."),
        ("worker", "failed", "Exited (1) 3 seconds ago"),
    ]


def test_an_application_of_one_container_has_none() -> None:
    assert service_rows({"kind": "container", "container": "c1"}, "") == []


def test_nothing_is_said_of_services_that_nobody_has_seen() -> None:
    assert service_rows(RUNTIME, "The Docker engine does not answer.") == []
