"""`qd server policy` and `policies`: what is removed from servers by itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter, validators

from quarterdeck.cli import names
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import session

Category = Literal["stopped-containers", "source-workspaces", "docker-build-cache", "unused-images"]


def policy(
    name: str,
    /,
    *,
    days: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=36500))],
    server: str | None = None,
    category: list[Category] | None = None,
    remove: bool = False,
    off: bool = False,
    changing: Changing = Changing(),
) -> None:
    """Look every hour for what is old on servers, and remove it with --remove. The same name replaces a policy.

    qd server policy nightly --days 30
    qd server policy nightly --days 30 --category unused-images --remove
    qd server policy nightly --days 30 --off

    Parameters
    ----------
    name
        Its id, of your choice.
    days
        Only what has not changed for so many days.
    server
        Only on this server. Default: on all.
    category
        What to look for. Default: stopped-containers.
    remove
        Remove it. Without, the server's own log says what could go.
    off
        Keep the policy and do nothing by it.
    """
    with session(changing) as opened:
        body: dict[str, Any] = {
            "policyId": name,
            "scope": "organization",
            "retentionDays": days,
            "categories": list(category or ("stopped-containers",)),
            "destructive": remove,
            "enabled": not off,
        }
        if server is not None:
            body["serverId"] = names.server(opened.api, server)["id"]
        if remove and not off:
            opened.terminal.confirm(f"Remove by itself what has been unused for {days} days?")
        answer = opened.api.change("scheduled-runtime-prune-policies.configure", body)
        opened.done(answer, name=name, text=f"Configured the policy {name}.")


def policies(*, common: Common = Common()) -> None:
    """List the policies by which servers are tidied.

    qd server policies
    """
    with session(common) as opened:
        items = opened.api.read("scheduled-runtime-prune-policies.list")["items"]
        rows = [
            [
                one["id"],
                "all" if one["serverId"] == "*" else one["serverId"],
                f"{one['retentionDays']:.0f}",
                ", ".join(one["categories"]),
                "off" if not one["enabled"] else "removes" if one["destructive"] else "looks",
            ]
            for one in items
        ]
        columns = ["ID", "SERVER", "DAYS", "CATEGORIES", "STATE"]
        opened.terminal.table(items, columns, rows, names=[row[0] for row in rows])
