"""Mail: a job of the ledger for each, so that a mail server that is away delays a mail and fails no request.

Without a mail server a mail is not sent; who would have got it is logged, and nothing of what it says, since mails
carry links that let people in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import formataddr, make_msgid, parseaddr
from typing import Any

import aiosmtplib
import msgspec
import structlog

from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem, ProviderFailure, Unavailable
from quarterdeck.kernel.mail_server import MailServer

KIND = "mail.send"
UNSEEN = "mail.send-unseen"
SECONDS = 20
TRIES = 6
REFUSALS = (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPSenderRefused)
NOT_SENT = ("Not sent", "Nothing was sent: no mail server is set (QUARTERDECK_SMTP_HOST).")
log = structlog.get_logger("quarterdeck.mail")


class Letter(msgspec.Struct, frozen=True):
    to: str
    subject: str
    text: str
    html: str


class Task(msgspec.Struct):
    """`sealed` is the letter, opened by `uid`; empty where there is none to send."""

    uid: str
    to: str
    subject: str
    sealed: str


def post(tx: Tx, letter: Letter, organization_id: int | None = None) -> None:
    """Have a letter sent once this unit is kept; it lies sealed until then."""
    _enqueue(tx, KIND, _sealed(tx, letter), organization_id)


def post_unseen(tx: Tx, letter: Letter | None) -> None:
    """Have a letter sent whose being sent would already tell something, or none: no list of work shows it, and nothing
    about the jobs beside it tells the two apart.
    """
    _enqueue(tx, UNSEEN, Task(tx.ids.uid(), "", "", "") if letter is None else _sealed(tx, letter), None)


def _sealed(tx: Tx, letter: Letter) -> Task:
    uid = tx.ids.uid()
    sealed = tx.vault.seal("jobs", uid, "letter", msgspec.json.encode(letter).decode())
    return Task(uid, letter.to, letter.subject, sealed)


def _enqueue(tx: Tx, kind: str, task: Task, organization_id: int | None) -> None:
    needs = frozenset({jobs.SERVER})
    jobs.enqueue(tx, jobs.Enqueue(kind, task, organization_id, capabilities=needs, max_attempts=TRIES))


async def send(server: MailServer, letter: Letter) -> None:
    """Hand a letter in. Raises `Unavailable` for what may pass (tried again), `ProviderFailure` for a refusal."""
    message = EmailMessage()
    name, address = parseaddr(server.sender)
    message["From"], message["To"] = formataddr((name, address)), letter.to
    message["Subject"], message["Message-ID"] = letter.subject, make_msgid(domain=address.rpartition("@")[2] or None)
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    try:
        await aiosmtplib.send(
            message,
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password.reveal() if server.password else None,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            timeout=SECONDS,
        )
    except REFUSALS as error:
        raise ProviderFailure(
            f"The mail server {server.host} refused the mail ({type(error).__name__}).",
            code="mail_refused",
            hint="Check sender, user name and password of the mail server, and the address.",
        ) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Unavailable(
            f"The mail server {server.host} cannot be reached ({type(error).__name__}).",
            code="mail_server_unavailable",
            hint="It is tried again. Check address, port and TLS of the mail server.",
        ) from None


@jobs.server_handlers.register(UNSEEN)
@jobs.server_handlers.register(KIND)
async def run(context: jobs.JobContext, instance: Any) -> dict[str, bool]:
    """Send the letter of the job, or say that there is no mail server."""
    task = context.read(Task)
    if not task.sealed:
        return {"sent": False}
    server: MailServer | None = instance.settings.mail_server
    if server is None:
        log.info("mail_not_sent", to=task.to, subject=task.subject, reason="no mail server is set")
        return {"sent": False}
    letter = msgspec.json.decode(instance.vault.open("jobs", task.uid, "letter", task.sealed).reveal(), type=Letter)
    try:
        await send(server, letter)
    except Problem as problem:
        log.warning("mail_not_sent", to=task.to, subject=task.subject, reason=problem.message)
        raise
    return {"sent": True}


def _describe(_tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    return {job.id: _about(job) for job in some}


def _about(job: jobs.Job) -> jobs.About:
    details: dict[str, jobs.Fact] = {"subject": job.read(Task).subject}
    sent = msgspec.json.decode(job.result)["sent"] if job.result else None
    if sent is None:
        return jobs.About(job.kind, details=details)
    return jobs.About(job.kind, details=details | {"sent": sent}, came_to=("", "") if sent else NOT_SENT)


for _kind, _work in (
    (KIND, jobs.Work("system", "Mail", _describe)),
    (UNSEEN, jobs.Work("system", "Mail", listed=False)),
):
    jobs.kinds.register(
        jobs.JobKind(_kind, lease_seconds=60, backoff_seconds=30, capabilities=frozenset({jobs.SERVER}), work=_work)
    )
