"""`qd role`, `qd grant` and `qd access`: who may do what, and why."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.session import session

COMMON, CHANGING, DESTROYING = Common(), Changing(), Destroying()
ROLES, GRANTS, WHY = "/api/access/roles", "/api/access/grants", "/api/access/why"
role = App(name="role", help="Look at roles, and make your own.")
grant = App(name="grant", help="Give and take roles.")
access = App(name="access", help="Say why somebody may do something, or not.")


def roles(*, common: Common = COMMON) -> None:
    """List the roles of every family, and your own.

    qd role ls
    """
    with session(common) as opened:
        items = opened.api.call("GET", ROLES)["items"]
        rows = [
            [one["key"] if one["builtIn"] else one["name"], one["holders"], len(one["permissions"])] for one in items
        ]
        opened.terminal.table(
            items,
            ["ROLE", "PEOPLE", "PERMISSIONS"],
            [[str(cell) for cell in row] for row in rows],
            names=[one["key"] for one in items],
        )


def permissions(group: str | None = None, /, *, common: Common = COMMON) -> None:
    """List what can be permitted.

    qd role permissions
    qd role permissions servers

    Parameters
    ----------
    group
        Only those of it.
    """
    with session(common) as opened:
        items = opened.api.call("GET", "/api/access/permissions")["items"]
        items = [one for one in items if group in {None, one["group"]}]
        rows = [[one["key"], one["group"], one["description"]] for one in items]
        opened.terminal.table(items, ["PERMISSION", "GROUP", "WHAT"], rows, names=[one["key"] for one in items])


def show(name: str, /, *, common: Common = COMMON) -> None:
    """Show what a role permits.

    qd role show organization:developer

    Parameters
    ----------
    name
        Its key, its id, or the name of one of your own.
    """
    with session(common) as opened:
        found = _role(opened.api.call("GET", ROLES)["items"], name)
        lines = [f"{found['name']}   {found['key']}", *(f"  {key}" for key in found["permissions"])]
        opened.terminal.answer(found, name=found["key"], text="\n".join(lines))


def add(name: str, /, *, permission: list[str], description: str | None = None, changing: Changing = CHANGING) -> None:
    """Make a role of your own. It carries only what you have got yourself.

    qd role add release --permission deploy:deployments.create --permission deploy:deployments.rollback

    Parameters
    ----------
    name
        What it is called.
    permission
        What it permits; may be given several times.
    description
        What it is for.
    """
    body: dict[str, Any] = {"name": name, "permissions": permission}
    body |= {"description": description} if description is not None else {}
    with session(changing) as opened:
        made = opened.api.ours("access.roles.create", "POST", ROLES, body)
        opened.sent()
        opened.terminal.answer(made, name=made["key"], text=f"Made the role {name}.")


def change(
    name: str,
    /,
    *,
    to: str | None = None,
    permission: list[str] | None = None,
    description: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Change a role of your own: its name, its description, or all that it permits.

    qd role change release --to releases
    qd role change release --permission deploy:deployments.create

    Parameters
    ----------
    name
        Its name, key or id.
    to
        Another name.
    permission
        What it permits from now on; all of it.
    description
        What it is for.
    """
    given = {"name": to, "permissions": permission, "description": description}
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise usage("Say what to change.", f"qd role change {name} --to 'a new name'")
    with session(changing) as opened:
        found = _role(opened.api.call("GET", ROLES)["items"], name)
        made = opened.api.ours("access.roles.change", "PATCH", f"{ROLES}/{found['id']}", body)
        opened.sent()
        before, now = set(found["permissions"]), set(made["permissions"])
        lines = [f"Changed the role {made['name']}."]
        lines += [f"  + {key}" for key in sorted(now - before)] + [f"  - {key}" for key in sorted(before - now)]
        opened.terminal.answer(made, name=made["key"], text="\n".join(lines))


def rm(name: str, /, *, destroying: Destroying = DESTROYING) -> None:
    """Delete a role of your own that nobody has.

    qd role rm release
    qd role rm release --confirm release

    Parameters
    ----------
    name
        Its name, key or id.
    """
    with session(destroying) as opened:
        found = _role(opened.api.call("GET", ROLES)["items"], name)
        opened.terminal.confirm_typed(_lost(found), found["name"], destroying.confirm)
        gone = opened.api.ours("access.roles.delete", "DELETE", f"{ROLES}/{found['id']}")
        opened.sent()
        opened.terminal.answer(gone, name=found["key"], text=f"Deleted the role {found['name']}.")


