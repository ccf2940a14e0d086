"""`qd doctor`: whether the server has what it needs; with --bundle, a file for whoever helps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from quarterdeck.cli.commands.maintenance import stores
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import session
from quarterdeck.cli.states import Shown, Tone
from quarterdeck.cli.terminal import Terminal

PROBLEM = re.compile(r"problem\d+")
OFF = Shown("off", "not configured")
STATES = {
    "configured": Shown("good", "ready"),
    "partial": Shown("warn", "not all is well"),
    "unknown": Shown("off", "not known"),
}
TONES: dict[str, Tone] = {"info": "off", "warning": "warn", "error": "bad"}
ACRONYMS = {"http": "HTTP", "https": "HTTPS", "url": "URL", "docker": "Docker", "caddy": "Caddy"}


def doctor(
    *,
    bundle: Path | None = None,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Check the server: database, schema, engine, edge, workers. Ends with 1 when something is wrong.

    With --bundle it writes facts about the installation on this machine into a file for whoever helps, whether the
    server runs or not: counts, states and error codes, no secrets, no names, no log lines.

    qd doctor
    qd doctor -o json
    quarterdeck doctor --bundle support.tar.gz --data-dir ./data

    Parameters
    ----------
    bundle
        A new file for the support bundle.
    data_dir
        The data directory of the bundle, as for serve.
    database_url
        The PostgreSQL database of the bundle, as for serve: @FILE that holds postgresql://…, or - for stdin.
    config
        The TOML file of the bundle, as for serve.
    """
    if bundle is not None:
        _bundle(bundle, data_dir, database_url, config, Terminal(common))
        return
    with session(common) as opened:
        body = opened.api.read("system.doctor")
        terminal, readiness = opened.terminal, body["readiness"]
        good = readiness["status"] == "ready"
        problem = Failure(
            f"{opened.api.profile.url} is {readiness['status']}.",
            code="degraded",
            hint="Do what stands beside each problem, then look again: qd doctor",
            facts=body,
        )
        if terminal.structured or terminal.format == "name":
            if not good:
                raise problem
            terminal.answer(body, name=readiness["status"], text="")
            return
        for line in lines(terminal, readiness, body["providers"]):
            terminal.line(line)
        if not good:
            raise problem


def lines(terminal: Terminal, readiness: dict[str, Any], providers: list[dict[str, Any]]) -> list[str]:
    """Each thing on one line: what was checked with what is there, other facts, what can be deployed to; then what is
    known of each server and of certificates, and what is wrong.
    """
    facts = {key: str(text) for key, text in (readiness.get("details") or {}).items()}
    problems = [facts.pop(key) for key in list(facts) if PROBLEM.fullmatch(key)]
    told: list[tuple[str, str]] = []
    for key, passed in readiness["checks"].items():
        shown = terminal.state(Shown("good", "in order") if passed else Shown("bad", "wrong"))
        told.append((key, f"{shown}   {facts.pop(key)}" if key in facts else shown))
    told += facts.items()
    said: list[str] = []
    for provider in providers:
        configuration = provider.get("configuration") or {}
        told.append((provider["title"], terminal.state(STATES.get(configuration.get("status", ""), OFF))))
        said += [
            f"  {terminal.mark(TONES[one['severity']])} {one['message']}"
            for one in configuration.get("diagnostics", [])
            if one["message"] not in problems  # once is enough
        ]
    return [
        *(f"  {_words(key):<24} {text}".rstrip() for key, text in told),
        *said,
        *(f"  {terminal.mark('bad')} {problem}" for problem in problems),
    ]


def _words(key: str) -> str:
    """`edgeHttpPort` as people write it."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key)
    return spaced if " " in key else " ".join(ACRONYMS.get(word.lower(), word.lower()) for word in spaced.split())


def _bundle(
    file: Path, data_dir: Path | None, database_url: str | None, config: Path | None, terminal: Terminal
) -> None:
    from quarterdeck import support_bundle

    settings, data, address = stores(data_dir, database_url, config)
    sections = support_bundle.collect(settings, data, address)
    try:
        support_bundle.write(file, sections)
    except OSError as error:
        raise Failure(
            f"{file} cannot be written ({error.strerror}).",
            exit=Exit.FAILED,
            code="bundle_failed",
            hint="Name a new file in a directory that you may write to.",
        ) from None
    text = f"{file}: {len(sections)} files. Look before you send it: tar xzf {file.name}"
    terminal.answer({"file": str(file), "contents": sorted(sections)}, name=str(file), text=text)
