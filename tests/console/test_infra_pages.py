"""The pages of infrastructure: what their forms do, what they say of each state, and what is never shown."""

from __future__ import annotations

import html
import re
import shlex
from dataclasses import replace
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console import infra_side as made_up
from console.infra_side import (
    BEGUN,
    DESTRUCTION,
    DONE,
    EDGE,
    FAILED,
    IDENTITY,
    LAB,
    LEDGER,
    LOOK,
    OLD_RUNNER,
    PLANNED,
    PLANNING,
    RUNNER,
    RUNS,
    WAITS,
    ZONE,
)
from console.portside import EVERYTHING, INFRA, Portside
from e2e.console.addresses import PAGES
from quarterdeck.cli.main import application
from quarterdeck.console.router import HANDLERS
from quarterdeck.console.state import tone
from quarterdeck.infra.runners import standing
from quarterdeck.infra.specs.statuses import STATUSES as SPEC_STATUSES
from quarterdeck.infra.work.transitions import STATUSES as JOB_STATUSES
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid

Client = TestClient[Litestar]
HERE = "/console/infra"
SPEC, LAB_PAGE, ZONE_PAGE = f"{HERE}/specs/{LEDGER}", f"{HERE}/specs/{LAB}", f"{HERE}/zones/{ZONE}"
PLAN, JOBS, STATE = f"{HERE}/plans/{PLANNED}", f"{HERE}/jobs", f"{SPEC}/state"
RUNNERS, CLOUDS = f"{HERE}/runners", f"{HERE}/clouds"
READS = {f"infra:{one}.view" for one in ("zones", "specs", "jobs", "states", "runners", "clouds")}
DEEDS: list[tuple[str, dict[str, str], tuple[Any, ...], str]] = [
    (f"{HERE}/zones/new", {"name": "bills", "description": "Money"}, ("create-zone", "bills", "Money"), ZONE_PAGE),
    (ZONE_PAGE, {"name": "bills", "description": ""}, ("change-zone", ZONE, {"name": "bills", "description": ""}),
     ZONE_PAGE),
    (f"{ZONE_PAGE}/policy", {"approvals": "2", "name": "x"}, ("change-zone", ZONE, {"approvals": "2"}), ZONE_PAGE),
    (f"{ZONE_PAGE}/delete", {"confirmation": "payments"}, ("delete-zone", ZONE, "payments"), f"{HERE}/zones"),
    (f"{SPEC}/plan", {"runner": RUNNER}, ("plan", LEDGER, RUNNER), f"{JOBS}/{PLANNING}"),
    (f"{SPEC}/drift", {}, ("look-for-drift", LEDGER), f"{JOBS}/{LOOK}"),
    (f"{SPEC}/destroy", {"confirmation": "ledger"}, ("destroy", LEDGER, "", "ledger"), f"{JOBS}/{DESTRUCTION}"),
    (f"{SPEC}/clone", {"name": "two", "stage": "staging", "zone": ""}, ("clone-spec", LEDGER, "two", "staging", ""),
     LAB_PAGE),
    (f"{SPEC}/delete", {"confirmation": "ledger", "force": "yes", "reason": "gone"},
     ("delete-spec", LEDGER, "ledger", True, "gone"), HERE),
    (f"{PLAN}/say", {"deed": "approve", "comment": "fine"}, ("say", PLANNED, True, "fine"), PLAN),
    (f"{PLAN}/say", {"deed": "refuse", "comment": "no"}, ("say", PLANNED, False, "no"), PLAN),
    (f"{PLAN}/apply", {"confirmation": "ledger", "runner": RUNNER}, ("apply", PLANNED, RUNNER, "ledger"),
     f"{JOBS}/{RUNS}"),
    (f"{JOBS}/{RUNS}/cancel", {"confirmation": "ledger"}, ("cancel-infra-job", RUNS, "", "ledger"), f"{JOBS}/{RUNS}"),
    (f"{JOBS}/{FAILED}/rerun", {}, ("rerun", FAILED), f"{JOBS}/{PLANNING}"),
    (f"{JOBS}/{WAITS}/pin", {"runner": RUNNER}, ("pin", WAITS, RUNNER), f"{JOBS}/{WAITS}"),
    (f"{STATE}/rollback", {"version": "2", "reason": "early", "confirmation": "ledger"},
     ("state-back", LEDGER, 2, "early", "ledger"), STATE),
    (f"{STATE}/unlock", {"reason": "it is gone", "lock": "l1"}, ("unlock-state", LEDGER, "it is gone", "l1"), STATE),
    (f"{RUNNERS}/{RUNNER}/drain", {"deed": "drain", "reason": "new disk"}, ("drain-runner", RUNNER, True, "new disk"),
     f"{RUNNERS}/{RUNNER}"),
    (f"{RUNNERS}/{RUNNER}/drain", {"deed": "undrain"}, ("drain-runner", RUNNER, False, ""), f"{RUNNERS}/{RUNNER}"),
    (f"{RUNNERS}/{RUNNER}/default", {}, ("choose-runner", RUNNER), f"{RUNNERS}/{RUNNER}"),
    (f"{RUNNERS}/{RUNNER}/update", {}, ("update-runner", RUNNER), f"{JOBS}/{RUNS}"),
    (f"{RUNNERS}/{RUNNER}/take-down", {"confirmation": "fra-1"}, ("take-down-runner", RUNNER, "fra-1"),
     f"{JOBS}/{RUNS}"),
    (f"{RUNNERS}/{OLD_RUNNER}/remove", {"confirmation": "hel-2"}, ("remove-runner", OLD_RUNNER, "hel-2"), RUNNERS),
    (f"{RUNNERS}/new", {"deed": "put-up", "name": "pool-1", "identity": IDENTITY, "region": "eu-west-1"},
     ("put-up-runner", "pool-1", IDENTITY, "eu-west-1"), f"{JOBS}/{RUNS}"),
    (CLOUDS, {"provider": "gcp", "name": "Data"}, ("begin-cloud", "gcp", "Data"), f"{CLOUDS}/{BEGUN}"),
    (f"{CLOUDS}/{IDENTITY}/connect", {"role_arn": "arn:aws:iam::1:role/x", "secret_key": "no"},
     ("connect-cloud", IDENTITY, {"role_arn": "arn:aws:iam::1:role/x"}), f"{JOBS}/{RUNS}"),
    (f"{CLOUDS}/{IDENTITY}/zones", {f"zone-{LEDGER}": "yes", "zone-other": "no"}, ("bind-cloud", IDENTITY, (LEDGER,)),
     f"{CLOUDS}/{IDENTITY}"),
    (f"{CLOUDS}/{IDENTITY}/refresh", {}, ("refresh-cloud", IDENTITY), f"{JOBS}/{RUNS}"),
    (f"{CLOUDS}/{IDENTITY}/disconnect", {"confirmation": "Billing account"},
     ("disconnect-cloud", IDENTITY, "Billing account"), CLOUDS),
]  # fmt: skip


