"""The editor of a specification: what is typed comes back as the document, whole, with what is wrong at its field."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console.infra_side import LAB, LEDGER, ZONE
from console.portside import Portside
from quarterdeck.console.pages import infra_spec_forms as forms
from quarterdeck.console.views.infra import FieldError, SpecChoices
from quarterdeck.infra.specs.document import SCHEMA, Known, examined, refused
from quarterdeck.infra.specs.fields import Report, Wrong
from quarterdeck.kernel.errors import Conflict

Client = TestClient[Litestar]
NEW, EDIT = "/console/infra/specs/new", f"/console/infra/specs/{LEDGER}/edit"
CHOICES = SpecChoices(((ZONE, "payments"),), (), SCHEMA)
WHOLE: dict[str, Any] = {
    "project_name": "ledger", "environment_stage": "production", "region": "eu-west-1", "provider": "aws",
    "terraform_version": "1.11.4",
    "network": {"cidr_block": "10.20.0.0/16", "single_nat_gateway": False, "allowed_cidr_blocks": ["10.0.0.0/8"],
                "provider_config": {"flow_logs": True}},
    "cluster": {"instance_types": ["t3.large", "t3.xlarge"], "node_min_size": 2, "node_max_size": 6,
                "cluster_admins": [{"username": "ops", "groups": ["system:masters"]}]},
    "dns": {"enabled": True, "domain_name": "ledger.example.net", "zone_id": "Z123"},
    "repositories": {"apps_destination_repo": "https://git.example.net/acme/apps"},
    "databases": [{"name": "main", "engine": "aurora-mysql", "min_capacity": 0.5, "iam_auth": True}],
    "caches": [{"name": "hot", "multi_az": True}], "queues": [{"name": "orders", "fifo": True}],
    "topics": [{"name": "news", "subscriptions": [{"protocol": "https", "endpoint": "https://hook.example"}]}],
    "nosql_tables": [{"name": "carts", "hash_key": "id", "range_key": "at"}],
    "secrets": [{"name": "app/key", "special_chars": False}], "container_registries": [{"name": "web"}],
    "storage_buckets": [{"name": "files", "cors_origins": ["https://app.example"]}],
}  # fmt: skip


def canonical(raw: dict[str, Any]) -> dict[str, Any]:
    report = Report()
    found = examined(raw, Known(), report)
    assert found is not None, report.wrong
    return found.document


def posted(document: dict[str, Any], **wrong: str) -> dict[str, str]:
    """What a browser would post of the form of a document."""
    made, _ = forms.sections(document, CHOICES)
    fields = [one for section in made for one in (*section.fields, *(f for e in section.entries for f in e.fields))]
    return {one.name: one.value for one in fields if one.kind != "check" or one.value == "yes"} | wrong


def test_the_form_of_a_document_says_exactly_that_document() -> None:
    document = canonical(WHOLE)
    again = canonical(forms.typed(posted(document), SCHEMA))
    assert again == document


def test_every_field_of_a_document_stands_in_the_form() -> None:
    document = canonical(WHOLE)
    made, _ = forms.sections(document, CHOICES)
    shown = {one.name for section in made for one in (*section.fields, *(f for e in section.entries for f in e.fields))}
    for name, value in document.items():
        if isinstance(value, dict) and name != "variables":
            assert {f"{name}.{key}" for key in value if (name, key) != ("module", "name")} <= shown
        elif isinstance(value, list):
            assert {f"{name}[0].{key}" for key in value[0]} <= shown
        else:
            assert name in shown


def test_what_should_be_a_number_or_json_and_is_none_is_told_at_its_field_and_kept() -> None:
    form = posted(
        canonical(WHOLE),
        **{"cluster.node_min_size": "two", "cluster.cluster_admins": "[oops", "databases[0].min_capacity": "much"},
    )
    document = forms.typed(form, SCHEMA)
    report = Report()
    assert examined(document, Known(), report) is None
    wrong = [FieldError(*one) for one in report.wrong]
    assert {one.field for one in wrong} == {
        "cluster.node_min_size", "cluster.cluster_admins", "databases[0].min_capacity"
    }  # fmt: skip
    made, left = forms.sections(document, CHOICES, wrong)
    told = {one.name: (one.value, one.error) for section in made for one in section.fields if one.error}
    assert told["cluster.node_min_size"][0] == "two"
    assert told["cluster.cluster_admins"][0] == "[oops"
    assert left == ()
    assert next(section for section in made if section.key == "cluster").open


def test_what_no_field_shows_is_told_above_and_what_is_inside_of_one_at_it() -> None:
    wrong = (FieldError("nowhere", "there is no such field."), FieldError("cluster.cluster_admins[0].groups", "bad."))
    made, left = forms.sections(canonical(WHOLE), CHOICES, wrong)
    assert [one.field for one in left] == ["nowhere"]
    (admins,) = [f for s in made for f in s.fields if f.name == "cluster.cluster_admins"]
    assert admins.error == "[0].groups: bad."


@pytest.mark.parametrize("deed", ["", "save", "add-", "add-nothing", "remove-caches-9", "remove-databases-x", "up-1"])
def test_other_deeds_arrange_nothing(deed: str) -> None:
    assert forms.arranged({"databases": [{"name": "main"}]}, deed) is None


def test_things_are_added_and_taken_away_without_keeping_anything(client: Client, ports: Portside) -> None:
    form = posted(canonical(WHOLE))
    more = client.post(NEW, data={**form, "deed": "add-databases"}).text
    assert 'name="databases[1].name"' in more
    assert re.search(r'name="databases\[1\]\.name"[^>]* autofocus=""', more)
    assert 'value="main"' in more
    less = client.post(NEW, data={**form, "deed": "remove-databases-0"}).text
    assert 'name="databases[0].name"' not in less
    assert 'name="queues[0].name"' in less
    assert ports.deeds == []


def test_form_and_text_are_the_same_document(client: Client, ports: Portside) -> None:
    form = posted(canonical(WHOLE))
    page = client.post(NEW, data={**form, "deed": "as-yaml"}).text
    text = html.unescape(re.findall(r"<textarea[^>]*name=\"content\"[^>]*>(.*?)</textarea>", page, re.DOTALL)[0])
    assert "project_name: ledger" in text
    back = client.post(NEW, data={"content": text, "deed": "as-form", "version": "0"}).text
    assert 'name="databases[0].name"' in back
    assert 'value="mysql" selected' in back
    assert 'value="aurora-mysql"' not in back, "what else it is called is no other choice"
    saved = client.post(NEW, data={"content": text, "deed": "save", "version": "0", "comment": "Begin"})
    assert saved.headers["location"] == f"/console/infra/specs/{LAB}"
    ((word, uid, document),) = ports.deeds
    assert (word, uid, document.pop("comment")) == ("save-spec", "", "Begin")
    assert canonical(document) == canonical(WHOLE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1, 2", "cannot be read, line"),
        ("- a\n- b", "it is no list of fields"),
        ("a: &x 1\nb: *x", "an anchor or an alias"),
        ("a: 1\na: 2", "line 2: a stands there twice"),
        ("a: !!python/object:os.system x", "cannot be read"),
        ("? [1, 2]\n: x", "has no name"),
        ("a: .nan", "what JSON does not have"),
        ("[" * 400 + "]" * 400, "cannot be read"),
        ("a: " + "x" * (1 << 20), "longer than 1024 KiB"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_read_is_told_with_its_place_and_kept(
    text: str, told: str, client: Client, ports: Portside
) -> None:
    answer = client.post(NEW, data={"content": text, "deed": "save", "version": "0"})
    assert answer.status_code == 400
    page = html.unescape(answer.text)
    assert told in page
    assert text[:200] in page
    assert ports.deeds == []


def test_every_wrong_field_of_a_text_is_told_with_its_line(client: Client, ports: Portside) -> None:
    ports.problem = refused([Wrong("databases[0].port", "it is a whole number from 1 to 65535."),
                             Wrong("region", "it is required.")])  # fmt: skip
    text = "project_name: ledger\ndatabases:\n- name: main\n  port: 0\n"
    page = client.post(NEW, data={"content": text, "deed": "save", "version": "0"})
    assert page.status_code == 400
    assert re.search(r"<code class=\"value\">databases\[0\]\.port</code> <span[^>]*>line 4</span>", page.text)
    assert "2 fields are wrong." in page.text
    assert "Nothing was saved." in page.text


def test_every_wrong_field_of_a_form_is_told_at_it_and_what_was_typed_is_kept(client: Client, ports: Portside) -> None:
    ports.problem = refused([Wrong("project_name", "it is taken."), Wrong("databases[0].name", "it is odd.")])
    form = posted(canonical(WHOLE), **{"databases[0].name": "mäin"})
    answer = client.post(NEW, data={**form, "deed": "save"})
    assert answer.status_code == 400
    page = html.unescape(answer.text)
    assert 'aria-describedby="f-databases[0].name-e' in page
    assert "It is odd." in page
    assert "It is taken." in page
    assert 'value="mäin"' in page


def test_a_document_is_checked_without_keeping_it(client: Client, ports: Portside) -> None:
    good = client.post(NEW, data={**posted(canonical(WHOLE)), "deed": "check"})
    assert "The document is good." in good.text
    bad = client.post(NEW, data={**posted(canonical(WHOLE), region="nowhere"), "deed": "check"})
    assert "1 field is wrong." in bad.text
    assert "nowhere is no region of aws" in html.unescape(bad.text)
    assert ports.deeds == []


def test_after_a_conflict_both_are_shown_and_saving_again_keeps_mine(client: Client, ports: Portside) -> None:
    ports.problem = Conflict("ledger was changed meanwhile.", code="spec_changed")
    form = posted({**ports.document, "zone_id": ZONE, "drift_minutes": 60}, **{"databases[0].port": "6000"})
    answer = client.post(EDIT, data={**form, "deed": "save", "version": "3"})
    assert answer.status_code == 409
    page = html.unescape(answer.text)
    assert "Somebody saved other values while this form was open." in page
    row = re.findall(r"<dt>([^<]+)</dt><dd>saved: <code>([^<]*)</code><br>yours: <code>([^<]*)</code>", page)
    assert row == [("databases[0].port", "5432", "6000")]
    assert '<input type="hidden" name="version" value="4">' in page
    again = client.post(EDIT, data={**form, "deed": "save", "version": "4"})
    assert again.status_code == 303
    assert ports.deeds[0][2]["version"] == 4
    assert ports.deeds[0][2]["databases"][0]["port"] == 6000


def test_a_token_is_never_shown_again(client: Client, ports: Portside) -> None:
    form = {**posted(dict(ports.document)), "module_token": "glpat-s3cret", "deed": "add-queues"}
    page = client.post(EDIT, data=form).text
    assert "glpat-s3cret" not in page
    assert "glpat-s3cret" not in client.post(EDIT, data={**form, "deed": "as-yaml"}).text
    client.post(EDIT, data={**form, "deed": "save"})
    assert ports.deeds[0][2]["module_token"] == "glpat-s3cret"
    assert "glpat-s3cret" not in json.dumps(dict(ports.document))


def test_what_is_open_stays_open_when_the_form_is_drawn_anew(client: Client, ports: Portside) -> None:
    form = posted(canonical(WHOLE))
    opened = re.compile(r'<details class="card more" open><input type="hidden" name="open.(\w+)" value="yes">')
    for deed in ("add-queues", "remove-databases-0", "check"):
        page = client.post(NEW, data={**form, "open.network": "yes", "open.dns": "", "deed": deed}).text
        assert "network" in opened.findall(page), deed
        assert "dns" not in opened.findall(page), deed
    assert "network" not in opened.findall(client.post(NEW, data={**form, "deed": "add-queues"}).text)
    assert ports.deeds == []


def test_a_wrong_name_hides_no_region_that_is_missing(client: Client) -> None:
    text = "project_name: no name!\nprovider: aws\n"
    page = html.unescape(client.post(NEW, data={"content": text, "version": "0", "deed": "check"}).text)
    assert "2 fields are wrong." in page
    assert "it is required, such as eu-west-1." in page


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, {"project_name", "region"}),
        ({"provider": "gcp"}, {"project_name", "region"}),
        ({"provider": "local"}, {"project_name"}),
        ({"module": {"kind": "bundled", "name": "local"}}, {"project_name"}),
        ({"provider": "nosuch"}, {"project_name", "provider"}),
        ({"region": 7}, {"project_name", "region"}),
    ],
)
def test_a_region_is_missed_beside_other_mistakes_only_where_it_is_needed(more: dict[str, Any], told: set[str]) -> None:
    report = Report()
    assert examined({"project_name": "no name!", **more}, Known(), report) is None
    assert {one.field for one in report.wrong} == told


def test_a_second_one_of_a_name_is_made_only_on_purpose(
    client: Client, ports: Portside, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    async def save(who: object, uid: str, document: object, *, again: bool = False) -> str:
        asked.append(again)
        if not again:
            raise Conflict("payments has a development first already.", code="spec_exists", hint="Change that one.")
        return LAB

    monkeypatch.setattr(ports, "save_infra_spec", save)
    form = {**posted(canonical(WHOLE)), "deed": "save"}
    refused = client.post(NEW, data=form)
    assert refused.status_code == 409
    assert "payments has a development first already." in refused.text
    assert re.search(r'<input[^>]*name="again"', refused.text)
    assert 'value="main"' in refused.text
    assert 'name="again"' not in client.get(NEW).text
    made = client.post(NEW, data={**form, "again": "yes"}, follow_redirects=False)
    assert made.headers["location"] == f"/console/infra/specs/{LAB}"
    assert asked == [False, True]
