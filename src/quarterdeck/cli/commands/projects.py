"""`qd project`: make, show, name, archive, restore and delete projects."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from quarterdeck.cli import names, states
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.session import session
from quarterdeck.kernel.blockers import in_words

project = App(name="project", help="Projects: what belongs together.")


def create(name: str, /, *, description: str | None = None, changing: Changing = Changing()) -> None:
    """Make a project. `qd deploy` makes one by itself where it is missing.

    qd project create Storefront --description "What customers see"

    Parameters
    ----------
    name
        Its name; the short name in addresses is made from it.
    description
        What it is for.
    """
    with session(changing) as opened:
        body = {"name": name, **({"description": description} if description else {})}
        made = opened.api.change("projects.create", body, what="project")
        opened.done(made, name=str(made["id"]), text=f"Created the project {name}.")


def show(name: str, /, *, common: Common = Common()) -> None:
    """Show a project with its environments and how many resources each holds.

    qd project show storefront

    Parameters
    ----------
    name
        Its short name, name or id.
    """
    with session(common) as opened:
        api, terminal = opened.api, opened.terminal
        row = names.project(api, name)
        environments = api.items("environments.list", {"projectId": row["id"]})
        held = [one["environmentId"] for one in api.items("resources.list", {"projectId": row["id"]})]
        if terminal.structured:
            terminal.document({**row, "environments": environments})
            return
        if terminal.format == "name":
            terminal.line(str(row["id"]))
            return
        status = terminal.state(states.lifecycle(str(row["lifecycleStatus"])))
        terminal.line(f"{row['slug']}   {row['name']}   {status}")
        if row.get("description"):
            terminal.line(f"  {terminal.plain(row['description'])}")
        for one in environments:
            number = held.count(one["id"])
            terminal.line(f"  {row['slug']}/{one['name']}   {number} {'resource' if number == 1 else 'resources'}")
        terminal.line(f"  {opened.console}/projects/{row['slug']}")


def rename(name: str, to: str, /, *, changing: Changing = Changing()) -> None:
    """Give a project another name. Its short name in addresses follows.

    qd project rename storefront "Shop front"

    Parameters
    ----------
    name
        Its short name, name or id.
    to
        The new name.
    """
    with session(changing) as opened:
        row = names.project(opened.api, name)
        made = opened.api.change("projects.rename", {"name": to}, projectId=str(row["id"]))
        opened.done(made, name=str(row["id"]), text=f"Renamed {row['name']} to {to}.")


def describe(name: str, description: str, /, *, changing: Changing = Changing()) -> None:
    """Say what a project is for; an empty text removes it.

    qd project describe storefront "What customers see"

    Parameters
    ----------
    name
        Its short name, name or id.
    description
        The new description.
    """
    with session(changing) as opened:
        row = names.project(opened.api, name)
        body = {"description": description} if description else {}
        made = opened.api.change("projects.set-description", body, projectId=str(row["id"]))
        opened.done(made, name=str(row["id"]), text=f"Described {row['slug']}.")


def archive(name: str, /, *, reason: str | None = None, changing: Changing = Changing()) -> None:
    """Archive a project: what runs keeps running, and nothing new can be deployed until it is restored.

    qd project archive storefront --yes

    Parameters
    ----------
    name
        Its short name, name or id.
    reason
        Why; kept in the audit trail.
    """
    with session(changing) as opened:
        row = names.project(opened.api, name)
        opened.terminal.confirm(f"Archive the project {row['slug']}?")
        body = {"reason": reason} if reason else {}
        made = opened.api.change("projects.archive", body, projectId=str(row["id"]))
        opened.done(made, name=str(row["id"]), text=f"Archived {row['slug']}. What runs keeps running.")


def restore(name: str, /, *, changing: Changing = Changing()) -> None:
    """Take an archived project into use again.

    qd project restore storefront

    Parameters
    ----------
    name
        Its short name, name or id.
    """
    with session(changing) as opened:
        row = names.project(opened.api, name)
        made = opened.api.change("projects.restore", projectId=str(row["id"]))
        opened.done(made, name=str(row["id"]), text=f"Restored {row['slug']}.")


def delete(name: str, /, *, destroying: Destroying = Destroying()) -> None:
    """Delete an archived project that holds nothing any more.

    qd project delete storefront
    qd project delete storefront --confirm storefront

    Parameters
    ----------
    name
        Its short name, name or id.
    """
    with session(destroying) as opened:
        row = names.project(opened.api, name)
        identity, slug = str(row["id"]), str(row["slug"])
        check: dict[str, Any] = opened.api.read("projects.delete-check", projectId=identity)
        if not check["eligible"]:
            raise _blocked(slug, check["blockers"])
        opened.terminal.confirm_typed(f"The project {slug} is lost. This cannot be undone.", slug, destroying.confirm)
        made = opened.api.change("projects.delete", {"confirmation": {"projectId": identity}}, projectId=identity)
        opened.done(made, name=identity, text=f"Deleted {slug}.")


def _blocked(slug: str, blockers: list[dict[str, Any]]) -> Failure:
    told = [in_words(str(blocker["kind"]), int(blocker.get("count", 1))) for blocker in blockers]
    archived = all(blocker["kind"] != "active-project" for blocker in blockers)
    return Failure(
        f"The project {slug} cannot be deleted yet: {'; '.join(told)}.",
        exit=Exit.CONFLICT,
        code="project_delete_blocked",
        hint=f"qd ls --project {slug}" if archived else f"qd project archive {slug}",
        facts={"blockers": blockers},
    )


for command in (create, show, rename, describe, archive, restore, delete):
    project.command(command)
