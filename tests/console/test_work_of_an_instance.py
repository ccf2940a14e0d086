"""What the console lets be done to work, over a real instance: the same as the API."""

from __future__ import annotations

import re

import msgspec
import pytest

from quarterdeck.kernel import jobs, mail
from quarterdeck.kernel.vault import Secret
from support.deck import HOME, running, signed_in
from support.edge_traffic import until


class Errand(msgspec.Struct):
    note: str = ""


jobs.kinds.register(jobs.JobKind("test.errand", Errand))


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        made.client.cookies.set("qd_session", made.instance.signer.sign(Secret(made.token)))
        made.client.headers["origin"] = "http://localhost"
        yield made


async def test_work_that_runs_is_not_canceled_and_has_no_button_for_it(deck):
    def enqueue(tx):
        return jobs.enqueue(tx, jobs.Enqueue("test.errand", Errand(), None, capabilities=frozenset({"errands"})))

    job = await deck.instance.db.write(enqueue)
    path = f"/console/jobs/{job.short_ref}"
    assert f'{path}/cancel"' in (await deck.client.get(path)).text
    claimant = jobs.Claimant("somebody", frozenset({"errands"}), ("normal",), 1)
    await deck.instance.db.write(jobs.claim, claimant)
    shown = await deck.client.get(path)
    assert shown.status_code == 200
    assert f'{path}/cancel"' not in shown.text
    answer = await deck.client.post(f"{path}/cancel", data={}, follow_redirects=True)
    assert (answer.status_code, "does not allow cancel" in answer.text) == (409, True)
    found = await deck.instance.db.read(jobs.get, job.id)
    assert (found.state, found.cancel_us) == ("running", None)


async def test_work_that_waits_is_canceled(deck):
    def enqueue(tx):
        return jobs.enqueue(tx, jobs.Enqueue("test.errand", Errand(), None, capabilities=frozenset({"errands"})))

    job = await deck.instance.db.write(enqueue)
    answer = await deck.client.post(f"/console/jobs/{job.short_ref}/cancel", data={}, follow_redirects=True)
    assert answer.status_code == 200
    assert (await deck.instance.db.read(jobs.get, job.id)).state == "canceled"


async def test_the_list_and_the_page_say_why_work_waits_and_behind_what(deck):
    def enqueue(tx):
        needed = frozenset({"errands"})
        return jobs.enqueue(tx, jobs.Enqueue("test.errand", Errand(), None, capabilities=needed, concurrency_key="one"))

    first = await deck.instance.db.write(enqueue)
    second = await deck.instance.db.write(enqueue)
    listed = (await deck.client.get("/console/jobs?state=pending")).text
    assert "No worker that offers errands is connected." in listed
    assert re.search(f"It waits for its turn behind “[^”]+” .{first.work_ref}", listed)
    assert "qd work ls --status pending" in listed
    page = (await deck.client.get(f"/console/jobs/{second.short_ref}")).text
    assert f'href="/console/jobs/{first.short_ref}">See the job that goes first</a>' in page


async def test_a_mail_that_was_not_sent_is_not_told_as_succeeded(deck):
    """The server's own hands do it; without a mail server it ends well and has sent nothing."""
    await deck.do("organizations.invite-member", {"email": "bob@example.com", "role": "viewer"}, organizationId=HOME)

    async def ended():
        (job,) = await deck.instance.db.read(jobs.list_jobs, jobs.Filter(kind=mail.KIND))
        return job if job.ended else None

    await until(ended, 30)
    job = await ended()
    assert job.state == "succeeded"
    for path in ("/console/jobs", f"/console/jobs/{job.short_ref}"):
        page = (await deck.client.get(path)).text
        assert "Not sent" in page
        assert "Nothing was sent: no mail server is set" in page
        assert ">Succeeded<" not in page.partition("<tbody")[2]
    (work,) = (await deck.do("operator-work.list"))["items"]
    assert work["safeDetails"]["sent"] is False


def test_a_job_that_was_resumed_is_not_counted_beyond_its_tries():
    from quarterdeck.console.domain.ledger import _tries

    assert (_tries(1, 3), _tries(2, 1)) == ("1 of 3", "2, resumed")
