"""`quarterdeck enrol`: make a worker known, with the server stopped."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Common
from quarterdeck.cli.terminal import Terminal


def enrol(
    name: str,
    *,
    capability: str = "deploy,local",
    data_dir: Path | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Make a worker known, with the server stopped, and print its token this once.

    quarterdeck enrol builder-1 --data-dir ./data > worker.token
    quarterdeck enrol builder-1 --capability deploy

    Parameters
    ----------
    name
        What the worker is called.
    capability
        What it may do, separated by commas. With `local` it also works for servers that are its own machine: the
        first machine that uses the token.
    data_dir
        The data directory, as for serve.
    config
        The TOML file, as for serve.
    """
    capabilities = [part.strip() for part in capability.split(",") if part.strip()]
    if not capabilities:
        raise usage("A worker needs a capability.", "--capability deploy,local")

    from quarterdeck.fleet.workers import enrolment
    from quarterdeck.identity import setup
    from quarterdeck.instance import Instance
    from quarterdeck.kernel import telemetry
    from quarterdeck.kernel.settings import load

    terminal = Terminal(common)
    telemetry.configure("warning")  # records go to stderr: stdout is the token
    instance = Instance.open(load({"data_dir": data_dir}, config=config))
    try:
        organization = instance.db.write_sync(setup.default_organization)
        worker, token = instance.db.write_sync(enrolment.enrol, organization.id, name, capabilities)
    finally:
        instance.close_sync()
    value = token.reveal()
    terminal.answer(
        {"workerId": worker.uid, "name": name, "capabilities": capabilities, "token": value}, name=value, text=value
    )
