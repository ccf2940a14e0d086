"""`qd doctor`: whether the server has what it needs; with --bundle, a file for whoever helps."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.cli.commands.maintenance import stores
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import session
from quarterdeck.cli.states import Shown
from quarterdeck.cli.terminal import Terminal


def doctor(
    *,
    bundle: Path | None = None,
    data_dir: Path | None = None,
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
    config
        The TOML file of the bundle, as for serve.
    """
    if bundle is not None:
        _bundle(bundle, data_dir, config, Terminal(common))
        return
    with session(common) as opened:
        body = opened.api.read("system.doctor")
        terminal, readiness = opened.terminal, body["readiness"]
        good = readiness["status"] == "ready"
        problem = Failure(
            f"{opened.api.profile.url} is {readiness['status']}.",
            code="degraded",
            hint=f"{opened.console}/",
            facts=body,
        )
        if terminal.structured or terminal.format == "name":
            if not good:
                raise problem
            terminal.answer(body, name=readiness["status"], text="")
            return
        for key, passed in readiness["checks"].items():
            shown = Shown("good", "in order") if passed else Shown("bad", "wrong")
            terminal.line(f"  {key:<14} {terminal.state(shown)}")
        for key, text in (readiness.get("details") or {}).items():
            terminal.line(f"  {key:<14} {text}")
        for provider in body["providers"]:
            ready = (provider.get("configuration") or {}).get("status") == "configured"
            shown = Shown("good", "ready") if ready else Shown("off", "not configured")
            terminal.line(f"  {provider['key']:<14} {terminal.state(shown)}")
        if not good:
            raise problem


def _bundle(file: Path, data_dir: Path | None, config: Path | None, terminal: Terminal) -> None:
    from quarterdeck import support_bundle

    settings, data, address = stores(data_dir, config)
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
