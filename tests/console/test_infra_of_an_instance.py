"""Infrastructure in the console of a real instance: who is asked is told so, who may not is refused, what is sensitive
stays hidden, and what is over is said so.
"""

from __future__ import annotations

import asyncio
import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from quarterdeck.console.composition import InstancePorts
from quarterdeck.console.domain.places import subject_of
from quarterdeck.identity import sessions
from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.runners import releases
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states.model import State
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.principal import Context, current
from quarterdeck.kernel.vault import Secret
from support.crew import Crew
from support.deck import running, signed_in
from surfaces.infra.runner_yard import DOCUMENT, asked, job, runner

HERE = {"origin": "http://localhost"}
INFRA = "/console/infra"
CHANGES = [
    {"address": "terraform_data.web", "type": "terraform_data", "mode": "managed", "name": "web",
     "change": {"actions": ["create"], "before": None, "after": {"input": "x", "password": "hunter2-secret"},
                "after_sensitive": {"password": True}}},
    {"address": "terraform_data.old", "type": "terraform_data", "mode": "managed", "name": "old",
     "change": {"actions": ["delete"], "before": {"input": "gone"}, "after": None}},
]  # fmt: skip


@pytest.fixture
async def crew(tmp_path, database_address):
    async with running(tmp_path, database_address) as deck:
        yield Crew(await signed_in(deck))


async def send(crew, method, path, token=None, **form):
    crew.deck.client.cookies.set("qd_session", crew.deck.instance.signer.sign(Secret(token or crew.deck.token)))
    return await crew.deck.client.request(method, path, headers=HERE, data=form or None)


async def page(crew, path, token=None):
    answer = await send(crew, "GET", path, token)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


