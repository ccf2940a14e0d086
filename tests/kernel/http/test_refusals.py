"""Every surface says no in its own words, whoever says it."""

from __future__ import annotations

import pytest
from litestar.testing import TestClient

from kernel.http.frame import SURFACES, application
from quarterdeck.kernel.http.endpoint import EXPLAINED
from quarterdeck.kernel.http.guard import OF_STRANGERS

TOKEN = {"authorization": "Bearer good"}


@pytest.fixture(scope="module")
def client():
    with TestClient(application(), raise_server_exceptions=False) as opened:
        yield opened


def deploy_error(answer) -> dict:
    body = answer.json()
    assert body["defined"] is False
    assert body["status"] == answer.status_code
    assert set(body["error"]) >= {"code", "category", "message", "retryable"}
    return body


def test_deploy_answers_with_both_documented_envelopes_at_once(client) -> None:
    body = deploy_error(client.post("/deploy/things", headers=TOKEN, json={"fullName": "taken"}))
    assert (body["code"], body["status"]) == ("CONFLICT", 409)
    assert body["data"]["domainCode"] == body["error"]["code"] == "thing_slug_conflict"
    assert body["error"]["details"] == {"hint": "Choose another."}


def test_all_issues_of_a_body_are_told_with_their_paths(client) -> None:
    wrong = {"fullName": 3, "items": [{"portNumber": 1}, {"portNumber": "x"}], "inner": {}}
    body = deploy_error(client.post("/deploy/things", headers=TOKEN, json=wrong))
    assert body["message"] == "Input validation failed"
    assert "domainCode" not in body["data"]
    paths = [issue["path"] for issue in body["data"]["issues"]]
    assert paths == [["fullName"], ["items", 1, "portNumber"], ["inner", "portNumber"]]


def test_a_query_error_names_the_wire_parameter(client) -> None:
    body = deploy_error(client.get("/deploy/things?pageSize=many&archived=perhaps", headers=TOKEN))
    assert [issue["path"] for issue in body["data"]["issues"]] == [["pageSize"], ["archived"]]


@pytest.mark.parametrize(
    ("surface", "status", "body"),
    [
        ("tasks", 400, {"statusCode": 400, "message": ["fullName: Required"], "error": "Bad Request"}),
        ("infra", 400, {"error": "fullName: Required", "code": "validation_error"}),
        ("broker", 400, {"error": "fullName: Required"}),
        (
            "runbooks",
            422,
            {"detail": [{"type": "invalid_type", "loc": ["body", "fullName"], "msg": "Required", "input": None}]},
        ),
    ],
)
def test_a_body_of_the_wrong_shape_is_told_in_each_dialect(client, surface, status, body) -> None:
    answer = client.post(f"/{surface}/things", headers=TOKEN, json={})
    assert answer.status_code == status
    assert answer.json().items() >= body.items()


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/things", 405), ("DELETE", "/things/1", 403)]
)
def test_the_frames_own_refusals_speak_the_dialect_of_the_address(client, surface, method, path, status) -> None:
    answer = client.request(method, f"/{surface}{path}", headers=TOKEN)
    assert answer.status_code == status
    key = {"deploy": "defined", "tasks": "statusCode", "runbooks": "detail"}.get(surface, "error")
    assert key in answer.json()
    assert ("allow" in answer.headers) == (status == 405)


def test_infrastructure_tells_its_code_and_what_to_do_beside_the_sentence_that_programs_print(client) -> None:
    answer = client.post("/infra/things", headers=TOKEN, json={"fullName": "taken"})
    said = {"error": "That name is taken.", "code": "thing_slug_conflict", "hint": "Choose another."}
    assert (answer.status_code, answer.json()) == (409, said)
    defect = client.post("/infra/things", headers=TOKEN, json={"fullName": "defect"})
    assert defect.json().keys() == {"error", "code"}
    assert defect.headers["x-request-id"] in defect.json()["error"]