@pytest.mark.parametrize(("path", "form", "deed", "leads"), DEEDS)
def test_a_form_does_its_deed_once_and_leads_to_where_it_is_seen(
    path: str, form: dict[str, str], deed: tuple[Any, ...], leads: str, client: Client, ports: Portside
) -> None:
    answer = client.post(path, data=form)
    assert (answer.status_code, answer.headers.get("location")) == (303, leads), answer.text
    assert ports.deeds == [deed]


@pytest.mark.parametrize(("path", "form"), [(path, form) for path, form, *_ in DEEDS])
@pytest.mark.parametrize("problem", [Invalid("No."), Conflict("No."), Forbidden("No.")], ids=lambda one: one.kind)
def test_what_is_refused_is_told_on_the_page_that_it_came_from(
    path: str, form: dict[str, str], problem: Exception, client: Client, ports: Portside
) -> None:
    ports.problem = problem
    answer = client.post(path, data=form)
    assert answer.status_code in {400, 403, 409}
    assert "<b>No.</b>" in answer.text
    assert "<h1" in answer.text
    assert ports.deeds == []


@pytest.mark.parametrize(
    "path",
    [f"{ZONE_PAGE}/delete", f"{SPEC}/destroy", f"{SPEC}/delete", f"{JOBS}/{RUNS}/cancel", f"{PLAN}/apply",
     f"{STATE}/rollback?to=2", f"{RUNNERS}/{OLD_RUNNER}/remove", f"{CLOUDS}/{IDENTITY}/disconnect"],
)  # fmt: skip
def test_what_is_lost_goes_only_by_its_name(path: str, client: Client, ports: Portside) -> None:
    page = client.get(path).text
    assert 'name="confirmation"' in page
    assert "data-must-equal=" in page
    assert ports.deeds == []


