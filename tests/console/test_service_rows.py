"""The page of a stack has a row for each of its services."""

from quarterdeck.console.domain.resources import service_rows


def test_each_service_is_shown_as_it_was_seen() -> None:
    rows = service_rows({"web": None, "db; x: y": "The container was removed.", "worker": "Exited (1) 3 seconds ago"})
    assert [(row.label, row.state, row.detail) for row in rows] == [
        ("web", "passed", "Runs, or has ended as it should."),
        ("db; x: y", "failed", "The container was removed."),
        ("worker", "failed", "Exited (1) 3 seconds ago"),
    ]
