"""`qd environment`: make environments, and set what all their resources get."""

from __future__ import annotations

from shlex import quote
from typing import Any, Literal

from cyclopts import App

from quarterdeck.cli import names
from quarterdeck.cli.commands.settings import secret_values, sorted_out
from quarterdeck.cli.commands.variables import entries
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.preparing import KINDS
from quarterdeck.cli.session import session

environment = App(name="environment", help="Environments of a project, and the variables that they give.")
Kind = Literal["local", "development", "test", "staging", "production", "preview", "custom"]


def create(name: str, /, *, kind: Kind | None = None, changing: Changing = Changing()) -> None:
    """Make an environment. `qd deploy` makes one by itself where it is missing.

    qd environment create storefront/staging

    Parameters
    ----------
    name
        project/environment.
    kind
        What it is for. Default: what its name says, else custom.
    """
    owner, slash, own = name.partition("/")
    if not slash or not own:
        raise usage(f"{name} is not project/environment.", "qd environment create storefront/staging")
    with session(changing) as opened:
        row = names.project(opened.api, owner)
        body = {"projectId": row["id"], "name": own, "kind": kind or KINDS.get(own.lower(), "custom")}
        made = opened.api.change("environments.create", body, what="environment")
        opened.done(made, name=str(made["id"]), text=f"Created the environment {row['slug']}/{own}.")


def variables(name: str, /, *, common: Common = Common()) -> None:
    """List the variables that an environment gives to its resources; values of secrets are not shown.

    qd environment variables storefront/production

    Parameters
    ----------
    name
        project/environment, or an id.
    """
    with session(common) as opened:
        row = names.environment(opened.api, name)
        body = opened.api.read("environments.effective-precedence", environmentId=str(row["id"]))
        entries(opened, body, empty=f"{name} sets no variables.")


def set_values(
    name: str,
    /,
    *values: str,
    secret: list[str] | None = None,
    build_time: bool = False,
    changing: Changing = Changing(),
) -> None:
    """Set variables for all resources of an environment. They take effect with each one's next deployment.

    qd environment set storefront/production LOG_LEVEL=info
    qd environment set storefront/production --secret DATABASE_URL < url.txt

    Parameters
    ----------
    name
        project/environment, or an id.
    values
        KEY=VALUE, as many as wanted.
    secret
        A secret variable; its value is asked for, or read from stdin (one line each, in the order given).
    build_time
        The variables are for the build; their names begin with PUBLIC_ or VITE_.
    """
    _, plain = sorted_out(values, as_variables=True)
    if not plain and not secret:
        raise usage("There is nothing to set.", f"qd environment set {quote(name)} KEY=VALUE")
    with session(changing) as opened:
        row = names.environment(opened.api, name)
        exposure = "build-time" if build_time else "runtime"
        bodies: list[dict[str, Any]] = [
            {"key": key, "value": value, "kind": "plain-config", "exposure": exposure} for key, value in plain
        ]
        bodies += [
            {"key": key, "value": value, "kind": "secret", "exposure": "runtime", "isSecret": True}
            for key, value in secret_values(opened.terminal, secret or [])
        ]
        for body in bodies:
            opened.api.change("environments.set-variable", body, environmentId=str(row["id"]))
        opened.sent()
        keys = [str(body["key"]) for body in bodies]
        answer = {"environmentId": row["id"], "changed": keys}
        opened.terminal.answer(answer, name=str(row["id"]), text=f"Set {', '.join(keys)} of {name}.")


def unset(name: str, /, *keys: str, build_time: bool = False, changing: Changing = Changing()) -> None:
    """Remove variables of an environment. They are gone with each resource's next deployment.

    qd environment unset storefront/production LOG_LEVEL

    Parameters
    ----------
    name
        project/environment, or an id.
    keys
        The names of the variables.
    build_time
        The variables of the build.
    """
    if not keys:
        raise usage("There is nothing to remove.", f"qd environment unset {quote(name)} KEY")
    with session(changing) as opened:
        row = names.environment(opened.api, name)
        exposure = "build-time" if build_time else "runtime"
        for key in keys:
            opened.api.change(
                "environments.unset-variable", {"exposure": exposure}, environmentId=str(row["id"]), key=key
            )
        opened.sent()
        answer = {"environmentId": row["id"], "removed": list(keys)}
        opened.terminal.answer(answer, name=str(row["id"]), text=f"Removed {', '.join(keys)} of {name}.")