@pytest.mark.parametrize("surface", SURFACES)
def test_a_defect_tells_the_request_id_and_nothing_else(client, surface) -> None:
    answer = client.post(f"/{surface}/things", headers=TOKEN, json={"fullName": "defect"})
    assert answer.status_code == 500
    request_id = answer.headers["x-request-id"]
    assert request_id.startswith("req_")
    assert "secret-in-the-message" not in answer.text
    if surface == "broker":
        assert answer.json() == {"error": "internal server error", "correlation_id": request_id}


def test_the_broker_never_tells_the_cause_of_a_5xx(client) -> None:
    answer = client.post("/broker/things", headers=TOKEN, json={"fullName": "down"})
    assert (answer.status_code, answer.json()["error"]) == (502, "internal server error")


@pytest.mark.parametrize("content", [b"{", b"[1,", b'{"fullName": "\\u0000"}', b"\xff"])
def test_unreadable_json_is_a_400(client, content) -> None:
    headers = TOKEN | {"content-type": "application/json"}
    assert client.post("/deploy/things", headers=headers, content=content).status_code == 400


def test_a_body_that_does_not_say_it_is_json_is_refused(client) -> None:
    answer = client.post("/deploy/things", headers=TOKEN | {"content-type": "text/plain"}, content=b"{}")
    assert answer.status_code == 415


def test_an_empty_body_and_null_count_as_an_object_without_fields(client) -> None:
    for content in (b"", b"null"):
        headers = TOKEN | {"content-type": "application/json"}
        answer = client.post("/deploy/things", headers=headers, content=content)
        assert [issue["path"] for issue in answer.json()["data"]["issues"]] == [["fullName"]]


def test_a_path_with_a_nul_character_is_nowhere(client) -> None:
    assert deploy_error(client.get("/deploy/things/%00", headers=TOKEN))["status"] == 404


def test_a_body_above_the_limit_is_a_413(client) -> None:
    assert client.post("/deploy/raw", content=b"x" * 10).json() == {"length": 10}
    assert deploy_error(client.post("/deploy/raw", content=b"x" * 11))["code"] == "PAYLOAD_TOO_LARGE"


def test_somebody_unknown_may_send_little(client) -> None:
    def twice():
        yield b"x" * OF_STRANGERS
        yield b"x"

    for path, kind in (("/shared/knock", "application/json"), ("/deploy/knock", "application/x-www-form-urlencoded")):
        sent = {"headers": {"content-type": kind}}
        for content in (b"x" * (OF_STRANGERS + 1), twice()):
            assert client.post(path, content=content, **sent).status_code == 413
    answer = client.post("/shared/knock", headers={"content-type": "application/json"}, content=b" " * OF_STRANGERS)
    assert answer.status_code == 400
    assert client.post("/deploy/things", headers=TOKEN, json={"fullName": "x" * 100_000}).status_code == 201


def test_a_long_body_is_told_its_first_mistake_only(client) -> None:
    wrong = {"fullName": 1, "items": 2}
    for padding, told in (("", [["fullName"], ["items"]]), ("x" * EXPLAINED, [["fullName"]])):
        answer = client.post("/deploy/things", headers=TOKEN, json={**wrong, "padding": padding})
        assert [issue["path"] for issue in answer.json()["data"]["issues"]] == told


def test_a_shared_route_answers_429_with_the_keys_of_both_surfaces() -> None:
    with TestClient(application()) as client:
        answers = [client.post("/shared/login") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[0].headers["x-extra"] == "yes"
    assert answers[2].headers["retry-after"] == "30"
    assert set(answers[2].json()) == {"detail", "statusCode", "message", "error", "code"}


def test_a_text_that_is_not_utf8_is_refused(client) -> None:
    headers = TOKEN | {"content-type": "application/json"}
    body = deploy_error(client.post("/deploy/things", headers=headers, content=b'{"fullName": "a\xff"}'))
    assert (body["status"], body["data"]["issues"][0]["code"]) == (400, "invalid_json")
