"""What a plan would change, who has agreed to it, and whether it may be applied now."""

from __future__ import annotations

import time

from quarterdeck.cli import infra_values, infra_watching
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.names import Row, counted
from quarterdeck.cli.session import Session
from quarterdeck.cli.states import Tone
from quarterdeck.cli.tasks import local

RISKIEST_FIRST: tuple[tuple[str, str, str, str, Tone], ...] = (
    # action, sign, sign in ASCII, heading, tone
    ("delete", "−", "-", "Destroy", "bad"),  # noqa: RUF001 - the minus is the sign
    ("replace", "±", "-/+", "Replace, destroyed and created again", "warn"),
    ("forget", "−", "-", "Forget, kept but looked after no more", "warn"),  # noqa: RUF001 - the minus is the sign
    ("update", "~", "~", "Change in place", "run"),
    ("create", "+", "+", "Create", "good"),
)
LOSING = ("delete", "replace")
WORDS = {"delete": "destroy", "update": "change"}
MOST_PLACES = 40
"""Places of a resource that are shown, where not everything was asked for."""
PAUSE = 3.0


def view(opened: Session, job: str, *, patient: bool = False) -> Row:
    """The plan of a PLAN job, or what a DESTROY job would do; `patient` waits for a server that is away."""

    def ask() -> Row:
        found: Row = opened.api.read("infra-jobs.plan", jobId=job)
        return found

    return infra_watching.patient(opened, ask) if patient else ask()


def count(plan: Row, action: str) -> int:
    return int((plan.get("summary") or {}).get(action) or 0)


def loses(plan: Row) -> int:
    """How many resources are destroyed, the ones that are created again included."""
    return sum(count(plan, action) for action in LOSING)


def empty(plan: Row) -> bool:
    return not any(count(plan, action) for action, *_ in RISKIEST_FIRST)


def delta(opened: Session, plan: Row, *, on_stderr: bool = False) -> str:
    """How many of each, the riskiest first, without what is none."""
    terminal = opened.terminal
    stream = terminal.err if on_stderr else terminal.out
    parts = [
        terminal.paint(f"{plain if terminal.ascii else sign}{number} {WORDS.get(action, action)}", tone, stream)
        for action, sign, plain, _, tone in RISKIEST_FIRST
        if (number := count(plan, action))
    ]
    return "  ".join(parts) or "nothing changes"


def drifted(opened: Session, look: Row) -> str:
    """What a look for drift has found; empty where a later look or apply says more."""
    told = opened.api.read("specs.drift", specId=str(look["spec_id"]))["drift"] if look.get("spec_id") else None
    if told is None or told["job_id"] != look["id"]:
        return ""
    number = len(told["changes"]) + int(told["left_out"])
    return f"{counted(number, 'resource')} drifted" if number else "nothing has drifted"


def next_step(job: Row, plan: Row) -> str:
    """The command that comes after a plan, or a look for drift, that succeeded; empty where none has to."""
    ref, name = str(job["id"]), str(job.get("spec_name") or "")
    if job.get("read_only"):
        return f"qd spec drift {name}" if name else ""
    if empty(plan):
        return ""
    first = f"qd plan approve {ref}   then: " if missing(plan) else ""
    return f"{first}qd apply {name} --plan-job-id {ref} --wait".replace("  --plan", " --plan")


def lines(opened: Session, plan: Row) -> list[str]:
    """The changes in groups, the riskiest first."""
    terminal = opened.terminal
    told: list[str] = []
    for action, sign, ascii_sign, heading, tone in RISKIEST_FIRST:
        changes = [change for change in plan.get("changes") or [] if change.get("action") == action]
        if not changes:
            continue
        told.append(f"  {heading} {len(changes)}")
        for change in changes:
            mark = terminal.paint(ascii_sign if terminal.ascii else sign, tone)
            told.append(f"    {mark} {terminal.plain(change['address'])}")
            told += [f"        {terminal.plain(line)}" for line in _why(change)]
            if action != "create" or terminal.verbose:
                told += [f"        {line}" for line in _attributes(opened, change)]
    drift = plan.get("drift")
    if isinstance(drift, list) and drift:
        told.append(f"  Changed by somebody else {len(drift)}")
        told += [f"    {terminal.paint('!=' if terminal.ascii else '≠', 'warn')} {terminal.plain(one['address'])}"
                 for one in drift]  # fmt: skip
    if (plan.get("summary") or {}).get("truncated"):
        told.append("    Not everything is listed here; the log of the plan has it all.")
    return told


def _why(change: Row) -> list[str]:
    """Why it is done, and what forces a replacement that is not among the attributes that are told."""
    told = {one["path"] for one in change["attributes"] if one.get("forces_replacement")}
    unseen = [one for one in change.get("forced_by") or [] if one.partition(".")[0].partition("[")[0] not in told]
    reason = [str(change["reason"])] if change.get("reason") else []
    return reason + ([f"Forced by {', '.join(unseen)}"] if unseen else [])


