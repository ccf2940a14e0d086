"""What git's messages mean for a task: `workspace_error` or `git_push_failed`, always (contract: tasks §3.3)."""

from __future__ import annotations

import re

from quarterdeck.kernel.errors import Invalid, Problem, Timeout, Unavailable

WORKSPACE, PUSH = "workspace_error", "git_push_failed"
_AUTHENTICATION = re.compile(
    r"could not read (Username|Password)|Authentication failed|terminal prompts disabled|Permission denied"
    r"|Access denied|Invalid username or (password|token)|returned error: 40[13]|Too many authentication failures"
)
_REASONS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED"),
        "host-key-changed",
        "The host shows another SSH key than before. If that is right, remove the old one from the known hosts.",
    ),
    (
        re.compile(r"[Rr]epository .*not found|returned error: 404|not appear to be a git repository|does not exist"),
        "repository-missing",
        "There is no such repository, or it is private and needs a token or a key: look at the project's address.",
    ),
    (
        re.compile(r"Could not resolve (host|proxy)|Name or service not known"),
        "name-unknown",
        "The host name is not known on this machine: look at the project's address and at the machine's DNS.",
    ),
    (
        re.compile(r"SSL certificate|certificate verif|server certificate"),
        "certificate",
        "The server's certificate is not trusted by this machine.",
    ),
    (
        re.compile(r"No space left on device|Disk quota exceeded|unable to write|write error"),
        "disk-full",
        "The disk of this machine is full: free space, or drain the machine, then retry the task.",
    ),
    (
        re.compile(r"Read-only file system|Permission denied|Operation not permitted"),
        "not-writable",
        "The directory of workspaces cannot be written: look at its owner and rights.",
    ),
    (re.compile(r"too slow|timed out|Timeout was reached"), "slow", "The server stopped answering: retry later."),
    (re.compile(r"returned error: 30\d|redirect"), "redirected", "The repository has moved: use its new address."),
)
_SAID = re.compile(r"^(?:fatal|error|ssh|remote: (?:fatal|error)|remote): ?(.+)$", re.MULTILINE)
_OURS = re.compile(r"could not read (Username|Password)|terminal prompts disabled")
SAID = 200
_PUSH_HINT = "The work is kept in the task's workspace: mend it, then retry the task from its last stage."


def of_workspace(message: str, hint: str, reason: str) -> Problem:
    return Unavailable(message, code=WORKSPACE, hint=hint, reason=reason)


def fetching(where: str, text: str, *, with_credentials: bool) -> Problem:
    """Why `where` could not be fetched. `text` is what git said, masked."""
    if _AUTHENTICATION.search(text):
        hint = (
            "The project's git token was refused: give it one that may read and write this repository."
            if with_credentials
            else "It is private or does not exist: give the project a git token, or this machine a key."
        )
        return Invalid(f"{where} does not let us read it{said(text)}.", code=WORKSPACE, hint=hint, reason="refused")
    return of_workspace(f"{where} cannot be fetched{said(text)}.", *_reason(text))


def local(what: str, text: str) -> Problem:
    """A command in the workspace itself failed."""
    return of_workspace(f"{what}{said(text)}.", *_reason(text))


def unwritable(path: object, error: OSError) -> Problem:
    return of_workspace(
        f"The workspace cannot be kept at {path}: {error.strerror or error}.", *_reason(error.strerror or "")
    )


def timed_out(what: str, seconds: float) -> Problem:
    return Timeout(
        f"{what} took longer than {seconds:g} s.",
        code=WORKSPACE,
        hint="Look at the load of the machine and of the git server, then retry the task.",
        reason="slow",
    )


def pushing(where: str, branch: str, text: str, *, with_credentials: bool) -> Problem:
    """Why the branch was not taken. `text` is what git said, masked."""
    if re.search(r"\((fetch first|non-fast-forward|stale info)\)|\[rejected\]", text):
        return moved(where, branch)
    if re.search(r"\[remote rejected\]|pre-receive hook declined|protected branch", text):
        return Invalid(
            f"{where} does not take {branch}{said(text)}.",
            code=PUSH,
            hint=f"Look at the rules of the repository. {_PUSH_HINT}",
            reason="rejected",
        )
    if _AUTHENTICATION.search(text):
        hint = (
            "The project's git token may not write: give it one that may."
            if with_credentials
            else "Give the project a git token, or this machine a key that may write."
        )
        message = f"{where} does not let us push {branch}{said(text)}."
        return Invalid(message, code=PUSH, hint=f"{hint} {_PUSH_HINT}", reason="refused")
    hint, reason = _reason(text)
    return Unavailable(f"{branch} cannot be pushed to {where}{said(text)}.", code=PUSH, hint=hint, reason=reason)


def moved(where: str, branch: str) -> Problem:
    return Invalid(
        f"{branch} at {where} has commits that this task does not have; nothing was pushed over them.",
        code=PUSH,
        hint="Retry the task: it goes on from them where it can. Or bring the two together in its workspace.",
        reason="moved",
    )


def _reason(text: str) -> tuple[str, str]:
    for pattern, reason, hint in _REASONS:
        if pattern.search(text):
            return hint, reason
    return "Look at what git said, and whether the server can be reached from this machine, then retry.", "git"


def said(text: str) -> str:
    """What git gave as its reason first, as the end of a sentence; nothing where it gave none."""
    found = next((one[1] for one in _SAID.finditer(text) if not _OURS.search(one[1])), "")
    line = "".join(one for one in found if one.isprintable()).strip(" .")
    return f": {line if len(line) <= SAID else line[: SAID - 1] + '…'}" if line else ""
