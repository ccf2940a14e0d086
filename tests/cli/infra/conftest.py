"""A command line and an infra surface that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.infra import infra_api
from cli.infra.infra_api import InfraApi
from quarterdeck.cli import terminal


@pytest.fixture
def infra(monkeypatch: pytest.MonkeyPatch, impatient: None) -> Iterator[InfraApi]:
    """Signed in, and pauses take no time. At the end nothing may have been asked against the contract."""
    monkeypatch.setenv("TZ", "UTC")
    with InfraApi() as made:
        monkeypatch.setenv("QUARTERDECK_URL", made.url)
        monkeypatch.setenv("QUARTERDECK_TOKEN", infra_api.TOKEN)
        yield made
        assert made.wrong == []


@pytest.fixture
def attended(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A person at a terminal who types these lines. Answers what they were asked."""

    def sit(*lines: str) -> list[str]:
        typed, asked = list(lines), []

        def ask(self: terminal.Terminal, question: str, *, secret: bool = False, otherwise: str) -> str:
            asked.append(question)
            assert typed, f"nobody answers {question}"
            return typed.pop(0)

        monkeypatch.setattr(terminal.Terminal, "asks", property(lambda self: not self.no_input))
        monkeypatch.setattr(terminal.Terminal, "ask", ask)
        return asked

    return sit


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], str]:
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write
