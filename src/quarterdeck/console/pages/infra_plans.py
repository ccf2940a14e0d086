"""A plan: what it would change, who has agreed, and applying exactly that."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import infra_commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form
from quarterdeck.console.pages.infra_specs import HERE
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.infra import JOBS, PLANS
from quarterdeck.console.views.infra_plans import PlanView
from quarterdeck.console.views.shell import Crumb, Note
from quarterdeck.console.words import counted
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, AGREE, APPLY = "infra:specs.view", "infra:plans.approve", "infra:jobs.apply"
PLAN = "/infra/plans/{job:str}"


@get(PLAN, opt=needs(VIEW))
async def plan(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _plan(request)


async def _plan(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_plan(desk.who, part(request, "job"))
    return desk.page(
        "pages/infra_plan.html",
        here="infra",
        crumbs=_crumbs(view),
        topics=f"infra-plan:{view.uid}",
        problem=problem,
        view=view,
        command=infra_commands.show_plan(view),
        agreeing=infra_commands.approve(view),
    )


def _crumbs(view: PlanView, *more: str) -> tuple[Crumb, ...]:
    above = (HERE, *((Crumb(*view.spec),) if view.spec else ()))
    title = {"DESTROY": "Destruction", "drift": "Look for drift"}.get(view.kind, "Plan")
    return (*above, Crumb(title, f"{PLANS}/{view.uid}"), *(Crumb(word) for word in more))


@post(PLAN + "/say", opt=needs(AGREE))
async def say(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Agree, or refuse: what is said counts once."""
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "job")
    agree = form.get("deed") == "approve"
    deed = desk.ports.say_of_plan(desk.who, uid, agree=agree, comment=form.get("comment", ""))
    return await act(deed, f"{PLANS}/{uid}", "plan-agreed" if agree else "plan-refused", partial(_plan, request))


@get(PLAN + "/apply", opt=needs(APPLY))
async def ask_apply(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _applying(request)


async def _applying(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_plan(desk.who, part(request, "job"))
    runner = request.query_params.get("runner", "")[:64]
    return ask(
        desk,
        here="infra",
        crumbs=_crumbs(view, "Apply"),
        failed=failed,
        title=f"Apply exactly this plan to {view.spec_name}?",
        notes=_lost(view),
        texts=(_told(view),),
        hidden={"runner": runner},
        action=f"{PLANS}/{view.uid}/apply",
        back=f"{PLANS}/{view.uid}",
        keep="Not now",
        button="Apply exactly this plan",
        danger=bool(view.losing),
        must_equal=view.confirm,
        blocked=view.refusal.title if view.refusal else "",
        command=infra_commands.apply(view),
    )


def _lost(view: PlanView) -> tuple[Note, ...]:
    """What is gone afterwards, by its addresses."""
    gone = [(group, change.address) for group in view.groups if group.action in {"delete", "replace"}
            for change in group.changes]  # fmt: skip
    if not view.losing:
        return ()
    verb = {"delete": "destroyed", "replace": "destroyed and created again"}
    named = ", ".join(f"{address} ({verb[group.action]})" for group, address in gone[:8])
    more = f" and {view.losing - 8} more" if view.losing > 8 else ""
    return (
        Note("bad", f"{counted(view.losing, 'resource')} will be destroyed, with what is in them.", f"{named}{more}."),
    )


def _told(view: PlanView) -> str:
    words = [f"{group.number} to {group.word}" for group in view.delta]
    return f"{', '.join(words)}." if words else "Nothing would change; outputs may."


@post(PLAN + "/apply", opt=needs(APPLY))
async def apply(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "job")
    deed = desk.ports.apply_plan(desk.who, uid, form.get("runner", ""), form.get("confirmation", ""))
    return await act(deed, lambda job: f"{JOBS}/{job}", "applying", partial(_applying, request))


HANDLERS: tuple[Any, ...] = (plan, say, ask_apply, apply)