@pytest.mark.parametrize("status", JOB_STATUSES)
def test_a_job_shows_its_state_in_our_words(status: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    state = ("infra-job", status.lower(), None)
    monkeypatch.setitem(made_up.JOBS, RUNS, replace(made_up.JOBS[RUNS], state=state))
    page = client.get(f"{JOBS}/{RUNS}").text
    assert tone(*state).word in page
    live = status in {"QUEUED", "CLAIMED", "PROCESSING"}
    assert (f"topics=infra-job%3A{RUNS}%2Clog%3Ainfra-job%3A{RUNS}" in page) is live
    assert (f'href="{JOBS}/{RUNS}/cancel"' in page) is live


@pytest.mark.parametrize("status", SPEC_STATUSES)
def test_a_specification_shows_its_state_in_our_words(
    status: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = ("specification", status.lower(), None)
    monkeypatch.setitem(made_up.ROWS, LEDGER, replace(made_up.LEDGER_ROW, state=state))
    assert tone(*state).word in client.get(SPEC).text
    assert tone(*state).word in client.get(HERE).text


def test_every_state_of_a_runner_has_a_tone() -> None:
    for status in ("ONLINE", "OFFLINE", "DRAINING"):
        assert tone("runner", status.lower()).word
    assert standing.SILENT


def test_a_plan_stands_with_what_is_riskiest_first_and_open(client: Client) -> None:
    page = client.get(PLAN).text
    headings = re.findall(r'<h3 id="g-([a-z]+)">', page)
    assert headings == ["delete", "replace", "drift", "update", "create"]
    assert re.findall(r"<b>([^<]+)</b>(destroy|replace|change|create)", page) == [
        ("\N{MINUS SIGN}1", "destroy"), ("±1", "replace"), ("~1", "change"), ("+2", "create")
    ]  # fmt: skip
    for action in ("delete", "replace"):
        group = page.split(f'id="g-{action}"')[1].split("</section>")[0]
        assert '<details class="fold" open>' in group
    assert '<details class="fold" open>' not in page.split('id="g-update"')[1].split("</section>")[0]
    assert "341 resources unchanged, 1 resource changed by somebody else" in page
    assert "and 1 resource more, which the log names" in page
    assert "Not all of its values are told." in page


def test_what_is_sensitive_only_says_that_it_changes_and_text_of_others_is_no_markup(client: Client) -> None:
    page = client.get(PLAN).text
    assert "(sensitive)" in page
    assert "(sensitive, changes)" in page
    assert "****" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "Looks &lt;i&gt;right&lt;/i&gt;." in page
    spec = client.get(SPEC).text
    assert '<dt><code>password</code></dt><dd><span class="dim">(sensitive)</span></dd>' in spec


def test_a_plan_says_who_agrees_and_why_it_cannot_be_applied(client: Client, ports: Portside) -> None:
    page = client.get(PLAN).text
    assert "Needs 1 more approval" in page
    assert "asked, so may not agree" in page
    assert "1 more person has to agree to the plan: 1 of 2 have." in page
    assert 'aria-disabled="true" aria-describedby="apply-why"' in page
    assert 'name="seen" value="yes" required' in page
    ports.permissions = EVERYTHING - {"infra:plans.approve"}
    good = client.get(f"{HERE}/plans/{DONE}").text
    assert f'action="{HERE}/plans/{DONE}/apply"' in good
    assert "I have read" not in good


def test_a_destruction_lists_what_it_takes_away(client: Client, ports: Portside) -> None:
    page = client.get(f"{HERE}/plans/{DESTRUCTION}").text
    held = ("aws_db_instance.ledger", "module.disks.aws_ebs_volume.exports[0]")
    for part in ("3 resources", *held, "and 1 resource more"):
        assert part in page
    assert "The state has moved on" not in page
    made_up.PLANS[DESTRUCTION], before = (
        replace(made_up.PLANS[DESTRUCTION], moved=True, agreement=replace(made_up.ASKS, why_not="")),
        made_up.PLANS[DESTRUCTION],
    )
    try:
        page = client.get(f"{HERE}/plans/{DESTRUCTION}").text
    finally:
        made_up.PLANS[DESTRUCTION] = before
    assert "The state has moved on since this was asked for." in page
    assert 'name="seen" value="yes" required' in page, "whoever agrees says that they have read it"


def test_what_a_plan_destroys_is_named_before_its_name_is_typed(client: Client) -> None:
    page = client.get(f"{HERE}/plans/{FAILED}/apply?runner={RUNNER}").text
    assert "2 resources will be destroyed, with what is in them." in page
    assert "aws_ebs_volume.exports (destroyed)" in page
    assert "aws_db_subnet_group.ledger (destroyed and created again)" in page
    assert 'data-must-equal="ledger"' in page
    assert f'name="runner" value="{RUNNER}"' in page
    assert "qd apply ledger --plan-job-id" in page
    harmless = client.get(f"{HERE}/plans/{DONE}/apply").text
    assert "data-must-equal" not in harmless


def test_a_destruction_that_waits_says_what_it_would_do_and_who_may_agree(client: Client) -> None:
    page = client.get(f"{HERE}/plans/{DESTRUCTION}").text
    assert "Everything that the state knows is destroyed." in page
    assert "You have asked for it, so others have to agree." in page
    assert 'value="approve"' not in page


def test_a_job_says_where_it_waits_and_another_runner_can_be_chosen(client: Client) -> None:
    page = client.get(f"{JOBS}/{WAITS}").text
    assert "It is for the runner hel-2 alone, which is offline." in page
    assert f'<option value="{OLD_RUNNER}" selected>' in page
    assert f'href="{JOBS}/{RUNS}">See what goes first' in page
    assert f'action="{JOBS}/{RUNS}/pin"' not in client.get(f"{JOBS}/{RUNS}").text


def test_a_failure_says_what_may_be_left_over(client: Client) -> None:
    page = client.get(f"{JOBS}/{FAILED}").text
    assert "fra-1 vanished while it applied." in page
    assert "Look before the next apply." in page
    assert 'role="alert"' in page
    orphans = client.get(f"{HERE}/specs/{EDGE}").text
    assert "Something may be left over that no state knows." in orphans


def test_the_whole_log_of_a_job_is_plain_text(client: Client) -> None:
    raw = client.get(f"{JOBS}/{RUNS}/log")
    assert raw.headers["content-type"].startswith("text/plain")
    assert "install: pnpm install" in raw.text


def test_filters_and_pages_are_kept_in_the_address(client: Client) -> None:
    page = client.get(f"{HERE}?q=led&status=active&zone={ZONE}&stage=production").text
    assert 'value="led"' in page
    assert '<option value="active" selected>' in page
    assert f'<option value="{ZONE}" selected>payments' in page
    assert f"before={LAB}" in html.unescape(re.findall(r'rel="next" href="([^"]+)"', page)[0])
    assert "q=led" in page
    assert "topics=" not in page, "a narrowed list does not move"
    assert "topics=infra" in client.get(HERE).text
    first = client.get(JOBS).text
    assert f'rel="next" href="{JOBS}?from=30"' in first
    last = html.unescape(client.get(f"{JOBS}?from=60&status=failed&mine=yes").text)
    assert f'rel="prev" href="{JOBS}?status=failed&mine=yes&from=30"' in last
    assert 'rel="next"' not in last
    assert client.get(f"{JOBS}?from=-1&status=odd&type=odd").status_code == 200


ROUTES = [
    (method, re.compile("/console" + re.sub(r"\{[^}]+\}", "[^/]+", path)), handler.opt["permission"])
    for handler in HANDLERS
    for path in handler.paths
    for method in handler.http_methods
]


def asked_by(method: str, address: str) -> str:
    """The permission of the route that an address leads to; the first that fits, as the more particular ones stand
    first.
    """
    path = html.unescape(address).partition("?")[0].partition("#")[0].rstrip("/")
    return next(permission for verb, form, permission in ROUTES if verb == method and form.fullmatch(path))


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("infra")])
def test_what_somebody_may_not_do_is_not_offered(name: str, client: Client, ports: Portside) -> None:
    """Every link and form of a page leads where its reader may go."""
    if asked_by("GET", PAGES[name]) not in READS:
        return
    ports.permissions = EVERYTHING - set(INFRA) | READS
    page = client.get(PAGES[name]).text
    main = page.partition("<main")[2].partition("</main>")[0]
    links = re.findall(r'href="(/console/infra[^"]*)"', main)
    forms = re.findall(r'<form[^>]*method="post"[^>]*action="(/console/infra[^"]*)"', main)
    forms += re.findall(r'<form[^>]*action="(/console/infra[^"]*)"[^>]*method="post"', main)
    beyond = {one for one in links if asked_by("GET", one) not in READS}
    beyond |= {one for one in forms if asked_by("POST", one) not in READS}
    assert beyond == set()