async def posted(crew, path, token=None, **form):
    """The address that a form leads to."""
    answer = await send(crew, "POST", path, token, **form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def zoned(crew, approvals=1, destroy=0):
    zone = await posted(crew, f"{INFRA}/zones/new", name="payments", description="Money")
    await posted(crew, f"{zone}/policy", approvals=str(approvals), destroy_approvals=str(destroy))
    return zone.rpartition("/")[2]


async def made(crew, zone=None, name="ledger", **more):
    body = {**DOCUMENT, "project_name": name, "zone_id": zone, **more}
    return (await crew.ok("POST", "/api/cli/configurations", body, status=201))["configuration"]["id"]


async def planned(crew, spec, rack, token=None):
    """A plan that a runner has made; answers its job."""
    uid = (await posted(crew, f"{INFRA}/specs/{spec}/plan", token, runner="")).rpartition("/")[2]
    await rack.plan(await rack.claim(), CHANGES)
    assert (await job(crew, uid))["status"] == "SUCCESS"
    return uid


def beside(text):
    """The number beside the room, with its tone."""
    found = re.search(r'<span class="count (\w+)" id="n-infra">(\d+)', text)
    return (found[1], int(found[2])) if found else None


async def test_a_plan_waits_for_somebody_else_and_then_for_whoever_asked(crew):
    rack, zone = await runner(crew), await zoned(crew)
    spec = await made(crew, zone)
    uid = await planned(crew, spec, rack)
    plan = f"{INFRA}/plans/{uid}"
    mine = await page(crew, plan)
    assert "Needs 1 more approval" in mine
    assert "You have asked for it, so others have to agree." in mine
    assert "1 more person has to agree to the plan" in mine
    assert "Agree to plan for ledger" not in await page(crew, "/console/")
    refused = await send(crew, "POST", f"{plan}/say", deed="approve")
    assert refused.status_code == 403
    assert "Nobody agrees to what they have asked for themselves." in refused.text

    _, bea = await crew.person("bea", "organization:developer")
    home = await page(crew, "/console/", bea)
    assert "One thing needs you" in home
    assert "Agree to plan for ledger" in home
    assert "0 of 1 agree" in home
    assert beside(home) == ("ask", 1)
    theirs = await page(crew, plan, bea)
    assert "I have read what is destroyed" in theirs
    assert await posted(crew, f"{plan}/say", bea, deed="approve", comment="Looks <b>right</b>") == plan
    assert beside(await page(crew, "/console/", bea)) is None
    again = await send(crew, "POST", f"{plan}/say", bea, deed="approve")
    assert again.status_code == 409
    assert "You have said what you think of it." in again.text

    assert "The plan for ledger can be applied" in await page(crew, "/console/")
    mine = (await send(crew, "GET", plan)).text
    assert "Looks &lt;b&gt;right&lt;/b&gt;" in mine
    assert f'action="{plan}/apply"' in mine
    untyped = await send(crew, "POST", f"{plan}/apply", confirmation="Ledger", runner="")
    assert untyped.status_code == 400
    assert "What was typed is not ledger." in untyped.text
    applying = await posted(crew, f"{plan}/apply", confirmation="ledger", runner="")
    assert applying.startswith(f"{INFRA}/jobs/")
    assert "The plan for ledger can be applied" not in await page(crew, "/console/")
    taken = await page(crew, plan)
    assert f"It is being applied by the job {applying.rpartition('/')[2]}." in taken
    assert f'href="{applying}"' in taken
    assert f'action="{plan}/apply"' not in taken


async def test_a_refusal_closes_a_plan_and_says_so(crew):
    rack, spec = await runner(crew), await made(crew, await zoned(crew))
    plan = f"{INFRA}/plans/{await planned(crew, spec, rack)}"
    _, bea = await crew.person("bea", "organization:developer")
    await posted(crew, f"{plan}/say", bea, deed="refuse", comment="Too wide")
    text = await page(crew, plan)
    assert "Refuses" in text
    assert "Too wide" in text
    assert "Somebody has said no to the plan" in text
    assert 'value="approve"' not in await page(crew, plan, bea)


async def test_what_is_sensitive_stands_on_no_page(crew):
    rack, spec = await runner(crew), await made(crew)
    uid = await planned(crew, spec, rack)
    for path in (f"{INFRA}/plans/{uid}", f"{INFRA}/jobs/{uid}", f"{INFRA}/specs/{spec}", f"{INFRA}/plans/{uid}/apply"):
        assert "hunter2" not in await page(crew, path), path
    text = await page(crew, f"{INFRA}/plans/{uid}")
    assert "terraform_data.web" in text
    assert "(sensitive)" in text


async def test_an_outdated_plan_says_why_it_cannot_be_applied_and_what_to_do(crew):
    rack, spec = await runner(crew), await made(crew)
    plan = f"{INFRA}/plans/{await planned(crew, spec, rack)}"
    await crew.ok("PUT", f"/api/cli/configurations/{spec}", {**DOCUMENT, "queues": [{"name": "orders"}]})
    text = await page(crew, plan)
    assert "The configuration has changed since the plan" in text
    assert "Plan again, and read what it says now." in text
    refused = await send(crew, "POST", f"{plan}/apply", confirmation="ledger", runner="")
    assert refused.status_code == 409


async def test_a_destruction_waits_to_be_allowed_and_is_told_of_by_its_name(crew):
    spec = await made(crew, await zoned(crew, approvals=0, destroy=1))
    await stands(crew, spec)
    wrong = await send(crew, "POST", f"{INFRA}/specs/{spec}/destroy", confirmation="another")
    assert wrong.status_code == 400
    at = await posted(crew, f"{INFRA}/specs/{spec}/destroy", confirmation="ledger")
    text = await page(crew, at)
    assert "Waits for approval" in text
    assert "It waits until 1 more person agrees." in text
    assert "Destruction waits for approval" in await page(crew, f"{INFRA}/specs/{spec}")
    assert "Destruction waits for approval" in await page(crew, INFRA)
    _, bea = await crew.person("bea", "organization:admin")
    assert "Agree to destroy ledger" in await page(crew, "/console/", bea)
    plan = at.replace("/jobs/", "/plans/")
    assert "Everything that the state knows is destroyed." in await page(crew, plan, bea)
    await posted(crew, f"{plan}/say", bea, deed="approve")
    assert "Waits for approval" not in await page(crew, at)
    assert "Being destroyed" in await page(crew, f"{INFRA}/specs/{spec}")


async def stands(crew, spec, resources=6, **more):
    """As if an apply had written a state."""

    def verb(tx):
        found = tx.one(select(Spec).where(Spec.uid == spec), what="spec")
        found.status, found.applied_hash = "ACTIVE", found.configuration_hash
        for name, value in more.items():
            setattr(found, name, value)
        state = State(
            uid=tx.ids.uid(), organization_id=found.organization_id, subject=f"spec:{spec}", version=0,
            resources=resources, created_at=tx.now, updated_at=tx.now,
        )  # fmt: skip
        tx.add(state)

    await crew.db.write(verb)


async def test_what_is_not_as_it_should_be_comes_to_the_first_page(crew):
    spec = await made(crew)
    drift = {"drifted": True, "changes": [{"address": "aws_eip.nat", "action": "update", "before": {"tag": "a"},
                                           "after": {"tag": "b"}}], "left_out": 0, "job": "x"}  # fmt: skip

    def now(tx):
        return tx.now

    moment = await crew.db.read(now)
    await stands(crew, spec, orphan_risk="rack-7 vanished while it applied.", drift=drift, drift_checked_at=moment)

    def lock(tx):
        state = tx.one(select(State).where(State.subject == f"spec:{spec}"), what="state")
        state.lock_id, state.lock, state.lock_job_id, state.lock_fence = "l1", {"ID": "l1", "Who": "me@rack"}, 99, 1
        state.locked_at = tx.now - timedelta(hours=2)

    await crew.db.write(lock)
    home = await page(crew, "/console/")
    assert "Three things need you" in home
    assert "ledger may have left something behind" in home
    assert "rack-7 vanished while it applied." in home
    assert "ledger has drifted" in home
    assert "The state of ledger is locked by nobody who works" in home
    text = await page(crew, f"{INFRA}/specs/{spec}")
    assert "aws_eip.nat" in text
    assert '<span class="was">a</span> → <span class="now">b</span>' in text
    assert "Drifted" in text
    state = await page(crew, f"{INFRA}/specs/{spec}/state")
    assert "Left behind" in state
    empty = await send(crew, "POST", f"{INFRA}/specs/{spec}/state/unlock", reason="")
    assert empty.status_code == 400
    assert '<input type="hidden" name="lock" value="l1">' in await page(crew, f"{INFRA}/specs/{spec}/state/unlock")
    another = await send(crew, "POST", f"{INFRA}/specs/{spec}/state/unlock", reason="It is over", lock="l0")
    assert another.status_code == 409, "somebody has taken another one since the page was shown"
    await posted(crew, f"{INFRA}/specs/{spec}/state/unlock", reason="It is over", lock="l1")
    assert "locked by nobody who works" not in await page(crew, "/console/")
    kept = await send(crew, "POST", f"{INFRA}/specs/{spec}/delete", confirmation="ledger")
    assert kept.status_code == 409
    assert "The state of ledger holds 6 resources" in kept.text
    gone = await posted(
        crew, f"{INFRA}/specs/{spec}/delete", confirmation="ledger", force="yes", reason="moved elsewhere"
    )
    assert gone == INFRA


async def test_who_may_not_is_refused_whatever_they_send(crew):
    zone = await zoned(crew)
    spec = await made(crew, zone)
    await stands(crew, spec)
    _, viewer = await crew.person("vic", "organization:viewer")
    _, nobody = await crew.person("tom", "organization:billing")
    one = f"{INFRA}/specs/{spec}"
    for path in ("", "/versions", "/state"):
        assert (await send(crew, "GET", one + path, viewer)).status_code == 200
    for path in (INFRA, one, f"{INFRA}/jobs", f"{INFRA}/runners", f"{INFRA}/clouds"):
        answer = await send(crew, "GET", path, nobody)
        assert answer.status_code == 403
        assert "Who could give it" in answer.text
    tries = (
        (f"{one}/plan", {}), (f"{one}/destroy", {"confirmation": "ledger"}), (f"{one}/edit", {"deed": "save"}),
        (f"{one}/delete", {"confirmation": "ledger"}), (f"{one}/clone", {"name": "x"}), (f"{one}/drift", {}),
        (f"{one}/state/unlock", {"reason": "x"}), (f"{INFRA}/zones/new", {"name": "x"}),
        (f"{INFRA}/zones/{zone}/policy", {"approvals": "0"}), (f"{INFRA}/runners/new", {"deed": "enrol"}),
        (f"{INFRA}/clouds", {"provider": "aws"}),
    )  # fmt: skip
    before = await crew.told()
    for path, form in tries:
        assert (await send(crew, "POST", path, viewer, **form)).status_code == 403, path
    assert (await send(crew, "GET", f"{one}/state/versions/current", viewer)).status_code == 403
    assert [one for one in (await crew.told())[len(before) :] if one["outcome"] == "success"] == []
    _, dev = await crew.person("dev", "organization:developer")
    assert (await send(crew, "POST", f"{INFRA}/zones/{zone}/policy", dev, approvals="0")).status_code == 403
    assert (await send(crew, "GET", f"{one}/state/versions/current", dev)).status_code == 403


async def test_nothing_of_another_organization_is_there(crew):
    zone = await zoned(crew)
    spec = await made(crew, zone)
    rack = await runner(crew)
    uid = await planned(crew, spec, rack)
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    for path in (f"/specs/{spec}", f"/specs/{spec}/state", f"/specs/{spec}/versions", f"/zones/{zone}", f"/jobs/{uid}",
                 f"/plans/{uid}", f"/runners/{rack.id}", f"/jobs/{uid}/log"):  # fmt: skip
        assert (await send(crew, "GET", INFRA + path, eve)).status_code == 404, path
    assert spec not in await page(crew, INFRA, eve)
    assert uid not in await page(crew, f"{INFRA}/jobs", eve)
    assert (await send(crew, "POST", f"{INFRA}/jobs/{uid}/rerun", eve)).status_code == 404
    found = await page(crew, "/console/search?q=ledger", eve)
    assert f"/specs/{spec}" not in found


async def test_specifications_and_zones_are_found_by_their_words(crew):
    zone = await zoned(crew)
    spec = await made(crew, zone)
    text = await page(crew, "/console/search?q=ledg")
    assert f'href="{INFRA}/specs/{spec}"' in text
    assert f'href="{INFRA}/zones/{zone}"' in await page(crew, "/console/search?q=payments")
    _, nobody = await crew.person("tom", "organization:billing")
    assert f"/specs/{spec}" not in await page(crew, "/console/search?q=ledg", nobody)


async def test_a_job_for_a_runner_that_is_away_says_so_and_takes_another(crew):
    away, here = await runner(crew, "hel-2"), await runner(crew, "fra-1")
    await here.heartbeat()
    spec = await made(crew)
    at = await posted(crew, f"{INFRA}/specs/{spec}/plan", runner=away.id)
    text = await page(crew, at)
    assert "It is for the runner hel-2 alone, which is offline." in text
    assert f'<option value="{here.id}">fra-1 (online)' in text
    await posted(crew, f"{at}/pin", runner=here.id)
    assert "which is offline" not in await page(crew, at)
    claimed = await here.claim()
    assert claimed["id"] == at.rpartition("/")[2]
    behind = await posted(crew, f"{INFRA}/specs/{spec}/plan", runner="")
    text = await page(crew, behind)
    assert "See what goes first" in text
    assert f'href="{at}"' in text
    late = await send(crew, "POST", f"{at}/pin", runner="")
    assert late.status_code == 409


async def test_a_runner_is_registered_drained_chosen_and_removed(crew):
    form = {"deed": "register", "name": "rack <7>", "identity": ""}
    answer = await send(crew, "POST", f"{INFRA}/runners/new", **form)
    assert "It is shown this once." in answer.text
    uid = re.findall(r'<code class="value">([0-9a-f-]{36})</code>', answer.text)[0]
    token = re.findall(r"<code>([0-9a-f]{64})</code>", answer.text)[0]
    headers = {"X-Worker-ID": uid, "X-Worker-Token": token}
    beat = await crew.deck.client.post("/api/workers/heartbeat", json={"version": "0.3.0"}, headers=headers)
    assert beat.status_code == 200
    one = f"{INFRA}/runners/{uid}"
    assert "Online" in await page(crew, one)
    assert token not in await page(crew, one)
    await posted(crew, f"{one}/default")
    assert "your default" in await page(crew, f"{INFRA}/runners")
    await posted(crew, f"{one}/drain", deed="drain", reason="New disk")
    text = await page(crew, one)
    assert "Draining" in text
    assert "New disk" in text
    await posted(crew, f"{one}/drain", deed="undrain")
    wrong = await send(crew, "POST", f"{one}/remove", confirmation="rack")
    assert wrong.status_code == 400
    await posted(crew, f"{one}/remove", confirmation="rack <7>")
    assert (await send(crew, "GET", one)).status_code == 404
    gone = await crew.deck.client.post("/api/workers/heartbeat", json={}, headers=headers)
    assert gone.status_code == 401


async def test_a_cloud_is_begun_connected_and_disconnected(crew):
    at = await posted(crew, f"{INFRA}/clouds", provider="aws", name="Billing")
    text = await page(crew, at)
    assert "Not connected" in text
    assert re.search(r"<dt>External id</dt><dd><code class=\"value\">[0-9a-f]{16,}</code>", text)
    wrong = await send(crew, "POST", f"{at}/connect", role_arn="nonsense")
    assert wrong.status_code == 400
    assert "it has to be arn:aws:iam::ACCOUNT:role/NAME" in wrong.text
    assert 'value="nonsense"' in wrong.text
    trying = await posted(crew, f"{at}/connect", role_arn="arn:aws:iam::123456789012:role/deck")
    assert "Test connection" in await page(crew, trying)
    assert "Being tried" in await page(crew, at)
    _, viewer = await crew.person("vic", "organization:viewer")
    assert "External id" not in await page(crew, at, viewer)
    busy = await send(crew, "POST", f"{at}/disconnect", confirmation="Billing")
    assert busy.status_code in {303, 409}
    if busy.status_code == 409:
        await posted(crew, f"{trying}/cancel")
        await posted(crew, f"{at}/disconnect", confirmation="Billing")
    assert (await send(crew, "GET", at)).status_code == 404


async def test_a_cloud_is_bound_to_zones_and_freed(crew):
    zone, at = await zoned(crew), await posted(crew, f"{INFRA}/clouds", provider="aws", name="Billing")
    box = rf'name="zone-{zone}" value="yes"( checked)?>'
    assert re.search(box, await page(crew, at)).group(1) is None
    assert await posted(crew, f"{at}/zones", **{f"zone-{zone}": "yes"}) == at
    assert re.search(box, await page(crew, at)).group(1) == " checked"
    _, viewer = await crew.person("vic", "organization:viewer")
    assert re.search(r"<p>\w+ alone</p>", await page(crew, at, viewer))
    assert (await send(crew, "POST", f"{at}/zones", viewer)).status_code == 403
    unknown = await send(crew, "POST", f"{at}/zones", **{"zone-nowhere": "yes"})
    assert unknown.status_code == 404
    await posted(crew, f"{at}/zones")
    assert re.search(box, await page(crew, at)).group(1) is None
    assert "Every specification may use it." in await page(crew, at, viewer)


async def test_a_form_that_is_behind_shows_both_and_loses_nothing(crew):
    spec = await made(crew)
    one = f"{INFRA}/specs/{spec}/edit"
    text = await page(crew, f"{one}?as=yaml")
    assert 'name="version" value="1"' in text
    await crew.ok("PUT", f"/api/cli/configurations/{spec}", {**DOCUMENT, "queues": [{"name": "orders"}]})
    mine = "project_name: ledger\nprovider: local\ncaches:\n- name: hot\n"
    behind = await send(crew, "POST", one, content=mine, version="1", deed="save")
    assert behind.status_code == 409
    shown = html.unescape(behind.text)
    assert "Somebody saved other values" in shown
    assert "- name: hot" in shown
    assert 'name="version" value="2"' in shown
    await posted(crew, one, content=mine, version="2", deed="save")
    assert "Caches" in await page(crew, f"{INFRA}/specs/{spec}")


async def test_versions_clones_and_exports_are_what_the_domain_keeps(crew):
    spec = await made(crew)
    await crew.ok("PUT", f"/api/cli/configurations/{spec}", {**DOCUMENT, "queues": [{"name": "orders"}]})
    text = await page(crew, f"{INFRA}/specs/{spec}/versions?from=1&to=2")
    assert "queues[orders]" in text
    for number, has in ((1, False), (2, True)):
        file = await send(crew, "GET", f"{INFRA}/specs/{spec}/export?format=yaml&version={number}")
        assert file.headers["content-disposition"] == 'attachment; filename="ledger-staging.yaml"'
        assert ("orders" in file.text) is has
    assert (await send(crew, "GET", f"{INFRA}/specs/{spec}/export?format=exe")).status_code == 404
    taken = await send(crew, "POST", f"{INFRA}/specs/{spec}/clone", name="bad name", stage="staging", zone="")
    assert taken.status_code == 400
    at = await posted(crew, f"{INFRA}/specs/{spec}/clone", name="copy", stage="production", zone="")
    assert "orders" in await page(crew, at)


async def test_the_trail_names_every_thing_of_infrastructure(crew):
    zone = await zoned(crew)
    spec = await made(crew, zone)
    rack = await runner(crew)
    uid = await planned(crew, spec, rack)
    identity = (await posted(crew, f"{INFRA}/clouds", provider="aws", name="Billing")).rpartition("/")[2]
    who = await crew.db.read(sessions.authenticate, crew.deck.token)
    current.set(Context(principal=who))
    named = {
        f"infra-zone:{zone}": ("zone payments", f"{INFRA}/zones/{zone}"),
        f"infra-spec:{spec}": ("ledger", f"{INFRA}/specs/{spec}"),
        f"infra-job:{uid}": ("plan of ledger", f"{INFRA}/jobs/{uid}"),
        f"infra-state:spec:{spec}": ("state of ledger", f"{INFRA}/specs/{spec}/state"),
        f"infra-state:runner:{rack.id}": ("state of rack-7", f"{INFRA}/runners/{rack.id}"),
        f"runner:{rack.id}": ("rack-7", f"{INFRA}/runners/{rack.id}"),
        f"cloud-identity:{identity}": ("cloud identity Billing", f"{INFRA}/clouds/{identity}"),
        "infra-spec:gone": ("specification gone", INFRA),
        "runner:gone": ("runner gone", f"{INFRA}/runners"),
        "runner-release:gone": ("release of the runner gone", f"{INFRA}/runners"),
    }
    assert await crew.db.read(lambda tx: {ref: subject_of(tx, ref) for ref in named}) == named
    activity = await page(crew, "/console/audit")
    assert "plan of ledger" in activity


async def test_a_job_comes_to_its_open_page_at_once(crew):
    """Well before the seconds after which a page looks again by itself; and nobody else's does."""
    rack, spec = await runner(crew), await made(crew)
    queued = await asked(crew, "PLAN", spec)
    who = await crew.db.read(sessions.authenticate, crew.deck.token)
    current.set(Context(principal=who))
    heard: set[str] = set()
    lines: list[str] = []
    ready = asyncio.Event()
    topics = (f"infra-job:{queued['id']}", f"infra-spec:{spec}", f"log:infra-job:{queued['id']}", "infra")

    async def follow() -> None:
        async for update in InstancePorts(crew.deck.instance).follow(who, topics, 0):
            heard.add(update.topic)
            lines.extend(line.text for line in update.lines)
            ready.set()

    following = asyncio.create_task(follow())
    try:
        await rack.plan(await rack.claim(), CHANGES)
        async with asyncio.timeout(8):
            while heard != set(topics) or "Initializing the backend..." not in lines:
                await ready.wait()
                ready.clear()
    finally:
        following.cancel()
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    for topic in topics[:3]:
        answer = await send(crew, "GET", f"/console/stream?topics={topic}", eve)
        assert answer.status_code == 404, topic
    _, nobody = await crew.person("tom", "organization:billing")
    for topic in topics:
        answer = await send(crew, "GET", f"/console/stream?topics={topic}", nobody)
        assert answer.status_code == 403, topic


async def test_the_list_of_jobs_is_narrowed_and_turned_in_the_database(crew):
    spec, other = await made(crew), await made(crew, name="shore")
    for number in range(34):
        uid = (await asked(crew, "PLAN", spec if number % 2 else other))["id"]
        await crew.ok("POST", f"/api/cli/jobs/{uid}/cancel", None)
    text = await page(crew, f"{INFRA}/jobs")
    assert "34 jobs" in text
    assert text.count("data-row") == 30
    assert (await page(crew, f"{INFRA}/jobs?from=30")).count("data-row") == 4
    assert "17 jobs match" in await page(crew, f"{INFRA}/jobs?spec={spec}")
    assert "17 jobs match" in await page(crew, f"{INFRA}/jobs?q=shor&status=cancelled")
    assert "0 jobs match" in await page(crew, f"{INFRA}/jobs?status=success")

    def kept(tx):
        return tx.one(select(InfraJob).where(InfraJob.uid == uid), what="job").status, tx.first(select(Plan))

    assert await crew.db.read(kept) == ("CANCELLED", None)


async def test_a_job_that_nobody_who_is_online_can_take_says_so(crew):
    spec = await made(crew, await zoned(crew))
    uid = (await posted(crew, f"{INFRA}/specs/{spec}/plan", runner="")).rpartition("/")[2]
    shown = await page(crew, f"{INFRA}/jobs/{uid}")
    assert "No runner that is online can take this." in shown
    assert "qd runner enrol" in shown
    rack = await runner(crew)
    await rack.heartbeat()
    assert "No runner that is online" not in await page(crew, f"{INFRA}/jobs/{uid}")


async def test_a_look_for_drift_is_told_by_what_it_found(crew):
    rack, spec = await runner(crew), await made(crew)
    await stands(crew, spec)
    at = await posted(crew, f"{INFRA}/specs/{spec}/drift")
    seen = [{"address": "aws_eip.nat", "type": "aws_eip", "mode": "managed", "name": "nat",
             "change": {"actions": ["update"], "before": {"tag": "a"}, "after": {"tag": "b"}}}]  # fmt: skip
    await rack.plan(await rack.claim(), seen)
    text = await page(crew, at)
    assert "It has found drift: 1 resource changed by somebody else." in text
    assert "Review the plan" not in text
    overview = await page(crew, f"{INFRA}/specs/{spec}")
    assert f'href="{at}"' in overview
    assert f'href="{at.replace("/jobs/", "/plans/")}"' not in overview
    again = await posted(crew, f"{INFRA}/specs/{spec}/drift")
    await rack.plan(await rack.claim(), [])
    assert "Nothing has drifted." in await page(crew, again)
    assert "It has found drift" not in await page(crew, at)


async def test_the_page_of_a_specification_leads_to_the_plan_that_can_be_applied(crew):
    rack, zone = await runner(crew), await zoned(crew)
    spec = await made(crew, zone)
    plan = f"{INFRA}/plans/{await planned(crew, spec, rack)}"
    text = await page(crew, f"{INFRA}/specs/{spec}")
    assert f'<a class="btn main" href="{plan}">Review and apply</a>' in text
    assert "1 destroy" in text
    assert "1 create" in text
    await crew.ok("PUT", f"/api/cli/configurations/{spec}", {**DOCUMENT, "queues": [{"name": "orders"}]})
    assert f'<a class="btn" href="{plan}">See the plan</a>' in await page(crew, f"{INFRA}/specs/{spec}")


async def test_a_specification_of_the_same_name_zone_and_stage_is_made_only_on_purpose(crew):
    zone = await zoned(crew)

    def said(stage="development", zone=""):
        text = f"project_name: first\nprovider: local\nenvironment_stage: {stage}\n"
        return {"content": text + (f"zone_id: {zone}\n" if zone else ""), "version": "0", "deed": "save"}

    form = said(zone=zone)
    one = await posted(crew, f"{INFRA}/specs/new", **form)
    twin = await send(crew, "POST", f"{INFRA}/specs/new", **form)
    assert twin.status_code == 409
    assert "payments has a development first already." in html.unescape(twin.text)
    assert await posted(crew, f"{INFRA}/specs/new", **said("staging", zone)) != one
    await posted(crew, f"{INFRA}/specs/new", **said())
    assert "There is, in no zone, a development first already." in html.unescape(
        (await send(crew, "POST", f"{INFRA}/specs/new", **said())).text
    )
    assert await posted(crew, f"{INFRA}/specs/new", **form, again="yes") != one


async def test_releases_that_were_published_are_listed(crew):
    def publish(tx):
        releases.publish(tx, releases.Published("0.5.0", "Faster.\nMuch.", "https://git.example/r", "ab" * 20, True))

    await crew.db.write(publish)
    text = await page(crew, f"{INFRA}/runners")
    assert "0.5.0" in text
    assert "Faster." in text
    assert "Much." not in text
