"""How command lines are read: sources, options before the command, mistakes, help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Result
from quarterdeck.cli import names, sources
from quarterdeck.cli.failure import Failure
from quarterdeck.cli.main import command_first
from quarterdeck.cli.profiles import origin
from quarterdeck.cli.terminal import laid_out

Command = Callable[..., Result]


@pytest.mark.parametrize(
    ("text", "kind", "locator", "name"),
    [
        ("https://github.com/ada/Shop.git", "git", "https://github.com/ada/Shop.git", "shop"),
        ("git@github.com:ada/shop.git", "git", "git@github.com:ada/shop.git", "shop"),
        ("ssh://git@host:2222/srv/shop", "git", "ssh://git@host:2222/srv/shop", "shop"),
        ("github.com/ada/shop", "git", "https://github.com/ada/shop", "shop"),
        ("https://github.com/ada/shop/tree/main/api", "git", "https://github.com/ada/shop/tree/main/api", "api"),
        ("file:///srv/git/shop.git", "git", "file:///srv/git/shop.git", "shop"),
        ("https://host/builds/My-Shop.zip", "archive", "https://host/builds/My-Shop.zip", "my-shop"),
        ("nginx", "image", "nginx", "nginx"),
        ("registry.example.com:5000/team/shop:1.2", "image", "registry.example.com:5000/team/shop:1.2", "shop"),
        ("docker://ghcr.io/ada/shop", "image", "ghcr.io/ada/shop", "shop"),
        ("nginx@sha256:" + "a" * 64, "image", "nginx@sha256:" + "a" * 64, "nginx"),
    ],
)
def test_a_source_is_recognised(text: str, kind: str, locator: str, name: str, tmp_path: Path) -> None:
    found = sources.recognise(text, here=tmp_path)
    assert (found.kind, found.locator, found.name) == (kind, locator, name)


def test_a_folder_is_a_path_or_a_name_that_exists(tmp_path: Path) -> None:
    (tmp_path / "My Shop").mkdir()
    assert sources.recognise("./My Shop", here=tmp_path).name == "my-shop"
    assert sources.recognise("My Shop", here=tmp_path).locator == str(tmp_path / "My Shop")
    (tmp_path / "nginx").mkdir()
    assert sources.recognise("nginx", here=tmp_path).kind == "folder"
    assert sources.recognise("nginx", "image", here=tmp_path).kind == "image"


def test_a_zip_file_is_one_that_exists_or_an_address(tmp_path: Path) -> None:
    (tmp_path / "shop.zip").write_bytes(b"PK")
    (tmp_path / "odd.zip").mkdir()
    found = sources.recognise("./shop.zip", here=tmp_path)
    assert found.body() == {
        "kind": "zip-artifact", "locator": str(tmp_path / "shop.zip"), "displayName": "shop"
    }  # fmt: skip
    assert sources.recognise("odd.zip", here=tmp_path).kind == "folder"
    for wrong in ("none.zip", "./none.zip"):
        with pytest.raises(Failure):
            sources.recognise(wrong, here=tmp_path)
    with pytest.raises(Failure):
        sources.recognise("shop.zip", branch="main", here=tmp_path)


def test_a_deploy_key_goes_with_a_repository_alone(tmp_path: Path) -> None:
    body = sources.recognise("git@host:team/shop.git", here=tmp_path).with_key("sshcred_1").body()
    assert (body["kind"], body["metadata"]) == ("git-deploy-key", {"sshCredentialId": "sshcred_1"})
    with pytest.raises(Failure):
        sources.recognise("nginx", here=tmp_path).with_key("sshcred_1")


def test_a_branch_of_a_folder_means_the_repository_there(tmp_path: Path) -> None:
    assert sources.recognise(".", branch="main", here=tmp_path).body()["kind"] == "local-git"
    assert sources.recognise(".", here=tmp_path).body()["kind"] == "local-folder"


@pytest.mark.parametrize(
    "text", ["./missing", "/etc/hostname", "ftp://host/shop.git", "UPPER CASE", "-x", "", "nginx:"]
)
def test_what_is_no_source_is_refused_with_an_example(text: str, tmp_path: Path) -> None:
    with pytest.raises(Failure) as refused:
        sources.recognise(text, here=tmp_path)
    assert refused.value.exit == 2
    assert refused.value.hint


def test_an_image_has_no_branch(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="neither branches"):
        sources.recognise("nginx", branch="main", here=tmp_path)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("-o json ls", "ls -o json"),
        ("--profile work -v deploy . -- x", "deploy . --profile work -v -- x"),
        ("--help", "--help"),
        ("login x --password -", "login x --password=-"),
    ],
)
def test_options_may_stand_before_the_command(typed: str, meant: str) -> None:
    assert command_first(typed.split()) == meant.split()


def test_a_wrong_command_names_the_near_one(qd: Command) -> None:
    result = qd("dpeloy", "-o", "json")
    assert result.code == 2
    assert result.err == "Error: There is no command dpeloy.\nTry:   qd deploy\n"
    assert json.loads(result.out) == {
        "error": {"code": "unknown_command", "message": "There is no command dpeloy.", "hint": "qd deploy"}
    }


@pytest.mark.parametrize("words", [["deploy"], ["deploy", ".", "--port", "0"], ["ls", "--nope"], ["ls", "x"], ["set"]])
def test_wrong_usage_ends_with_two_and_points_at_the_help(qd: Command, words: list[str]) -> None:
    result = qd(*words)
    assert (result.code, result.out) == (2, "")
    assert f"Try:   qd {words[0]} --help" in result.err


@pytest.mark.parametrize("words", [[], ["--help"], ["help"], ["--version"], ["help", "logs"], ["logs", "-h"]])
def test_help_is_an_answer(qd: Command, words: list[str]) -> None:
    result = qd(*words)
    assert result.code == 0
    assert result.out
    assert not result.err


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://deck.example.com/", "https://deck.example.com"),
        ("deck.example.com", "https://deck.example.com"),
        ("http://127.0.0.1:8700/console/", "http://127.0.0.1:8700"),
        ("http://[::1]:8700", "http://[::1]:8700"),
    ],
)
def test_a_server_is_known_by_its_origin(typed: str, address: str) -> None:
    assert origin(typed) == address


@pytest.mark.parametrize(
    "typed", ["ftp://host", "https://ada:pw@host", "https://host/api", "https://", "http://host:x"]
)
def test_what_is_no_server_address_is_refused(typed: str) -> None:
    with pytest.raises(Failure) as refused:
        origin(typed)
    assert refused.value.exit == 2


def test_a_table_is_cut_on_a_terminal_and_never_in_a_pipe() -> None:
    rows = [["shop", "http://" + "x" * 60]]
    assert max(map(len, laid_out(["NAME", "ADDRESS"], rows, None))) == 73
    assert [len(line) <= 40 for line in laid_out(["NAME", "ADDRESS"], rows, 40)] == [True, True]


def test_text_of_others_cannot_steer_the_terminal() -> None:
    assert laid_out(["A"], [["x\x1b]0;evil\x07\ny"]], None) == ["A", "x y"]


def test_credentials_are_no_words_of_what_keeps_running(qd: Command) -> None:
    for words in (["serve", "--database-url", "postgresql://u:p@h/d"], ["worker", "--server", "h", "--token", "abc"]):
        result = qd(*words)
        assert result.code == 2
        assert "@FILE" in result.err
        assert "u:p@" not in result.err


def test_the_name_as_it_is_written_wins_over_one_in_other_capitals() -> None:
    rows = [{"id": "srv_1", "name": "this machine"}, {"id": "srv_2", "name": "This machine"}]
    for text, meant in (("This machine", "srv_2"), ("this machine", "srv_1"), ("srv_1", "srv_1")):
        found = names.pick(rows, text)
        assert found is not None
        assert found["id"] == meant
    assert names.pick(rows, "that machine") is None
    for equal in ([*rows, {"id": "srv_3", "name": "This machine"}], rows):
        with pytest.raises(Failure) as refused:
            names.pick(equal, "This machine" if len(equal) == 3 else "THIS MACHINE")
        assert refused.value.code == "name_ambiguous"


@pytest.mark.parametrize("words", ["--version", "nonsense -o json"])
def test_an_output_that_nobody_reads_or_that_has_no_room_ends_without_a_trace(words: str) -> None:
    program = [sys.executable, "-c", "from quarterdeck.cli.main import main; main()", *words.split()]
    reader, writer = os.pipe()
    os.close(reader)
    closed = subprocess.run(program, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert closed.returncode == (2 if "nonsense" in words else 0)
    with Path("/dev/full").open("w") as full:
        whole = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert whole.returncode == 1
    assert "no room" in whole.stderr
    assert "Traceback" not in closed.stderr + whole.stderr
    assert "Exception ignored" not in closed.stderr + whole.stderr


def test_a_file_in_the_place_of_a_folder_is_no_reason_to_deploy_its_neighbours(qd: Command, tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.touch()
    result = qd("deploy", str(file))
    assert (result.code, f"{file} is a file, not a folder." in result.err) == (2, True)
    assert f"qd deploy {tmp_path}" not in result.err


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("ls", "projects", "b", "two words"), "qd ls does not know what to do with: b 'two words'", "qd ls --help"),
        (("project", "ls"), "There is no command project ls", "qd ls projects"),
        (("environment", "list"), "There is no command environment list", "qd ls environments"),
        (("admin", "ls"), "There is no command admin ls", "qd admin --help"),
        (("version",), "There is no command version.", "qd --version"),
    ],
)
def test_mistakes_are_told_in_words_with_a_line_that_works(
    qd: Command, words: tuple[str, ...], said: str, hint: str
) -> None:
    result = qd(*words)
    assert result.code == 2
    assert said in result.err
    assert f"Try:   {hint}\n" in result.err