def held(opened: Session, holds: Row | None) -> list[str]:
    """What a state holds, which a destruction takes away: how many resources, and which."""
    if not holds:
        return []
    terminal, number = opened.terminal, int(holds["resources"])
    addresses = list(holds.get("addresses") or [])
    mark = terminal.paint("-" if terminal.ascii else "−", "bad")  # noqa: RUF001 - the minus is the sign
    told = [f"  Destroy {number} {'resource' if number == 1 else 'resources'}"]
    told += [f"    {mark} {terminal.plain(one)}" for one in addresses]
    if number > len(addresses):
        told.append(f"    … and {number - len(addresses)} more")
    if holds.get("moved"):
        told.append("  The state has moved on since it was asked for: cancel it, and ask anew.")
    return told


def _attributes(opened: Session, change: Row) -> list[str]:
    """`size  1 → 2`, and of what is destroyed or made only the one side."""
    terminal, action, told, cut = opened.terminal, change["action"], list[str](), False
    found = [
        (place, "  forces replacement" if number == 0 and one.get("forces_replacement") else "")
        for one in change["attributes"]
        for number, place in enumerate(infra_values.places(one, action, whole=terminal.verbose))
    ]
    for place, forces in found if terminal.verbose else found[:MOST_PLACES]:
        sides = [side for side in (place.before, place.after) if side is not None]
        cut = cut or any(side.cut for side in sides)
        said = (" -> " if terminal.ascii else " → ").join(side.text for side in sides)
        told.append(terminal.plain(f"{place.path}  {said}{forces}"))
    if left_out := 0 if terminal.verbose else max(len(found) - MOST_PLACES, 0):
        told.append(f"… {left_out} more places: --verbose shows them all")
    if cut:
        told.append("… long values are cut: --verbose shows them whole")
    return told + (["… values are left out"] if change["truncated"] else [])


def votes(opened: Session, plan: Row) -> list[str]:
    """Who has agreed or not; nothing where nobody has to and nobody did."""
    approvals: Row = plan["approvals"]
    said = [f"  Approvals {approvals['given']} of {approvals['required']}"] if approvals["required"] else []
    for vote in approvals["votes"]:
        who = vote["user_name"] or vote["user_id"] or "somebody"
        comment = f": {vote['comment']}" if vote["comment"] else ""
        said.append(f"    {opened.terminal.plain(who)} {vote['decision']} {local(vote.get('created_at'))}"
                    f"{opened.terminal.plain(comment)}")  # fmt: skip
    return said


def missing(plan: Row) -> int:
    """How many people still have to agree; 0 where that would not help: somebody has said no, or something else is in
    the way.
    """
    approvals: Row = plan["approvals"]
    in_the_way = plan["applicable"]["code"] not in {None, "approvals_missing"}
    return 0 if approvals["rejected"] or in_the_way else int(approvals["missing"])


def refused(job: str, plan: Row, name: str) -> Failure:
    """Why a plan of this spec may not be applied, in the server's words."""
    told: Row = plan["applicable"]
    anew, said = f"qd plan {name} --wait", str(told["hint"] or "")
    return Failure(
        str(told["reason"]),
        exit=Exit.CONFLICT,
        code=str(told["code"]),
        hint=f"{anew}   ({said})" if said and said != anew else anew,
        facts={"job_id": job},
    )


def waits(job: str, plan: Row, *, what: str, then: str) -> Failure:
    """The end of a command that nobody watches, where somebody has to agree first (7)."""
    number = missing(plan)
    return Failure(
        f"{what} waits for {number} more {'approval' if number == 1 else 'approvals'}.",
        exit=Exit.WAITS,
        code="waits",
        hint=f"qd plan approve {job}   (somebody else than you, where you asked for it)   then: {then}",
        facts={"job_id": job, "approvals": plan.get("approvals")},
    )


def agreed(opened: Session, job: str, plan: Row, timeout: float | None, *, then: str) -> Row:
    """The plan once enough people have agreed or somebody has not. Raises `Failure` (7), which says what to do
    `then`, when the time is over first.
    """
    until = time.monotonic() + timeout if timeout else None
    number = 0
    with infra_watching.detachable(job):
        while missing(plan):
            if missing(plan) != number:
                number = missing(plan)
                mark = opened.terminal.paint(opened.terminal.mark("ask"), "ask", opened.terminal.err)
                opened.terminal.say_styled(f"  {mark} waits for {number} more: qd plan approve {job}")
            if until is not None and time.monotonic() > until:
                raise waits(job, plan, what=f"After {timeout:g} s the plan {job}", then=then)
            time.sleep(PAUSE)
            plan = view(opened, job, patient=True)
    return plan
