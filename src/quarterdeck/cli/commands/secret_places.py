"""`qd secret connection` and `qd secret found`: where secrets are kept, and which there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter, validators

from quarterdeck.cli import secret_naming, secret_states, secret_values
from quarterdeck.cli.failure import usage
from quarterdeck.cli.infra_options import Limit
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.secret_options import Pairs, Provider, seconds
from quarterdeck.cli.secret_session import about, session
from quarterdeck.cli.tasks import ago

COMMON, CHANGING = Common(), Changing()
CREDENTIALS = re.compile(r"token|secret|password|credential|access_?key|private_?key|passphrase", re.IGNORECASE)
TRUTHS = {"true": True, "false": False}
Credential = Annotated[str | None, Parameter(allow_leading_hyphen=True)]
connection = App(name="connection", help="Say where secrets are kept.")


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    """`KEY=VALUE` words. Raises `Failure`, which repeats no value."""
    found: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise usage(f"{option} takes KEY=VALUE.", f"{option} address=https://vault.example.com", code="pair_form")
        found[key] = value
    return found


def _config(given: Sequence[str]) -> dict[str, Any]:
    """Words of a configuration: @FILE is the content of a file, true and false are what they say."""
    found: dict[str, Any] = {}
    for key, value in pairs(given, "--config").items():
        if CREDENTIALS.search(key):
            raise usage(
                f"{key} is a credential, and no part of --config: every user of this machine can read command lines.",
                "--credential @FILE, or --credential - for stdin",
                code="secret_in_words",
            )
        if value.startswith("@"):
            found[key] = secret_values.content(value, key, f"--config {key}=", largest=100_000)
        else:
            found[key] = TRUTHS.get(value, value)
    return found


def _credential(given: str | None) -> str | None:
    if given is None:
        return None
    return secret_values.content(given, "--credential", "--credential ", largest=secret_values.CREDENTIAL)


def ls(*, common: Common = COMMON) -> None:
    """List where secrets are kept. Credentials are never shown.

    qd secret connection list
    """
    with session(common) as opened:
        found: list[Row] = opened.api.read("secret-connections.list")
        if not found and opened.terminal.format == "text":
            opened.terminal.say("There is no connection yet.\nTry:   qd secret connection add --help")
            return
        known = secret_naming.projects(opened, found)
        rows = [
            [
                str(row["name"]),
                str(row["provider_type"]),
                opened.terminal.state(secret_states.connection(row)),
                "/".join(
                    part
                    for part in (known.get(str(row.get("project_id")), ""), str(row.get("environment") or ""))
                    if part
                ),
                ", ".join(f"{key}={value}" for key, value in row["config"].items() if key != "ca_pem"),
                str(row["id"]),
                str(row.get("health_error") or ""),
            ]
            for row in found
        ]
        columns = ["CONNECTION", "PROVIDER", "STATE", "FOR", "WHERE", "ID", "PROBLEM"]
        opened.terminal.table(found, columns, rows, names=[str(row["id"]) for row in found])


def add(
    name: str,
    /,
    *,
    provider: Provider,
    config: Pairs = None,
    credential: Credential = None,
    project: str | None = None,
    environment: str | None = None,
    scope: Pairs = None,
    discover: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Say where secrets are kept. Requests name it, or mean it where only one fits.

    qd secret connection add ours --provider vault --config address=https://vault.example.com --credential @token
    qd secret connection add drawer --provider file --config name=shop --credential - --project shop
    qd secret connection add cluster --provider kubernetes --config namespace=shop --scope cluster=eu

    Parameters
    ----------
    name
        What requests call it.
    provider
        What keeps the secrets.
    config
        A word of it, such as address=https://…; may be given several times. ca_pem=@FILE is read from a file.
    credential
        What opens it: @FILE, or - for stdin. Without one an agent takes its own.
    project
        Only for requests for this project.
    environment
        Only for requests for this environment.
    scope
        Which agents it is for, such as cluster=eu; may be given several times.
    discover
        How often agents look for secrets there, such as 1h. Default: never.
    """
    body: Row = {"name": name, "provider_type": provider, "config": _config(config or [])}
    body |= {"agent_scope": pairs(scope, "--scope")} if scope else {}
    body |= {"discover_seconds": seconds(discover, "--discover")} if discover is not None else {}
    body |= {"environment": environment} if environment is not None else {}
    opener = _credential(credential)
    body |= {"credential": opener} if opener is not None else {}
    with session(changing) as opened, about(conflict="qd secret connection list"):
        if project is not None:
            body["project_id"] = secret_naming.project(opened, project)["id"]
        made: Row = opened.api.change("secret-connections.create", body, what="connection")
        opened.done(made, name=str(made["id"]), text=f"Made the connection {name}.")


