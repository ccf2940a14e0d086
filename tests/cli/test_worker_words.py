"""What `qd worker` says of what was typed wrongly."""

import socket

import pytest

from quarterdeck.cli.commands.worker import asked_for, read_token
from quarterdeck.cli.failure import Failure
from quarterdeck.cli.profiles import origin
from quarterdeck.fleet.workers import asking
from quarterdeck.kernel.errors import Unavailable


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("localhost:8700", "http://localhost:8700"),
        ("[::1]:8700", "http://[::1]:8700"),
        ("deck.example.com", "https://deck.example.com"),
        ("localhost.example.com", "https://localhost.example.com"),
    ],
)
def test_an_address_of_this_machine_has_no_tls(typed, meant):
    assert origin(typed) == meant


def test_a_token_that_is_needed_is_asked_for_by_its_file(tmp_path):
    with pytest.raises(Failure, match="cannot be read"):
        read_token(f"@{tmp_path / 'missing'}")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(Failure, match="is empty"):
        read_token(f"@{tmp_path / 'empty'}")
    assert read_token(f"@{tmp_path / 'empty'}", needed=False) is None


async def test_why_a_server_does_not_answer_is_said_in_words():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unavailable, match="Connection refused") as refused:
        await asking.post(f"http://127.0.0.1:{port}/x", {})
    assert "URLError" not in refused.value.message
    with pytest.raises(Unavailable, match=r"not known|resolution"):
        await asking.post("http://no-such-host.invalid/x", {})


@pytest.mark.parametrize("typed", ["infrastructure", "deploy,infrastructure", "", " , ", "Infra", "infra,-x", "gpu"])
def test_a_capability_that_nothing_asks_for_is_refused_before_anything_is_enrolled(typed):
    with pytest.raises(Failure, match="is not a capability; there are deploy, local, infra"):
        asked_for(typed)
    assert asked_for("deploy, infra:drift,local") == ["deploy", "infra:drift", "local"]
