"""What git's messages mean to the person who deploys."""

from __future__ import annotations

import re

from quarterdeck.kernel.errors import Invalid, NotFound, Problem, Timeout, Unavailable

_AUTHENTICATION = re.compile(
    r"could not read (Username|Password)|Authentication failed|terminal prompts disabled|Permission denied \("
    r"|Access denied|Invalid username or (password|token)|returned error: 40[13]|Too many authentication failures"
)
_HOST_KEY = re.compile(r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED")
_REFERENCE = re.compile(r"not our ref|couldn't find remote ref|unadvertised object|no such remote ref")
_UNADVERTISED = re.compile(r"unadvertised object")
_MISSING = re.compile(
    r"[Rr]epository .*not found|returned error: 404|does not appear to be a git repository|does not exist"
    r"|not valid: is this a git"
)
_SLOW = re.compile(r"Operation too slow|timed out|Timeout was reached")
_REDIRECT = re.compile(r"returned error: 30\d|redirect")
_DISK = re.compile(r"No space left on device|Disk quota exceeded")
_CERTIFICATE = re.compile(r"SSL certificate|certificate verif|server certificate")
_SAID = re.compile(r"^(?:fatal|error|ssh|remote: (?:fatal|error)): (.+)$", re.MULTILINE)
_OURS = re.compile(r"could not read (Username|Password)|terminal prompts disabled")
"""What git says of having nobody to ask, which is how we run it."""
SAID = 200
_NAME = re.compile(r"Could not resolve (host|proxy)|Name or service not known|Could not resolve hostname")


def wants_full_history(text: str) -> bool:
    """The server gives out commits only that a branch or tag names."""
    return bool(_UNADVERTISED.search(text))


def too_large(what: str, limit: str) -> Problem:
    return Invalid(
        f"The source {what}; {limit} is allowed.",
        code="source_too_large",
        hint="Remove large files from the repository, deploy from a smaller one, or raise QUARTERDECK_SOURCE_SIZE.",
        phase="detect",
    )


def timed_out(where: str, seconds: float) -> Problem:
    return Timeout(
        f"Fetching from {where} took longer than {seconds:g} s.",
        code="source_timeout",
        hint="Check that the repository's server answers from this machine, then deploy again.",
        phase="detect",
    )


def reference_missing(where: str, reference: str) -> Problem:
    return NotFound(
        f"{where} has no branch, tag or commit {reference}.",
        code="source_ref_not_found",
        hint="Check the name, and that it was pushed. A commit must be given with all its 40 digits.",
        phase="detect",
    )


def empty_repository(where: str) -> Problem:
    return NotFound(
        f"{where} has no commits yet.",
        code="source_ref_not_found",
        hint="Push a branch, then deploy again.",
        phase="detect",
    )


def explain(where: str, text: str, reference: str | None, *, with_credentials: bool) -> Problem:
    """The problem behind a failed git command, with git's own reason in one line. `text` is what git said, masked."""
    if _HOST_KEY.search(text):
        return Unavailable(
            f"The SSH host of {where} shows another key than before.",
            code="source_unreachable",
            hint="If the host was really given a new key, remove its old one from the known hosts of this server.",
            reason="host-key-changed",
            phase="detect",
        )
    if _AUTHENTICATION.search(text):
        hint = (
            "The credentials were refused: check the token or key and its rights on this repository."
            if with_credentials
            else "It is private or does not exist: check the address, or give a token or deploy key."
        )
        message = f"{where} does not let us read it{_said(text)}."
        return Invalid(message, code="source_auth_failed", hint=hint, phase="detect")
    if _REFERENCE.search(text):
        return reference_missing(where, reference or "that was asked for")
    return _unreachable(where, text)


def git_missing() -> Problem:
    return Unavailable(
        "This machine has no git program.",
        code="source_unreachable",
        hint="Install git on the machine that runs the deployment.",
        reason="git-missing",
        phase="detect",
    )


def disk_full(where: str) -> Problem:
    return Unavailable(
        f"There is no room to copy {where}.",
        code="source_unreachable",
        hint="Free space on this machine's disk, then deploy again.",
        reason="disk-full",
        phase="detect",
    )


def _unreachable(where: str, text: str) -> Problem:
    reasons = [
        (_MISSING, "repository-missing", "There is no such repository, or it is private and needs a token or key."),
        (_NAME, "name-unknown", "The host name is not known here: check the address and this machine's DNS."),
        (_CERTIFICATE, "certificate", "The server's certificate is not trusted by this machine."),
        (_DISK, "disk-full", "The disk of this machine is full: free space, then deploy again."),
        (_SLOW, "slow", "The server stopped answering: check its load and the network, then deploy again."),
        (_REDIRECT, "redirected", "The repository has moved: use its new address."),
    ]
    unknown = ("connection", "Check that the server runs and is reachable from this machine, then deploy again.")
    reason, hint = next(((reason, hint) for pattern, reason, hint in reasons if pattern.search(text)), unknown)
    return Unavailable(
        f"{where} cannot be fetched{_said(text)}.", code="source_unreachable", hint=hint, reason=reason, phase="detect"
    )


def _said(text: str) -> str:
    """What git gave as its reason first, as the end of a sentence; nothing where it gave none."""
    found = next((said[1] for said in _SAID.finditer(text) if not _OURS.search(said[1])), "")
    line = "".join(one for one in found if one.isprintable()).strip(" .")
    return f": {line if len(line) <= SAID else line[: SAID - 1] + '…'}" if line else ""
