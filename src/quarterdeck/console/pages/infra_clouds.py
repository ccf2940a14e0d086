"""Cloud identities: the list, one of them, how one is connected, and how it goes; and the clusters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import infra_commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form
from quarterdeck.console.pages.infra_specs import HERE
from quarterdeck.console.pages.ledger import turn
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.infra import CLOUDS, CLUSTERS, JOBS
from quarterdeck.console.views.infra_clouds import FIELDS, NAMES
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, MANAGE = "infra:clouds.view", "infra:clouds.manage"
LIST = Crumb("Clouds", CLOUDS)
CLOUD = "/infra/clouds/{identity:str}"
PAGE = 50
EXAMPLES = {
    "role_arn": "arn:aws:iam::123456789012:role/quarterdeck",
    "project_id": "payments-1234",
}


@get("/infra/clouds", opt=needs(VIEW))
async def clouds(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _clouds(request)


async def _clouds(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/infra_clouds.html",
        here="infra",
        crumbs=(HERE, Crumb("Clouds")),
        problem=problem,
        rows=await desk.ports.cloud_identities(desk.who),
        providers=tuple(NAMES.items()),
        command=infra_commands.list_clouds(),
    )


@post("/infra/clouds", opt=needs(MANAGE))
async def begin(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.begin_cloud_identity(desk.who, form.get("provider", ""), form.get("name", ""))
    return await act(deed, lambda uid: f"{CLOUDS}/{uid}", "cloud-begun", partial(_clouds, request))


@get(CLOUD, opt=needs(VIEW))
async def cloud(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _cloud(request)


async def _cloud(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk, said = await open_desk(request), typed or {}
    view = await desk.ports.cloud_identity(desk.who, part(request, "identity"))
    wrong = str(problem.details.get("field", "")).removeprefix("credentials.") if problem else ""
    fields = tuple(
        Field(name, label, said.get(name, ""), kind, error=problem.message if problem and wrong == name else "",
              required=name != "project_id", full=kind == "area", placeholder=EXAMPLES.get(name, ""),
              attributes={"autocomplete": "off"})
        for name, label, kind in FIELDS.get(view.row.provider, ())
    )  # fmt: skip
    return desk.page(
        "pages/infra_cloud.html",
        here="infra",
        crumbs=(HERE, LIST, Crumb(view.row.name)),
        problem=problem,
        view=view,
        provider=NAMES.get(view.row.provider, view.row.provider),
        fields=fields,
        command=infra_commands.connect(view.row.provider),
        zones=tuple(Field(f"zone-{uid}", name, "yes" if bound else "", "check") for uid, name, bound in view.zones),
        binding=infra_commands.bind(view.row),
        refresh=infra_commands.refresh(view.row),
    )


@post(CLOUD + "/connect", opt=needs(MANAGE))
async def connect(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "identity")
    known = {name for fields in FIELDS.values() for name, _, _ in fields}
    values = {name: value for name, value in form.items() if name in known}
    deed = desk.ports.connect_cloud_identity(desk.who, uid, values)
    failed = partial(_refused, request, values)
    return await act(deed, lambda job: f"{JOBS}/{job}", "cloud-trying", failed)


async def _refused(request: AnyRequest, typed: Mapping[str, str], problem: Problem) -> Response[bytes]:
    return await _cloud(request, problem, typed)


@post(CLOUD + "/zones", opt=needs(MANAGE))
async def bind(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "identity")
    zones = [name.removeprefix("zone-") for name, value in form.items() if name.startswith("zone-") and value == "yes"]
    deed = desk.ports.bind_cloud_identity(desk.who, uid, zones)
    return await act(deed, f"{CLOUDS}/{uid}", "cloud-bound", partial(_cloud, request))


@post(CLOUD + "/refresh", opt=needs(MANAGE))
async def refresh(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid = await open_desk(request), part(request, "identity")
    deed = desk.ports.refresh_cloud_identity(desk.who, uid)
    return await act(deed, lambda job: f"{JOBS}/{job}", "cloud-looking", partial(_cloud, request))


@get(CLOUD + "/disconnect", opt=needs(MANAGE))
async def ask_disconnect(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _disconnection(request)


async def _disconnection(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.cloud_identity(desk.who, part(request, "identity"))
    row = view.row
    return ask(
        desk,
        here="infra",
        crumbs=(HERE, LIST, Crumb(row.name, row.href), Crumb("Disconnect")),
        failed=failed,
        title=f"Disconnect {row.name}?",
        texts=("Jobs can take it on no more. Nothing is changed in the cloud: take the trust away there, too.",),
        action=f"{row.href}/disconnect",
        back=row.href,
        keep="Keep it",
        button="Disconnect",
        danger=True,
        must_equal=row.name,
        items=tuple((name, "uses it") for name, _ in view.used_by),
        command=infra_commands.disconnect(row),
    )


@post(CLOUD + "/disconnect", opt=needs(MANAGE))
async def disconnect(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "identity")
    deed = desk.ports.disconnect_cloud_identity(desk.who, uid, form.get("confirmation", ""))
    return await act(deed, CLOUDS, "cloud-gone", partial(_disconnection, request))


@get("/infra/clusters", opt=needs(VIEW))
async def clusters(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, before = await open_desk(request), request.query_params.get("before", "")[:64]
    view = await desk.ports.infra_clusters(desk.who, before, PAGE)
    return desk.page(
        "pages/infra_clusters.html",
        here="infra",
        crumbs=(HERE, Crumb("Clusters")),
        view=view,
        pages=turn(CLUSTERS, view.older, before),
        command=infra_commands.list_clusters(),
    )


HANDLERS: tuple[Any, ...] = (
    clouds, begin, cloud, connect, bind, refresh, ask_disconnect, disconnect, clusters,
)  # fmt: skip