def test_nobody_reads_values_of_a_state_by_an_address(client: Client, ports: Portside) -> None:
    ports.permissions = EVERYTHING - {"infra:states.read"}
    assert "ledger-prod" not in client.get(f"{STATE}/diff?from=1&to=2&values=yes").text
    assert ports.deeds == []


def test_values_of_states_are_shown_to_those_alone_who_ask_and_may(client: Client, ports: Portside) -> None:
    plain = client.get(f"{STATE}/diff?from=1&to=2").text
    assert "subnet_ids" in plain
    assert "ledger-prod" not in plain
    assert ports.deeds == []
    shown = client.get(f"{STATE}/diff?from=1&to=2&values=yes").text
    assert "ledger-prod" in shown
    assert ports.deeds == [("values", LEDGER)]


def test_a_state_is_downloaded_under_its_name_and_nothing_keeps_it(client: Client, ports: Portside) -> None:
    answer = client.get(f"{STATE}/versions/3")
    assert answer.headers["content-disposition"] == 'attachment; filename="version-3.tfstate"'
    assert answer.headers["cache-control"] == "no-store"
    client.get(f"{STATE}/versions/current")
    assert ports.deeds == [("read-state", LEDGER, 3), ("read-state", LEDGER, None)]
    assert client.get(f"{STATE}/versions/x").status_code == 404