def change(
    connection: str,
    /,
    *,
    config: Pairs = None,
    credential: Credential = None,
    state: Annotated[Literal["enabled", "disabled"] | None, Parameter(name="--state")] = None,
    discover: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Change a connection. What is not given stays; a new address needs its credential anew.

    qd secret connection change ours --credential @new-token
    qd secret connection change ours --state disabled
    qd secret connection change ours --config prefix=apps --discover 1h

    Parameters
    ----------
    connection
        Its name or id.
    config
        A word of it; an empty value takes it away. May be given several times.
    credential
        What opens it from now on: @FILE, or - for stdin.
    state
        Whether requests may use it.
    discover
        How often agents look for secrets there; 0 for never.
    """
    body: Row = {"discover_seconds": seconds(discover, "--discover")} if discover is not None else {}
    body |= {"enabled": state == "enabled"} if state is not None else {}
    words = _config(config or [])
    opener = _credential(credential)
    body |= {"credential": opener} if opener is not None else {}
    if not body and not words:
        raise usage("Say what to change.", "qd secret connection change NAME --credential @FILE")
    with session(changing) as opened, about(not_found="qd secret connection list"):
        row = secret_naming.connection(opened, connection)
        if words:
            merged = {**row["config"], **words}
            body["config"] = {key: value for key, value in merged.items() if value != ""}
        answer = opened.api.change("secret-connections.change", body, connectionId=str(row["id"]))
        opened.done(answer, name=str(row["id"]), text=f"Changed the connection {row['name']}.")


def remove(connection: str, /, *, changing: Changing = CHANGING) -> None:
    """Take a connection away, and its credential with it. What is kept there stays.

    qd secret connection remove ours --yes

    Parameters
    ----------
    connection
        Its name or id.
    """
    with session(changing) as opened, about(not_found="qd secret connection list"):
        row = secret_naming.connection(opened, connection)
        opened.terminal.confirm(f"Remove the connection {row['name']}? No request can use it from then on.")
        answer = opened.api.change("secret-connections.delete", connectionId=str(row["id"]))
        opened.done(answer, name=str(row["id"]), text=f"Removed the connection {row['name']}.")


def found(
    *,
    cluster: str | None = None,
    provider: Provider | None = None,
    prefix: str | None = None,
    label: Pairs = None,
    status: Literal["present", "missing"] | None = None,
    limit: Limit = 100,
    offset: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    common: Common = COMMON,
) -> None:
    """List the secrets that agents have found: names and labels, never values.

    qd secret found
    qd secret found --provider vault --prefix apps/ --label team=shop

    Parameters
    ----------
    cluster
        Only those of it.
    provider
        Only those that it keeps.
    prefix
        Only references that begin so.
    label
        Only with this label, KEY=VALUE; may be given several times, then all have to fit.
    status
        Whether it was there at the last look.
    limit
        How many, at most 1000.
    offset
        Behind so many.
    """
    labels = [f"{key}:{value}" for key, value in pairs(label or [], "--label").items()]
    with session(common) as opened:
        query: Row = {"cluster_name": cluster, "provider": provider, "ref_prefix": prefix, "status": status}
        query |= {"limit": limit, "offset": offset or None}
        page: Row = opened.api.read("discovered-secrets.list", {**query, "label": labels or None})
        terminal, items = opened.terminal, page["items"]
        if not items and terminal.format == "text":
            terminal.say("No such secret was found.")
            return
        rows = [
            [
                str(row["secret_ref"]),
                str(row["provider_type"]),
                str(row["cluster_name"]),
                terminal.state(secret_states.found(row)),
                ago(row["last_seen_at"]),
                str(row.get("version") or ""),
                ", ".join(f"{key}={value}" for key, value in sorted(row["labels"].items())),
            ]
            for row in items
        ]
        columns = ["SECRET", "PROVIDER", "CLUSTER", "STATE", "SEEN", "VERSION", "LABELS"]
        terminal.table(items, columns, rows, names=[str(row["secret_ref"]) for row in items], document=page)
        shown = offset + len(items)
        if terminal.format == "text" and page["total"] > shown:
            terminal.say(f"{page['total'] - shown} more: --offset {shown}")


for _command in (add, change, remove):
    connection.command(_command)
connection.command(ls, name="list")
