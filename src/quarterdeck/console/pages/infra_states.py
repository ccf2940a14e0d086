"""The state of a specification: its versions, what differs between two, going back to one, and its lock."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response

from quarterdeck.console import infra_commands
from quarterdeck.console.desk import AnyRequest, Desk, act, open_desk, part, read_form
from quarterdeck.console.pages.infra_specs import SPEC, crumbs_of, download, number
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.infra import SPECS
from quarterdeck.console.views.infra_states import StateView
from quarterdeck.console.views.shell import Crumb, Pages
from quarterdeck.console.words import counted
from quarterdeck.kernel.errors import NotFound, Problem
from quarterdeck.kernel.http.shared_signature import get, post
from quarterdeck.kernel.text import several

VIEW, READ, MANAGE = "infra:states.view", "infra:states.read", "infra:states.manage"
STATE = SPEC + "/state"
PAGE = 30
BACK = {"\N{MINUS SIGN}": "forgotten, not removed", "~": "as then", "+": "known again"}
"""What going back does to resources, by the sign of how the version differs from that of now."""


@get(STATE, opt=needs(VIEW))
async def state(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _state(request)


async def _state(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    before = number(request.query_params.get("before", ""))
    view = await desk.ports.infra_state(desk.who, part(request, "spec"), before or None, PAGE)
    here = f"{view.row.href}/state"
    return desk.page(
        "pages/infra_state.html",
        here="infra",
        crumbs=crumbs_of(view.row, "State"),
        problem=problem,
        view=view,
        pages=Pages(f"{here}?{urlencode({'before': view.older})}" if view.older else None, here if before else None),
        command=infra_commands.state(view.row),
    )


@get(STATE + "/diff", opt=needs(VIEW))
async def state_diff(request: Request[Any, Any, Any]) -> Response[bytes]:
    """With `values`, what the attributes were and are: that is for who may read states, and written down."""
    desk, query = await open_desk(request), request.query_params
    to = number(query.get("to", ""))
    since = number(query.get("from", "")) or max(to - 1, 1)
    values = query.get("values") == "yes" and desk.viewer.may(READ)
    view = await desk.ports.infra_state_diff(desk.who, part(request, "spec"), since, to, values=values)
    return desk.page(
        "pages/infra_state_diff.html",
        here="infra",
        crumbs=(*crumbs_of(view.row), Crumb("State", f"{view.row.href}/state"), Crumb("What differs")),
        view=view,
        command=infra_commands.state_diff(view.row, view.since, view.to),
    )


@get(STATE + "/versions/{version:str}", opt=needs(READ))
async def state_file(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, text = await open_desk(request), part(request, "version")
    chosen = number(text)
    if not chosen and text != "current":
        raise NotFound("There is no such version of this state.", hint="Look at the list of versions.")
    return download(await desk.ports.infra_state_file(desk.who, part(request, "spec"), chosen or None))


@get(STATE + "/rollback", opt=needs(MANAGE))
async def ask_roll_back(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _rolling(request, number(request.query_params.get("to", "")))


async def _rolling(request: AnyRequest, to: int, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_state(desk.who, part(request, "spec"), to + 1, 1)
    chosen = view.versions[0] if view.versions and view.versions[0].number == to else None
    blocked = "There is no such version." if chosen is None else "It counts already." if chosen.current else ""
    here = f"{view.row.href}/state"
    forgotten = () if blocked else await _forgotten(desk, view, to)
    return ask(
        desk,
        here="infra",
        crumbs=(*crumbs_of(view.row), Crumb("State", here), Crumb("Go back")),
        failed=failed,
        title=f"Go back to version {to} of the state of {view.row.name}?",
        texts=(
            *forgotten,
            "No resource is changed by it, only what Terraform believes to be there.",
            "What was made since then is looked after by nobody, until it is imported again.",
            "It becomes the newest version, under a higher serial. Plans that were made since then fit no more.",
        ),
        hidden={"version": str(to)},
        action=f"{here}/rollback",
        back=here,
        keep="Leave it",
        button=f"Go back to version {to}",
        danger=True,
        must_equal=view.row.name,
        reason="Why",
        blocked=blocked,
        command=infra_commands.roll_back(view.row, to),
    )


async def _forgotten(desk: Desk, view: StateView, to: int) -> tuple[str, ...]:
    """What going back does to the resources that the state knows now, by their addresses."""
    told = await desk.ports.infra_state_diff(desk.who, view.row.uid, view.version, to, values=False)
    said = []
    for sign, words in BACK.items():
        some = [one.address for one in told.changes if one.sign == sign]
        if some:
            said.append(f"{counted(len(some), 'resource')} {words}: {several(some)}.")
    if told.left_out:
        said.append(f"{counted(told.left_out, 'resource')} more differ.")
    return tuple(said) or ("It says the same as the version that counts now.",)


@post(STATE + "/rollback", opt=needs(MANAGE))
async def roll_back(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "spec")
    to = number(form.get("version", ""))
    deed = desk.ports.roll_infra_state_back(desk.who, uid, to, form.get("reason", ""), form.get("confirmation", ""))
    return await act(deed, f"{SPECS}/{uid}/state", "state-back", partial(_rolling, request, to))


@get(STATE + "/unlock", opt=needs(MANAGE))
async def ask_unlock(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _unlocking(request)


async def _unlocking(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_state(desk.who, part(request, "spec"), None, 1)
    here, lock = f"{view.row.href}/state", view.lock
    living = "A job still works with it: what that writes from then on is refused, and may be lost."
    left = "Nobody works with it any more."
    return ask(
        desk,
        here="infra",
        crumbs=(*crumbs_of(view.row), Crumb("State", here), Crumb("Take the lock away")),
        failed=failed,
        title=f"Take the lock of {view.row.name} away from {lock.who if lock else 'nobody'}?",
        texts=(left if lock is None or lock.left else living,),
        action=f"{here}/unlock",
        hidden={"lock": lock.uid} if lock else {},
        back=here,
        keep="Leave it",
        button="Take the lock away",
        danger=True,
        reason="Why",
        blocked="" if lock else "The state is not locked.",
        command=infra_commands.unlock(view.row),
    )


@post(STATE + "/unlock", opt=needs(MANAGE))
async def unlock(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "spec")
    deed = desk.ports.unlock_infra_state(desk.who, uid, form.get("reason", ""), form.get("lock", ""))
    return await act(deed, f"{SPECS}/{uid}/state", "state-unlocked", partial(_unlocking, request))


HANDLERS: tuple[Any, ...] = (state, state_diff, state_file, ask_roll_back, roll_back, ask_unlock, unlock)