def test_the_token_of_a_runner_is_shown_once(client: Client, ports: Portside) -> None:
    made = client.post(f"{RUNNERS}/new", data={"deed": "register", "name": "rack-7", "identity": ""})
    assert made.status_code == 200
    assert "9c" * 32 in made.text
    assert RUNNER in made.text
    minted = client.post(f"{RUNNERS}/new", data={"deed": "enrol", "label": "rack-8", "hours": "24"}).text
    assert "qd_enr_5f3759df" in minted
    line = "qd runner start --server http://deck.example --token @runner.token"
    assert line in minted
    application("runner").parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)
    assert ports.deeds == [("register-runner", "rack-7", ""), ("mint-runner-token", "rack-8", 24)]
    assert "9c9c" not in client.get(f"{RUNNERS}/new").text


def test_what_is_not_there_is_a_page_that_says_so(client: Client) -> None:
    for path in (f"{HERE}/specs/x", f"{HERE}/zones/x", f"{JOBS}/x", f"{HERE}/plans/x", f"{RUNNERS}/x", f"{CLOUDS}/x"):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "Look at the list." in answer.text


def test_an_empty_installation_says_how_to_begin(client: Client, ports: Portside) -> None:
    ports.empty = True
    for path, line in (("", "qd spec create"), ("/zones", "qd zone create"), ("/runners", "qd runner enrol")):
        page = client.get(HERE + path).text
        assert line in page
        assert 'class="empty"' in page


