"""`qd token`: credentials of pipelines, and of your own programs (`qd token personal`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from quarterdeck.cli import names, states
from quarterdeck.cli.client import Api
from quarterdeck.cli.commands.organizations import chosen
from quarterdeck.cli.commands.personal_tokens import personal, shown_once, until
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.session import session

COMMON, CHANGING, DESTROYING = Common(), Changing(), Destroying()
Command = Literal["source-link-deploy", "server-config-deploy", "preview-cleanup"]
Row = dict[str, Any]
token = App(name="token", help="Make, rotate and revoke tokens of pipelines and of your own programs.")


def _find(api: Api, organization_id: str, text: str) -> Row:
    rows = [
        {**row, "id": row["tokenId"], "name": row["displayName"]}
        for row in api.read("deploy-tokens.list", {"organizationId": organization_id, "limit": 100})["items"]
    ]
    live = [row for row in rows if row["status"] == "active"]
    found = names.pick(live, text) or names.pick(rows, text)
    if found is None:
        raise names.missing("deploy token", text, [row["name"] for row in rows], "qd token ls")
    return found


def create(
    name: str,
    /,
    *,
    may: Annotated[list[Command], Parameter(name="--may")],
    project: list[str] | None = None,
    environment: list[str] | None = None,
    resource: list[str] | None = None,
    server: list[str] | None = None,
    repository: list[str] | None = None,
    expires: str | None = None,
    organization: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Make a token for a pipeline. It works on the routes of what it may do, and nowhere else.

    qd token create github --may preview-cleanup --project shop
    qd token create ci --may source-link-deploy --may preview-cleanup --expires 90d

    Parameters
    ----------
    name
        What it is called.
    may
        What it is for; may be given several times.
    project
        Only for this project, by name or id; may be given several times, as the others.
    environment
        Only for this environment, by id.
    resource
        Only for this resource: project/environment/resource, or its id.
    server
        Only for this server, by name or id.
    repository
        Only for this repository, as owner/name.
    expires
        When it ends: 90d, 12h or a date. Default: never.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    end = until(expires)
    with session(changing) as opened:
        api, found = opened.api, chosen(opened.api, organization)
        scope: dict[str, Any] = {
            "workflowCommands": list(may),
            "projectIds": [_id(api, "projects.list", "project", one) for one in project or []],
            "environmentIds": [_id(api, "environments.list", "environment", one) for one in environment or []],
            "resourceIds": [names.resource(api, one).id for one in resource or []],
            "deploymentTargetIds": [_id(api, "servers.list", "server", one) for one in server or []],
            "repositoryFullNames": repository or [],
        }
        body = {
            "organizationId": found["id"],
            "displayName": name,
            "scope": {key: value for key, value in scope.items() if value},
            **({"expiresAt": end} if end else {}),
        }
        made = api.change("deploy-tokens.create", body)
        opened.sent()
        shown_once(opened, made, name=made["tokenId"], text=f"Made {name} ({made['tokenId']}).")


def _id(api: Api, key: str, what: str, text: str) -> str:
    rows = api.items(key)
    found = names.pick(rows, text)
    if found is None:
        raise names.missing(what, text, [row["name"] for row in rows], f"qd ls {what}s")
    return str(found["id"])


def ls(*, revoked: bool = False, organization: str | None = None, common: Common = COMMON) -> None:
    """List the tokens of pipelines.

    qd token ls

    Parameters
    ----------
    revoked
        Those that were revoked, too.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(common) as opened:
        query = {"organizationId": chosen(opened.api, organization)["id"], "limit": 100}
        rows = opened.api.read("deploy-tokens.list", query | ({} if revoked else {"status": "active"}))["items"]
        cells = [
            [
                opened.terminal.state(states.credential(row["status"])),
                row["displayName"],
                f"…{row['secretSuffix']}",
                row.get("lastUsedAt", "never used"),
                row.get("expiresAt", ""),
                ", ".join(row["scope"]["workflowCommands"]),
            ]
            for row in rows
        ]
        columns = ["STATE", "TOKEN", "ENDS IN", "LAST USED", "UNTIL", "MAY"]
        opened.terminal.table(rows, columns, cells, names=[row["tokenId"] for row in rows])


def show(name: str, /, *, organization: str | None = None, common: Common = COMMON) -> None:
    """Show what a pipeline's token may do, and when it was last used.

    qd token show github

    Parameters
    ----------
    name
        Its name or id.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(common) as opened:
        where = chosen(opened.api, organization)["id"]
        found = _find(opened.api, where, name)
        shown = opened.api.read("deploy-tokens.show", {"organizationId": where}, tokenId=found["id"])
        lines = [f"{shown['displayName']}   {shown['tokenId']}   …{shown['secretSuffix']}", f"  {shown['status']}"]
        lines += [f"  {key}  {', '.join(values)}" for key, values in shown["scope"].items() if values]
        times = ("createdAt", "rotatedAt", "lastUsedAt", "expiresAt", "revokedAt")
        lines += [f"  {key}  {shown[key]}" for key in times if key in shown]
        opened.terminal.answer(shown, name=shown["tokenId"], text="\n".join(lines))


def rotate(name: str, /, *, organization: str | None = None, changing: Changing = CHANGING) -> None:
    """Give a pipeline's token a new secret. The old one ends at once.

    qd token rotate github

    Parameters
    ----------
    name
        Its name or id.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(changing) as opened:
        where = chosen(opened.api, organization)["id"]
        found = _find(opened.api, where, name)
        opened.terminal.confirm(f"Pipelines with the present secret of {found['name']} are shut out at once. Go on?")
        body = {"organizationId": where, "confirmation": {"tokenId": found["id"]}}
        made = opened.api.change("deploy-tokens.rotate", body, tokenId=found["id"])
        shown_once(opened, made, name=found["id"], text=f"Rotated {found['name']}.")


def revoke(
    name: str, /, *, reason: str | None = None, organization: str | None = None, destroying: Destroying = DESTROYING
) -> None:
    """End a pipeline's token for good.

    qd token revoke github
    qd token revoke github --reason "left the team" --confirm github

    Parameters
    ----------
    name
        Its name or id.
    reason
        Why, for the audit trail.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(destroying) as opened:
        where = chosen(opened.api, organization)["id"]
        found = _find(opened.api, where, name)
        lost = f"Pipelines with {found['name']} are shut out. This cannot be undone."
        opened.terminal.confirm_typed(lost, found["name"], destroying.confirm)
        body = {"organizationId": where, "confirmation": {"tokenId": found["id"]}}
        answer = opened.api.change(
            "deploy-tokens.revoke", body | ({"reason": reason} if reason else {}), tokenId=found["id"]
        )
        opened.done(answer, name=found["id"], text=f"Revoked {found['name']}.")


for command in (create, ls, show, rotate, revoke):
    token.command(command)
token.command(personal)