def rename(name: str, new: str, /, *, changing: Changing = Changing()) -> None:
    """Give an environment another name.

    qd environment rename storefront/staging rehearsal

    Parameters
    ----------
    name
        project/environment, or an id.
    new
        The new name.
    """
    _changed("environments.rename", name, {"name": new}, f"Renamed {name} to {new}.", changing)


def lock(name: str, /, *, reason: str | None = None, changing: Changing = Changing()) -> None:
    """Take no deployments and no changes in an environment until it is unlocked. What runs goes on.

    qd environment lock storefront/production --reason "release freeze"

    Parameters
    ----------
    name
        project/environment, or an id.
    reason
        One line for those who meet the lock.
    """
    _changed("environments.lock", name, _given(reason), f"Locked {name}.", changing)


def unlock(name: str, /, *, changing: Changing = Changing()) -> None:
    """Take deployments and changes in an environment again.

    qd environment unlock storefront/production

    Parameters
    ----------
    name
        project/environment, or an id.
    """
    _changed("environments.unlock", name, None, f"Unlocked {name}.", changing)


def archive(name: str, /, *, reason: str | None = None, changing: Changing = Changing()) -> None:
    """Put an environment out of use for good. What runs in it goes on; nothing new is deployed there.

    qd environment archive storefront/staging

    Parameters
    ----------
    name
        project/environment, or an id.
    reason
        One line for those who look later.
    """
    with session(changing) as opened:
        row = names.environment(opened.api, name)
        opened.terminal.confirm(f"Archive the environment {name}? This is final.")
        answer = opened.api.change("environments.archive", _given(reason), environmentId=str(row["id"]))
        opened.done(answer, name=str(answer["id"]), text=f"Archived {name}.")


def copy(name: str, new: str, /, *, kind: Kind | None = None, changing: Changing = Changing()) -> None:
    """Make another environment of the same project with the same variables, secrets included.

    qd environment copy storefront/staging rehearsal

    Parameters
    ----------
    name
        project/environment, or an id.
    new
        The name of the copy.
    kind
        What it is for. Default: the same.
    """
    body = {"targetName": new, **({"targetKind": kind} if kind else {})}
    _changed("environments.clone", name, body, f"Copied {name} to {new}.", changing)


def compare(name: str, other: str, /, *, common: Common = Common()) -> None:
    """Tell how the variables of two environments differ; values of secrets are not shown.

    qd environment compare storefront/staging storefront/production

    Parameters
    ----------
    name
        project/environment, or an id.
    other
        The one to compare it with.
    """
    with session(common) as opened:
        left, right = names.environment(opened.api, name), names.environment(opened.api, other)
        found = opened.api.read("environments.diff", environmentId=str(left["id"]), otherEnvironmentId=str(right["id"]))
        rows = [
            [str(one["key"]), str(one["exposure"]), str(one["change"]),
             *(str((one.get(side) or {}).get("value", "")) for side in ("left", "right"))]
            for one in found
            if one["change"] != "unchanged"
        ]  # fmt: skip
        opened.terminal.table(
            found, ["KEY", "EXPOSURE", "CHANGE", name, other], rows, names=[row[0] for row in rows],
        )  # fmt: skip


def _given(reason: str | None) -> dict[str, Any]:
    return {} if reason is None else {"reason": reason}


def _changed(key: str, name: str, body: dict[str, Any] | None, text: str, changing: Changing) -> None:
    with session(changing) as opened:
        row = names.environment(opened.api, name)
        answer = opened.api.change(key, body, environmentId=str(row["id"]))
        opened.done(answer, name=str(answer["id"]), text=text)


environment.command(create)
environment.command(variables)
environment.command(set_values, name="set")
environment.command(unset)
for command in (rename, lock, unlock, archive, copy, compare):
    environment.command(command)
