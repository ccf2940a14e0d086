"""The audit page over a real instance: filters together and in the address, exports, facts in words, the chain."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
from sqlalchemy import text

from quarterdeck.console.domain import trail
from quarterdeck.identity import setup
from quarterdeck.kernel import audit, jobs, verifying
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret
from support.deck import running, signed_in
from support.edge_traffic import until

AUDIT = "/console/audit"


class Tried(audit.Action):
    OPENED = "audit-page-test.opened"
    CLOSED = "audit-page-test.closed"


DETAIL = {
    "added": ["deploy:projects.list", "deploy:projects.show"],
    "sessionsEnded": 2,
    "scope": {"environment": "production", "team_id": "t"},
    "remove": False,
    "nothing": None,
}


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        made.client.cookies.set("qd_session", made.instance.signer.sign(Secret(made.token)))
        made.client.headers["origin"] = "http://localhost"
        await made.instance.db.write(fill)
        yield made


def fill(tx: Tx) -> None:
    """Somebody else opens three things and is denied the third; the first is closed."""
    here = setup.default_organization(tx).id
    tx.act_as(Principal("user", 77, "u77", "Grace", here))
    for number in range(3):
        audit.record(
            tx, Tried.OPENED, resource_type="thing", resource_id=f"thing_{number}", organization_id=here,
            outcome="denied" if number == 2 else "success", detail=DETAIL,
        )  # fmt: skip
    audit.record(tx, Tried.CLOSED, resource_type="thing", resource_id="thing_0", organization_id=here)
    audit.record(tx, Tried.OPENED, resource_type="other", resource_id="thing_0", organization_id=here)


async def rows(deck, **asked: str) -> list[tuple[str, str]]:
    """Action and thing of what the page shows."""
    answer = await deck.client.get(AUDIT, params=asked)
    assert answer.status_code == 200
    return re.findall(
        r'data-row>.*?<code>([^<]+)</code>.*?</details></td><td><span class="dim">([^<]+)</span>', answer.text
    )


async def test_filters_work_together_and_stand_in_the_address_and_in_the_exports(deck):
    both = {"action": "audit-page-test.", "actor": "grace"}
    assert len(await rows(deck, **both)) == 5
    assert len(await rows(deck, **both, resource="thing")) == 4
    assert len(await rows(deck, **both, resource="thing_0")) == 3
    asked = {**both, "resource": "thing:thing_2", "outcome": "denied", "from": "2000-01-01", "to": "2999-12-31"}
    assert await rows(deck, **asked) == [("audit-page-test.opened", "thing thing_2")]
    assert await rows(deck, **{**asked, "to": "2000-01-02"}) == []
    page = html.unescape((await deck.client.get(AUDIT, params=asked)).text)
    address = re.search(r'href="(/console/audit/export\?[^"]+format=csv)"', page)[1]
    for name in asked:
        assert f"{name}=" in address
    table = list(csv.DictReader(io.StringIO((await deck.client.get(address)).text)))
    assert [(row["action"], row["resource"]) for row in table] == [("audit-page-test.opened", "thing_2")]
    listed = (await deck.client.get(address.replace("format=csv", "format=json"))).json()
    assert [row["detail"]["sessionsEnded"] for row in listed] == [2]


async def test_one_press_narrows_to_who_what_or_which_and_keeps_the_rest(deck):
    page = html.unescape((await deck.client.get(AUDIT, params={"outcome": "denied", "actor": "Grace"})).text)
    address = re.search(r'<a href="([^"]+)">thing</a>', page)[1]
    assert "outcome=denied" in address
    assert "actor=Grace" in address
    assert "resource=thing%3Athing_2" in address
    assert (await deck.client.get(address)).text.count("data-row") == 1


async def test_facts_are_told_in_words_and_never_as_raw_structures(deck):
    page = html.unescape((await deck.client.get(AUDIT, params={"resource": "thing:thing_1"})).text)
    for words in (
        "<dt>Added</dt><dd>deploy:projects.list, deploy:projects.show</dd>",
        "<dt>Sessions ended</dt><dd>2</dd>",
        "<dt>Scope</dt><dd>environment production; team id t</dd>",
        "<dt>Remove</dt><dd>no</dd>",
    ):
        assert words in page, words
    everything = html.unescape((await deck.client.get(AUDIT)).text)
    facts = re.findall(r"<dd>([^<]*)</dd>", everything)
    assert facts
    assert not [fact for fact in facts if re.search(r"[\[{]['\"]|None|True|False", fact)]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([{"a": [1, 2]}, {"b": None}], "a 1, 2; none"),
        ([], "none"),
        ([["x", "y"], ["z"]], "x, y; z"),
        (True, "yes"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_a_fact_in_words(value, words):
    assert trail.said(value) == words


async def test_the_chain_says_up_to_which_row_it_was_verified_and_what_was_altered(deck):
    db = deck.instance.db
    while await db.write(audit.seal):
        pass
    before = (await deck.client.get(AUDIT)).text
    assert "Not verified yet" in before
    assert re.search(r"<dt>Sealed up to</dt><dd>row \d+, <code>aud_", before)
    earlier = await db.read(audit.verify)
    answer = await deck.client.post(f"{AUDIT}/verify")
    assert answer.headers["location"].startswith("/console/jobs/")

    async def ended():
        (one,) = await db.read(jobs.list_jobs, jobs.Filter(kind=verifying.KIND))
        return one if one.ended else None

    await until(ended, 30)
    job = await ended()
    assert job.state == "succeeded"
    task = job.read(verifying.Task)
    assert task.by == "ada"
    proof = (await db.read(verifying.standing, task.organization_id)).proof
    assert proof is not None
    # The chain goes on meanwhile, with the proof itself: it was proved up to where it ended then.
    after = (await db.read(audit.verify)).heads[task.organization_id]
    assert earlier.heads[task.organization_id].position <= proof.position <= after.position
    place = {"organization": task.organization_id, "position": proof.position}
    sealed = text("SELECT hash FROM audit_seals WHERE organization_id = :organization AND position = :position")
    assert proof.hash == await db.read(lambda tx: tx.execute(sealed, place).scalar())
    assert proof.findings == 0
    shown = (await deck.client.get(AUDIT)).text
    assert f"Unchanged up to row {proof.position}" in shown
    assert f"<code>{proof.up_to}</code>" in shown
    assert "asked for by ada" in shown


async def test_a_finding_is_told_on_the_page(deck):
    db = deck.instance.db
    here = await db.read(lambda tx: setup.default_organization(tx).id)
    finding = audit.Finding("altered", here, 1, "u", 1, "Event 1 is not what was sealed.")
    report = audit.Report(
        sealed=1, pruned=0, prunings=0, unsealed=audit.Tail(0, None, None), heads={here: audit.Head(1, "0" * 64)},
        findings=[finding],
    )  # fmt: skip
    await db.write(verifying.conclude, verifying.Task(here, "ada"), report)
    shown = (await deck.client.get(AUDIT)).text
    assert ">Altered</span>" in shown
    assert "Event 1 is not what was sealed." in shown


async def test_who_may_not_verify_has_no_button(deck):
    viewer = await deck.member("viewer")
    deck.client.cookies.clear()
    deck.client.cookies.set("qd_session", deck.instance.signer.sign(Secret(viewer)))
    page = await deck.client.get(AUDIT)
    assert "Verify now" not in page.text
    refused = await deck.client.post(f"{AUDIT}/verify")
    assert refused.status_code == 403
    assert "audit:verify" in refused.text
