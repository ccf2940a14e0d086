"""`qd config`: what a profile keeps beside the server and the credential."""

from __future__ import annotations

from typing import Literal

from cyclopts import App

from quarterdeck.cli import profiles
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Common
from quarterdeck.cli.profiles import Profile
from quarterdeck.cli.terminal import Terminal

COMMON = Common()
Key = Literal["server", "default-project"]
OWN = "default-project"
config = App(name="config", help="What a profile keeps: the server, and the project that new tasks are for.")


def _values(profile: Profile) -> dict[str, str | None]:
    return {"server": profile.url, OWN: profile.default_project}


def ls(*, common: Common = COMMON) -> None:
    """List what the current profile keeps.

    qd config list
    qd config list --json
    """
    _, profile = profiles.chosen(common.profile)
    values = _values(profile)
    items = [{"key": key, "value": value} for key, value in values.items()]
    rows = [[key, value or ""] for key, value in values.items()]
    Terminal(common).table(items, ["KEY", "VALUE"], rows, names=list(values), document=values)


def get(key: Key, /, *, common: Common = COMMON) -> None:
    """Print one value; nothing where none is kept.

    qd config get default-project

    Parameters
    ----------
    key
        server or default-project.
    """
    _, profile = profiles.chosen(common.profile)
    value = _values(profile)[key]
    Terminal(common).answer({"key": key, "value": value}, name=value or "", text=value or "")


def put(key: Key, value: str, /, *, common: Common = COMMON) -> None:
    """Keep a value in the current profile.

    qd config set default-project WEB

    Parameters
    ----------
    key
        default-project: the key of the project that `qd task create` means where none is named.
    value
        The value.
    """
    _keep(key, value, common)
    Terminal(common).answer({"key": key, "value": value}, name=value, text=f"{key} is {value}.")


def unset(key: Key, /, *, common: Common = COMMON) -> None:
    """Forget a value of the current profile.

    qd config unset default-project

    Parameters
    ----------
    key
        default-project.
    """
    _keep(key, None, common)
    Terminal(common).answer({"key": key, "value": None}, name=key, text=f"{key} is not kept any more.")


def _keep(key: Key, value: str | None, common: Common) -> None:
    if key != OWN:
        raise usage("The server of a profile is changed by signing in.", "qd login https://deck.example.com")
    name, profile = profiles.chosen(common.profile)
    if name is None:
        raise usage(
            f"No profile for {profile.url} is saved: the server comes from the environment.",
            f"qd login {profile.url}",
            code="no_profile",
        )
    with profiles.changing() as store:
        store.profiles[name].default_project = value


for _command in (get, unset):
    config.command(_command)
config.command(ls, name="list")
config.command(put, name="set")
