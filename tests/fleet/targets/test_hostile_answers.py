"""What a server behind SSH may say in the place of what was asked for: read as nothing, or refused by name."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from quarterdeck.deploy.execution.remains import dated
from quarterdeck.fleet.edge import evidence
from quarterdeck.fleet.edge.evidence import Entry
from quarterdeck.fleet.edge.process import identity_in
from quarterdeck.fleet.processes import log
from quarterdeck.fleet.processes.supervisor.output import numbered
from quarterdeck.fleet.processes.tables import listeners
from quarterdeck.fleet.targets.facts import look
from quarterdeck.fleet.targets.host import Ran
from quarterdeck.fleet.targets.processes import SshProcesses
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.fleet.targets.steward import Steward, problem_of
from quarterdeck.kernel.answers import MOST, moment, whole
from quarterdeck.kernel.errors import Conflict, Problem, ProviderFailure
from quarterdeck.kernel.text import shown

NUMBERS = ["\u00b2", "9" * 6000, "9" * 400, "9" * 18, "-1", "+1", "1_0", "\u0661", "\x00", "", "1.5"]


class Saying:
    """A server that says the same to everything."""

    login = SimpleNamespace(host="there")

    def __init__(self, said: bytes, status: int = 0) -> None:
        self.said, self.status = said, status

    async def run(self, argv, *, stdin: bytes = b"", seconds: float = 20) -> Ran:
        return Ran(self.status, self.said, b"")


@pytest.mark.parametrize("said", NUMBERS)
async def test_what_is_no_number_is_none(said: str) -> None:
    assert whole(said) is None
    assert whole(said.encode()) is None
    assert moment(said) is None
    assert identity_in(1, f"1 (a) {'0 ' * 19}{said}", "boot") is None
    assert not list(listeners(f"0: 00000000:{said} 0 0A 0 0 0 0 0 0 1")) or said == "-1"
    assert numbered([f"log.{said}", "log.000007"]) in ([7], [7, 10**18 - 1])
    assert await dated(Saying(f"{said} ./name".encode()), Path("/x")) == []
    remote = SimpleNamespace(host=Saying(f"F\n/dev/a {said} {said} {said} 1% /".encode()), root=Path("/"))
    remote._disk = partial(Remote._disk, remote)
    assert await Remote.free(remote) is None
    assert await Remote.room(remote) is None
    assert await Remote.memory(remote) == 0
    with pytest.raises(ProviderFailure) as refused:
        await look(Saying(f"{said}\n/home\n/bin\nx86_64\n".encode()))
    assert refused.value.code == "ssh_command_refused"


def test_numbers_and_times_have_an_end() -> None:
    assert (whole(" 42\n"), whole(b"007"), whole(str(MOST)), whole(str(MOST + 1))) == (42, 7, MOST, None)
    assert whole("8", 7) is None
    assert moment("1767225600") == datetime(2026, 1, 1, tzinfo=UTC)
    assert moment(10**30) is moment(-1) is None


def test_words_of_others_are_one_line_and_cut() -> None:
    assert shown("a\x00b\nc\u202e") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}"
    assert len(shown("x" * 10_000, 50)) == 50
    assert shown("whole", 5) == "whole"


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"x o text", b"1 o", b"1 ? text", b"9" * 6000 + b" o text", b"\xff \xff \xff"]
)
def test_a_line_that_our_supervisor_did_not_write_is_shown_undated(raw: bytes) -> None:
    line = log.parse(raw, log.Position(1, 1))
    assert line.at.year == 1970


@pytest.mark.parametrize("said", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 6000, b'"text"', b"[1]", b'{"a":1}'])
@pytest.mark.parametrize("status", [0, 3, 70])
async def test_an_answer_of_the_steward_that_is_none_is_refused_by_name(said: bytes, status: int, monkeypatch) -> None:
    steward = Steward(Saying(said, status), None, None, Path("/x"))

    async def words() -> list[str]:
        return ["python3"]

    monkeypatch.setattr(steward, "_words", words)
    processes = SshProcesses(Saying(b""), SimpleNamespace(list=_listed), Path("/x"), steward)
    for asked in (processes.find("one"), processes.list(), processes.placed_at("one"), processes.stop("one")):
        with pytest.raises(Problem) as refused:
            await asked
        assert refused.value.code == "process_supervisor_failed"


async def _listed(directory: Path) -> list[str]:
    return ["one"]


@pytest.mark.parametrize("said", [None, [], 7, {}, {"kind": [], "message": None}, {"details": 7, "code": 7, "hint": 7}])
def test_a_refusal_that_is_none_is_still_a_refusal(said: object) -> None:
    assert problem_of(said).code == "process_supervisor_failed"


def test_a_refusal_keeps_what_it_says() -> None:
    told = {
        "kind": Conflict.kind,
        "message": "Taken.",
        "code": "c",
        "hint": "h",
        "details": {"message": 1, "place": "p"},
    }
    problem = problem_of(told)
    assert (type(problem), problem.message, problem.code, problem.hint) == (Conflict, "Taken.", "c", "h")
    assert problem.details["place"] == "p"


@pytest.mark.parametrize(
    "book", [b"[]", b'{"held":[]}', b'{"held":{"a":"\xc2\xb2"}}', b'{"next":1e99}', b'{"released":{"x":1}}']
)
async def test_a_book_of_ports_that_is_none_is_begun_anew(book: bytes) -> None:
    async def read(path: Path) -> bytes:
        return book

    processes = SshProcesses(Saying(b""), SimpleNamespace(read=read), Path("/x"), SimpleNamespace())
    assert await processes.held_port("a") is None


@pytest.mark.parametrize("at", ["", "soon", "9999-99-99T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_evidence_without_a_time_is_none(at: str) -> None:
    assert evidence.kept(Entry(at, edge_code="edge_x"), datetime(2026, 1, 1, tzinfo=UTC)) is None
