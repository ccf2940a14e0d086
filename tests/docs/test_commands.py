"""Whatever the documents tell a person to type exists."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from cyclopts import CycloptsError

from docs import pages
from quarterdeck.cli import main
from quarterdeck.cli.catalogue import BY_NAME, COMMANDS
from quarterdeck.cli.infra_words import canonical

PROGRAMS = {"qd", "quarterdeck"}
SCRIPT = re.compile(r"(?:^|[\s`(&;])((?:script|\.ci)/[\w.-]+)")


def shown() -> list[tuple[str, str]]:
    """Every command line of ours in the documents, with its page: up to the first pipe, redirection or `&&`, and those
    whose output is put into another.
    """
    found = []
    for page in pages.documents():
        for written in pages.code_lines(page.read_text(encoding="utf-8")):
            line = written.partition(" # ")[0]
            inner = re.findall(r"\$\(([^()]*)\)", line)
            for part in [*inner, *re.split(r"&&|;|\||(?<!\w)[<>](?=\s)", re.sub(r"\$\([^()]*\)", "VALUE", line))]:
                words = part.strip().removeprefix(".venv/bin/")
                name, _, rest = words.partition(" ")
                if name in PROGRAMS and rest and "…" not in words:
                    found.append((pages.name(page), words.strip()))
    return sorted(set(found))


def refused(line: str) -> str | None:
    """Why the real command line does not take it; None if it does. Placeholders in capitals count as values."""
    tokens = canonical(main.command_first(shlex.split(line)[1:]))
    if tokens[0] in {"--help", "--version"} or tokens[0] == "COMMAND":
        return None
    if tokens[0] not in BY_NAME:
        return f"there is no command {tokens[0]}"
    try:
        main.application(tokens[0]).parse_args(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        # `qd serve` alone in a sentence names the command; what it needs is not the sentence's business.
        return None if len(tokens) == 1 and "requires an argument" in str(error) else " ".join(str(error).split())
    return None


@pytest.mark.parametrize(("page", "line"), shown())
def test_a_shown_command_is_one_that_the_program_takes(page: str, line: str) -> None:
    assert refused(line) is None, f"{page}: {line}"


def test_a_command_that_does_not_exist_is_found() -> None:
    assert refused("qd deplyo ./shop") == "there is no command deplyo"
    assert refused("qd deploy ./shop --no-such-option") is not None


def test_every_command_is_shown_somewhere() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages.documents())
    assert [one.name for one in COMMANDS if not re.search(rf"(?:qd|quarterdeck) {one.name}\b", text)] == []


@pytest.mark.parametrize("page", pages.documents(), ids=pages.name)
def test_every_named_script_is_there_and_can_be_run(page: Path) -> None:
    named = {name for line in pages.code_lines(page.read_text(encoding="utf-8")) for name in SCRIPT.findall(line)}
    wrong = [name for name in sorted(named) if not (pages.ROOT / name).is_dir() and not _runs(pages.ROOT / name)]
    assert wrong == []


def _runs(path: Path) -> bool:
    return path.is_file() and (os.access(path, os.X_OK) or path.suffix == ".py")


def test_the_readme_shows_the_commands_that_start_everything() -> None:
    lines = list(pages.code_lines((pages.ROOT / "README.md").read_text(encoding="utf-8")))
    assert any(line.startswith("git clone ") for line in lines)
    assert "script/demo" in lines