def _lost(role: dict[str, Any]) -> str:
    count = len(role["permissions"])
    return f"This deletes the role {role['name']} with its {count} {'permission' if count == 1 else 'permissions'}."


def grants(*, common: Common = COMMON) -> None:
    """List who has which roles.

    qd grant ls
    """
    with session(common) as opened:
        items = opened.api.call("GET", GRANTS)["items"]
        rows = [
            [
                one["username"],
                one["email"] or "",
                (", ".join(one["roles"]) or "none") + ("   (invited, has not come yet)" if one.get("invited") else ""),
            ]
            for one in items
        ]
        opened.terminal.table(items, ["USER", "E-MAIL", "ROLES"], rows, names=[one["username"] for one in items])


def give(user: str, name: str, /, *, changing: Changing = CHANGING) -> None:
    """Give somebody a role. Nobody gives what they have not got.

    qd grant give bob tasks:developer

    Parameters
    ----------
    user
        The username, e-mail address or id.
    name
        The role: its key, its id, or the name of one of your own.
    """
    _grant(user, name, changing, take=False)


def take(user: str, name: str, /, *, changing: Changing = CHANGING) -> None:
    """Take a role from somebody. They stay a member.

    qd grant take bob tasks:developer

    Parameters
    ----------
    user
        The username, e-mail address or id.
    name
        The role: its key, its id, or the name of one of your own.
    """
    _grant(user, name, changing, take=True)


def _grant(user: str, name: str, changing: Changing, *, take: bool) -> None:
    with session(changing) as opened:
        if take:
            opened.terminal.confirm(f"Take {name} from {user}?")
        body = {"user": user, "role": name, "take": take}
        done = opened.api.ours("access.grants", "POST", GRANTS, body)
        opened.sent()
        name, role = done["username"], done.get("roleName", done["role"])
        opened.terminal.answer(done, name=name, text=f"{name} {_told(done, role, take=take)}")


def _told(done: dict[str, Any], role: str, *, take: bool) -> str:
    if not done["changed"]:
        return f"does not have {role}." if take else f"has {role} already."
    if done.get("invited"):
        return f"no longer gets {role} with coming." if take else f"gets {role} with coming; the invitation waits."
    return f"has lost {role} now." if take else f"has {role} now."


def why(user: str, permission: str, resource: str | None = None, /, *, common: Common = COMMON) -> None:
    """Say why somebody may do something, or not, and who could change that.

    qd access why bob deploy:deployments.create
    qd access why bob deploy:deployments.create res_4kq2v7m1x0ab
    qd access why bob broker:secret.request environment=prod,secret_ref=pay/db

    Parameters
    ----------
    user
        The username, e-mail address or id.
    permission
        What it is about; the list: qd role permissions.
    resource
        Where, if not everywhere: the id of a project, environment, server, resource or deployment, KIND/NAME of an
        object with rules of its own, or facts such as environment=prod.
    """
    with session(common) as opened:
        asked = {"user": user, "permission": permission} | ({"resource": resource} if resource else {})
        found = opened.api.call("POST", WHY, body=asked)
        verdict = "may" if found["allowed"] else "may not"
        where = f" on {resource}" if resource else ""
        lines = [
            f"{found['username']} {verdict} use {permission}{where}.   {found['description']}",
            f"  why        {found['reason']}",
            f"  has        {', '.join(found['held']) or 'no role'}",
            f"  carried by {', '.join(found['carrying']) or 'no role'}",
        ]
        if not found["allowed"]:
            lines += [f"  what to do {found['remedy']}"] if found["remedy"] else []
            lines += [f"  ask        {', '.join(found['couldGive'])}"] if found["couldGive"] else []
        opened.terminal.answer(found, name="yes" if found["allowed"] else "no", text="\n".join(lines))


def _role(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    exact = [one for one in items if name in {one["key"], one["id"]}]
    alike = exact or [one for one in items if one["name"].lower() == name.lower()]
    if len(alike) != 1:
        several = ", ".join(one["key"] for one in alike)
        told = f"{name} is several roles: {several}." if alike else f"There is no role {name}."
        raise Failure(told, exit=Exit.NOT_FOUND, code="role_not_found", hint="qd role ls")
    return alike[0]


role.command(roles, name="ls")
for command in (permissions, show, add, change, rm):
    role.command(command)
grant.command(grants, name="ls")
grant.command(give)
grant.command(take)
access.command(why)
