"""`quarterdeck install` and `quarterdeck uninstall`: the server as a service of systemd."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.options import Changing
from quarterdeck.cli.terminal import Terminal


def install(
    *serve_arguments: Annotated[str, Parameter(allow_leading_hyphen=True)],
    data_dir: Path | None = None,
    user: str | None = None,
    directory: Path | None = None,
    print_: Annotated[bool, Parameter(name="--print", negative="")] = False,
    common: Changing = Changing(),
) -> None:
    """Run the server as a service that starts with the machine (systemd). What follows -- are arguments of serve.

    quarterdeck install --print
    quarterdeck install -- --public-url https://deck.example.com --acme-email ops@example.com
    quarterdeck install --user quarterdeck --data-dir /srv/quarterdeck

    Parameters
    ----------
    serve_arguments
        Arguments of serve, after --.
    data_dir
        The data directory, as for serve.
    user
        The user that the server runs as. Default: root, which host processes with users of their own need.
    directory
        Where the unit is written. Default: /etc/systemd/system.
    print_
        Only show the unit.
    """
    from quarterdeck import service_unit
    from quarterdeck.kernel.settings_reading import load

    terminal = Terminal(common)
    refuse_credentials(serve_arguments)
    place = data_dir.expanduser().absolute() if data_dir else Path("/var/lib/quarterdeck")
    arguments = ("--data-dir", str(place), *serve_arguments)
    load({"data_dir": place})
    unit = service_unit.Unit(program(), arguments, user, place)
    text = service_unit.rendered(unit)
    file = (directory or service_unit.PLACE) / service_unit.NAME
    if print_ or common.plan:
        terminal.answer({"file": str(file), "unit": text}, name=str(file), text=text.rstrip())
        return
    try:
        file.write_text(text)
    except OSError as error:
        raise Failure(
            f"{file} cannot be written ({error.strerror}).",
            code="install_failed",
            hint="Run it as root, or put the output of `quarterdeck install --print` there yourself.",
        ) from None
    done = _systemctl(["daemon-reload"], ["enable", "--now", service_unit.NAME]) if directory is None else False
    how = "It runs." if done else "Now: systemctl daemon-reload && systemctl enable --now quarterdeck"
    terminal.answer(
        {"file": str(file), "started": done},
        name=str(file),
        text=f"{file} is written. {how}\nLog: journalctl -u quarterdeck",
    )


def uninstall(*, data_dir: Path | None = None, directory: Path | None = None, common: Changing = Changing()) -> None:
    """Stop the service and remove its unit; data and applications stay, and it says where.

    quarterdeck uninstall --plan
    quarterdeck uninstall

    Parameters
    ----------
    data_dir
        The data directory that the service has.
    directory
        Where the unit was written. Default: /etc/systemd/system.
    """
    from quarterdeck import service_unit

    terminal = Terminal(common)
    file = (directory or service_unit.PLACE) / service_unit.NAME
    place = data_dir.expanduser().absolute() if data_dir else Path("/var/lib/quarterdeck")
    stays = [
        f"{place}: all data, with the master key. Remove it when nothing of it is needed any more.",
        f"{place}/runtime: host processes and the edge, which go on running until `quarterdeck serve` takes them over.",
        "Containers, images, networks and volumes: docker ps -a --filter label=quarterdeck.managed=true",
        "User numbers 700000 to 709999, which files of host processes belong to; no accounts were made.",
    ]
    told = "What stays:\n" + "\n".join(f"  {line}" for line in stays)
    if common.plan:
        terminal.answer({"removes": [str(file)], "stays": stays}, name=str(file), text=f"Would remove {file}.\n{told}")
        return
    if not file.exists():
        raise Failure(
            f"There is no {file}.", exit=Exit.NOT_FOUND, code="service_not_installed", hint="quarterdeck install"
        )
    if directory is None:
        _systemctl(["disable", "--now", service_unit.NAME])
    try:
        file.unlink()
    except OSError as error:
        raise Failure(
            f"{file} cannot be removed ({error.strerror}).", code="install_failed", hint="Run it as root."
        ) from None
    if directory is None:
        _systemctl(["daemon-reload"])
    terminal.answer({"removed": [str(file)], "stays": stays}, name=str(file), text=f"Removed {file}.\n{told}")


def program() -> Path:
    """The command as a service may call it: the installed one of this environment."""
    beside = Path(sys.executable).with_name("quarterdeck")
    found = beside if os.access(beside, os.X_OK) else Path(shutil.which("quarterdeck") or beside)
    return found.absolute()


def refuse_credentials(arguments: tuple[str, ...]) -> None:
    """Unit files are readable by everybody, and so are command lines."""
    for index, word in enumerate(arguments):
        name, _, value = word.partition("=")
        given = value or (arguments[index + 1] if index + 1 < len(arguments) else "")
        if name == "--database-url" and not given.startswith("@"):
            raise usage(
                "A unit file is readable by every user, so it takes no credential.",
                "--database-url @FILE, with a file that only the server's user may read",
            )


def _systemctl(*commands: list[str]) -> bool:
    """Whether systemd runs here and did all of it."""
    if shutil.which("systemctl") is None or not Path("/run/systemd/system").is_dir():
        return False
    for command in commands:
        done = subprocess.run(["systemctl", *command], capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Failure(
                f"systemctl {command[0]} failed: {said[-1] if said else done.returncode}.",
                code="install_failed",
                hint="journalctl -u quarterdeck",
            )
    return True
