"""Why an infrastructure job cannot go on, in words for the person who reads the plan."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable

from quarterdeck.kernel.errors import Conflict, Invalid, Problem, ProviderFailure, Timeout, Unavailable
from quarterdeck.kernel.text import shown

FAILED = {
    "init": (
        "infra_init_failed",
        "Correct the module, or what it asks of providers and modules, then run the job again.",
    ),
    "plan": ("infra_plan_failed", "Correct the specification or the module; the log has all that terraform said."),
    "apply": (
        "infra_apply_failed",
        "The state has what was made until then. Correct what terraform names, plan again, and apply.",
    ),
}
SAID = 300
"""Characters of terraform's own reason in a message."""
_ERROR = re.compile(r"^[│\s]*Error: (.+)$", re.MULTILINE)
_DISK = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_LOCKED = re.compile(r"Error acquiring the state lock")
_STALE = re.compile(r"Saved plan is stale|[Pp]lan file .*(different|created by Terraform|created by OpenTofu)")
_STATE = re.compile(
    r"(load|loading|refreshing|save|saving|persist|reading|write) state|HTTP remote state|state snapshot"
)
_PROVIDERS = re.compile(r"Failed to (query available|install|resolve) provider|provider registry|provider packages")


def disk_full(where: str) -> Problem:
    return Unavailable(
        f"The disk of the runner is full: {where}.",
        code="infra_disk_full",
        hint="Free space where the runner keeps its data, then run the job again.",
    )


def of_file(error: OSError, what: str) -> Problem:
    """A file of the attempt that could not be written or read."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(what)
    return Unavailable(
        f"The runner cannot keep {what} ({error.strerror}).",
        code="infra_work_unwritable",
        hint="Check the rights of the runner's data directory.",
    )


def reason(text: str, hide: Callable[[str], str]) -> str:
    """Terraform's first error, as the end of a sentence; nothing where it gave none."""
    found = _ERROR.search(text)
    return f": {shown(hide(found[1]).strip(' .'), SAID)}" if found else ""


def explain(phase: str, program: str, text: str, hide: Callable[[str], str]) -> Problem:
    """The problem behind a run of terraform that failed; `text` is the end of what it said."""
    said = reason(text, hide)
    if _DISK.search(text):
        return disk_full(f"{program} {phase} could not write")
    if _LOCKED.search(text):
        return Conflict(
            f"The state is locked by somebody else{said}.",
            code="infra_state_locked",
            hint="Wait until the job that holds the lock has ended, or take the lock from it with a reason.",
        )
    if _STALE.search(text):
        return Conflict(
            f"The plan cannot be applied any more{said}.",
            code="infra_plan_stale",
            hint="Make a new plan, read it, and apply that one.",
        )
    if phase == "init" and _PROVIDERS.search(text):
        return Unavailable(
            f"A provider cannot be had on this runner{said}.",
            code="infra_provider_unavailable",
            hint="Let the runner reach a provider registry, or name a mirror in the file of TF_CLI_CONFIG_FILE.",
        )
    if _STATE.search(said):
        return Unavailable(
            f"The state cannot be read or written{said}.",
            code="infra_state_unavailable",
            hint="Check that the runner reaches the server, then run the job again.",
        )
    code, hint = FAILED[phase]
    return ProviderFailure(f"{program} {phase} failed{said}.", code=code, hint=hint)


def killed(phase: str, program: str, number: int, *, orphans: bool) -> Problem:
    after = (
        "Something may have been made that no state knows: compare the state with the cloud, then plan again."
        if orphans
        else "Run the job again; look whether the runner has too little memory."
    )
    return Unavailable(
        f"{program} {phase} was killed on the runner (signal {number}).",
        code="infra_terraform_killed",
        hint=after,
        orphan_risk=orphans,
    )


def timed_out(phase: str, seconds: int, *, orphans: bool) -> Problem:
    return Timeout(
        f"The job took longer than {seconds} seconds and was interrupted in the phase {phase}.",
        code="infra_timeout",
        hint="Compare the state with the cloud, then plan again." if orphans else "Plan less at a time, or try again.",
        orphan_risk=orphans,
    )


def interrupted(phase: str, *, orphans: bool) -> Problem:
    return Conflict(
        f"The job was interrupted in the phase {phase}.",
        code="infra_interrupted",
        hint="Compare the state with the cloud, then plan again." if orphans else "Nothing was changed.",
        orphan_risk=orphans,
    )


def state_lost(kept: str) -> Problem:
    return Unavailable(
        f"What was applied could not be written into the state; the state stays on the runner, in {kept}.",
        code="infra_state_lost",
        hint="Write it from there by hand before anything else is planned: `terraform state push FILE`.",
        orphan_risk=True,
    )


def backend_overridden(where: str) -> Problem:
    return Invalid(
        f"The module keeps its state somewhere else, whatever it is told ({shown(where, 80)}).",
        code="infra_backend_overridden",
        hint="Take backends out of its files that are called override.tf or end with _override.tf.",
    )


def not_for_own(what: str) -> Problem:
    return Invalid(
        f"The server's own worker takes no {what}.",
        code="infra_needs_runner",
        hint="Enrol a runner (`quarterdeck worker --server … --capability infra`) and let it take the job.",
    )


def provider_foreign(name: str) -> Problem:
    return Invalid(
        f"The state is managed by a provider that the template does not name ({shown(name, 120)}).",
        code="infra_state_provider_foreign",
        hint="The server's own worker installs the template's providers alone. Enrol a runner and let it take the job.",
    )
