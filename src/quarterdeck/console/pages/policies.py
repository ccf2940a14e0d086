"""Policies by which servers are tidied: the list, and one form that makes or replaces one."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.fleet import PolicyForm, PolicyRow
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

HERE = "/console/fleet/policies"
CRUMBS = (Crumb("Fleet", "/console/fleet"), Crumb("Tidying", HERE))
CATEGORIES = {
    "stopped-containers": "Containers that have stopped",
    "source-workspaces": "Fetched sources and work directories",
    "unused-images": "Images that nothing uses",
    "docker-build-cache": "Build cache, of the whole engine",
}
EVERYWHERE = "*"


@get("/fleet/policies", opt=needs("deploy:scheduled-runtime-prune-policies.list"))
async def policies(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The list; `?policy=` fills the form with one of them, `?server=` with a server."""
    desk, asked = await open_desk(request), request.query_params
    rows = await desk.ports.policies(desk.who)
    known = next((row for row in rows if row.ref == asked.get("policy")), None)
    form = PolicyForm(server=asked.get("server", EVERYWHERE)[:60]) if known is None else _form_of(known)
    return await _page(request, form)


def _form_of(row: PolicyRow) -> PolicyForm:
    enabled = row.does != "off"
    return PolicyForm(row.ref, row.server, str(row.days), row.categories, row.does == "removes", enabled)


def _typed(form: dict[str, str]) -> PolicyForm:
    """A kind of thing that the form does not name is kept as a hidden field of the same sort."""
    chosen = tuple(name.removeprefix("category-") for name in form if name.startswith("category-"))
    return PolicyForm(
        form.get("name", ""),
        form.get("server", EVERYWHERE),
        form.get("days", ""),
        chosen,
        form.get("remove") == "yes",
        form.get("enabled") == "yes",
    )


@post("/fleet/policies", opt=needs("deploy:scheduled-runtime-prune-policies.configure"))
async def configure_policy(request: Request[Any, Any, Any]) -> Response[bytes]:
    """One that removes by itself is asked about first."""
    desk, form = await open_desk(request), await read_form(request)
    policy = _typed(form)
    if policy.remove and policy.enabled and not form.get("sure"):
        return await _sure(request, policy, form)
    deed = desk.ports.configure_policy(desk.who, policy)
    return await act(deed, HERE, "policy-saved", lambda problem: _page(request, policy, problem))


async def _sure(request: AnyRequest, policy: PolicyForm, form: dict[str, str]) -> Response[bytes]:
    desk = await open_desk(request)
    places = await _places(request, policy.server)
    return ask(
        desk,
        here="fleet",
        crumbs=(*CRUMBS, Crumb("Remove by itself")),
        title="Remove these things by itself?",
        texts=(_promise(policy.days, _named(places, policy.server)),),
        items=tuple((CATEGORIES.get(one, one), "") for one in policy.categories),
        action=HERE,
        back=HERE,
        keep="Not yet",
        button="Remove by itself",
        danger=True,
        hidden={**form, "sure": "yes"},
        command=commands.policy(policy, _named(places, policy.server)),
    )


def _promise(days: str, server: str) -> str:
    """What a policy that removes will do."""
    when = f"Every hour, on {server or 'every server'}, what has not changed for {days} days."
    return f"{when} What serves, is kept for a rollback, or is a volume is never touched."


async def _places(request: AnyRequest, chosen: str) -> dict[str, str]:
    """Where a policy can count, by reference; `chosen` is among them."""
    desk = await open_desk(request)
    servers = await desk.ports.servers(desk.who) if desk.viewer.may("deploy:servers.list") else ()
    places = {EVERYWHERE: "Every server", **{one.value: one.label for one in servers}}
    return places if chosen in places else {**places, chosen: chosen}


def _named(places: dict[str, str], server: str) -> str:
    return "" if server == EVERYWHERE else places[server]


async def _page(request: AnyRequest, form: PolicyForm, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    places = await _places(request, form.server)
    return desk.page(
        "pages/policies.html",
        here="fleet",
        crumbs=CRUMBS,
        problem=problem,
        rows=await desk.ports.policies(desk.who),
        labels=CATEGORIES,
        form=form,
        kept=tuple(one for one in form.categories if one not in CATEGORIES),
        fields=_fields(form, places, problem),
        categories=tuple(
            Field(f"category-{name}", label, "yes" if name in form.categories else "", kind="check")
            for name, label in CATEGORIES.items()
        ),
        wrong=_error(problem, "categories"),
        switches=(
            Field("remove", "Remove them by itself", "yes" if form.remove else "", kind="check",
                  hint="Without it the log of the control plane says every hour what could go."),
            Field("enabled", "In force", "yes" if form.enabled else "", kind="check"),
        ),
        command=commands.policy(form, _named(places, form.server)),
    )  # fmt: skip


def _error(problem: Problem | None, name: str) -> str:
    return problem.message if problem and problem.details.get("field") == name else ""


def _fields(form: PolicyForm, places: dict[str, str], problem: Problem | None) -> tuple[Field, ...]:
    return (
        Field("name", "Name", form.name, error=_error(problem, "policyId"),
              hint="One of the list is replaced. Letters, digits, dot, dash and underscore."),
        Field("server", "Where", form.server, kind="select", choices=tuple(places.items()), required=True,
              error=_error(problem, "serverId")),
        Field("days", "Days unchanged", form.days, required=True, attributes={"inputmode": "numeric"},
              error=_error(problem, "days") or _error(problem, "retentionDays")),
    )  # fmt: skip


HANDLERS: tuple[Any, ...] = (policies, configure_policy)