def test_what_forces_a_replacement_and_why_stands_at_the_change(client: Client) -> None:
    text = client.get(PLAN).text
    assert (
        "What changes of it cannot be changed in place. Forced by <code>name</code>, <code>tags.&lt;b&gt;</code>."
        in text
    )
    assert "The configuration declares it no more." in text
    forced = [row for row in re.findall(r'<tr><th scope="row">.*?</tr>', text) if "forces replacement" in row]
    assert [re.findall(r'row">(.*?)<', row)[0] for row in forced] == ["name"]


def test_looks_that_fail_are_shown_with_why(client: Client) -> None:
    text = client.get(LAB_PAGE).text
    assert "Looks fail" in text
    assert "no &lt;network&gt;" in text
    assert f'href="{JOBS}/{LOOK}">See the last look.' in text
    assert "Looks fail" not in client.get(SPEC).text


def test_a_job_that_has_ended_takes_back_its_choice_and_says_when(client: Client, ports: Portside) -> None:
    """What stands on an open page is drawn anew, piece by piece, each under the address of its box."""
    for uid in (WAITS, DONE):
        page = client.get(f"{JOBS}/{uid}").text
        assert re.findall(r'id="(infra-job-\w+)"', page) == [
            "infra-job-head", "infra-job-state", "infra-job-pin", "infra-job-facts"
        ]  # fmt: skip
        assert ("Choose runner" in page) == (uid == WAITS)


def test_a_look_for_drift_says_what_it_found_and_offers_no_plan(client: Client) -> None:
    page = client.get(f"{JOBS}/{LOOK}").text
    assert "It has found drift: 1 resource changed by somebody else." in page
    assert f'href="{SPEC}#drift"' in page
    assert "Review the plan" not in page


def test_a_specification_leads_to_its_newest_plan_and_warns_of_its_end_only_there(client: Client) -> None:
    page = client.get(SPEC).text
    assert re.search(r"−</span> 1 destroy.*\+</span> 2 create", page)  # noqa: RUF001 - the minus is the sign
    assert f'<a class="btn main" href="{PLAN}">Review and apply</a>' in page
    assert "Its state holds 12 resources" not in page
    assert "Its state holds 12 resources" in client.get(f"{SPEC}/delete").text
    assert "Review and apply" not in client.get(f"{HERE}/specs/{EDGE}").text
    assert "Newest plan" not in client.get(LAB_PAGE).text


def test_a_destruction_that_waits_to_be_allowed_is_not_one_that_goes_on() -> None:
    shown = tone("specification", "destroying", "approval")
    assert (shown.tone, shown.word) == ("ask", "Destruction waits for approval")
    assert tone("specification", "destroying").tone == "run"


def test_the_last_two_versions_are_chosen_and_the_first_is_compared_with_none(client: Client) -> None:
    page = client.get(f"{SPEC}/versions").text
    assert re.findall(r'<option value="(\d)" selected>', page) == ["3", "4"]
    assert "versions?from=1&amp;to=1" not in page
    assert "versions?from=1&amp;to=2" in page
    compared = client.get(f"{SPEC}/versions?from=1&to=3").text
    assert re.findall(r'<option value="(\d)" selected>', compared) == ["1", "3"]


def test_jobs_are_told_apart_by_the_end_of_their_ids(client: Client) -> None:
    shown = re.findall(r'<code class="faint">([^<]+)</code>', client.get(JOBS).text)
    assert len(set(shown)) == len(shown) > 1


def test_releases_of_the_runner_are_listed_with_what_is_new(client: Client) -> None:
    page = client.get(RUNNERS).text
    assert "Releases of the runner" in page
    assert 'href="https://git.example/deck/0.4.0"' in page
    assert "Faster &lt;b&gt;plans&lt;/b&gt;." in page
    assert '<span class="tag">breaking</span>' in page


def test_going_back_names_what_the_state_forgets(client: Client) -> None:
    page = html.unescape(client.get(f"{STATE}/rollback?to=2").text)
    assert "1 resource forgotten, not removed: aws_eip.nat." in page
    assert "2 resources as then: aws_db_subnet_group.ledger, aws_db_instance.ledger." in page


def test_a_number_of_resources_has_its_word_where_the_heading_is_hidden(client: Client) -> None:
    assert '12<span class="only-narrow"> resources</span>' in client.get(STATE).text
