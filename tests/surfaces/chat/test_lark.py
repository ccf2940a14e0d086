"""Lark: token, encryption, signature, deliveries and cards."""

from __future__ import annotations

import base64
import hashlib
import json
import time

from fakes.chat import lark as lark_api
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify.bots.bots import Login
from quarterdeck.surfaces.chat.lark import opened
from support.chats import ENCRYPT, LARK_SECRET, VERIFICATION, Larker, encrypted, lark_headers, quiet


def login(key):
    return Login(1, 1, "lark", "cli_1", "https://x", True, Secret("s"), Secret("t"), Secret(key))


def test_what_lark_encrypts_is_opened_as_its_page_shows():
    """The worked example of the page about encrypt keys: `hello world` under `test key`, here inside an object."""
    sealed = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="
    assert opened(login("test key"), sealed) is None  # a text, and no object
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    data = base64.b64decode(sealed)
    key = hashlib.sha256(b"test key").digest()
    plain = Cipher(algorithms.AES(key), modes.CBC(data[:16])).decryptor().update(data[16:])
    assert plain[: -plain[-1]] == b"hello world"
    body = json.loads(encrypted({"a": 1}, "test key"))["encrypt"]
    assert opened(login("test key"), body) == {"a": 1}
    assert opened(login("another"), body) is None
    for strange in ("", "AA==", "no base64 !", body[:-8], base64.b64encode(b"x" * 16).decode()):
        assert opened(login("test key"), strange) is None


async def test_only_what_has_the_token_is_heard(chat):
    larker = chat.larker
    good = larker.message("develop x --project WEB")
    for strange in (
        {**good, "header": {**good["header"], "token": "another"}},
        {**good, "header": {**good["header"], "app_id": "cli_9"}},
        {**good, "header": {**good["header"], "create_time": str(int((time.time() - 90_000) * 1000))}},
        {**good, "header": {**good["header"], "create_time": "soon"}},
        {**good, "header": {"app_id": "cli_1"}},
    ):
        answer = await larker.post(strange)
        assert (answer.status_code, answer.json()["code"]) == (401, "CHAT_SIGNATURE_INVALID"), strange["header"]
    for body in (b"[]", b"{}", b"\xff", b"[" * 60_000):
        answer = await chat.deck.send("POST", "/webhook/lark", token=None, content=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "CHAT_REQUEST_INVALID"), body[:10]
    assert chat.board.tasks == {}


async def test_the_test_of_the_address_is_answered_with_its_challenge(chat):
    said = {"challenge": "ajls384kdjx98XX", "token": VERIFICATION, "type": "url_verification"}
    answer = await chat.larker.post(said)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "ajls384kdjx98XX"})
    assert (await chat.larker.post({**said, "token": "another"})).status_code == 401


async def test_a_bot_with_a_key_takes_nothing_that_is_not_encrypted_and_signed(chat):
    there = f"/api/admin/bots/{chat.bots['lark']['id']}"
    told = await chat.crew.ok("PUT", there, {"encryptKey": ENCRYPT})
    assert told["hasEncryptKey"] is True
    assert ENCRYPT not in json.dumps(told)
    assert (await chat.larker.post(chat.larker.message("develop x --project WEB"))).status_code == 401
    sealing = Larker(chat.deck, key=ENCRYPT)
    answer = await sealing.post({"challenge": "c-1", "token": VERIFICATION, "type": "url_verification"})
    assert answer.json() == {"challenge": "c-1"}
    assert (await sealing.post(sealing.message("develop x --project WEB"))).status_code == 200
    await quiet(chat.deck)
    assert len(chat.board.tasks) == 1
    assert (await sealing.post(sealing.message("develop y"), **{"x-lark-signature": "0" * 64})).status_code == 401
    assert (await sealing.post(sealing.message("develop y"), **{"x-lark-request-nonce": "n-2"})).status_code == 401
    wrong = Larker(chat.deck, key="another")
    assert (await wrong.post(wrong.message("develop y"))).status_code == 401
    body = encrypted(sealing.message("develop y"), ENCRYPT)
    signed = lark_headers(body + b" ")
    assert (await chat.deck.send("POST", "/webhook/lark", token=None, content=body, headers=signed)).status_code == 401
    await quiet(chat.deck)
    assert len(chat.board.tasks) == 1


async def test_commands_come_by_messages_once_each(chat):
    said = chat.larker.message('develop "fix it" --project WEB')
    again = {**said, "header": {**said["header"], "event_id": "another"}}
    for one in (said, said, again):
        answer = await chat.larker.post(one)
        assert (answer.status_code, answer.json()) == (200, {})
    await quiet(chat.deck)
    assert [one.description for one in chat.board.tasks.values()] == ["fix it"]
    assert chat.board.by[0].label == "lou"
    assert chat.lark.texts("oc_1") == ["Task #42 of WEB is queued."]
    await chat.larker.say("progress #42")
    assert chat.lark.texts("oc_1")[-1] == "#42 WEB queued: fix it"


async def test_what_is_for_one_person_goes_to_them_alone(chat):
    await chat.larker.say("bind", sender="ou_9")
    assert chat.lark.texts("oc_1") == []
    assert "ten minutes" in chat.lark.texts("ou_9")[0]
    direct = chat.larker.message("info", chat="oc_p", chat_type="p2p", mentions=[])
    direct["event"]["message"]["content"] = json.dumps({"text": "info"})
    assert (await chat.larker.post(direct)).status_code == 200
    await quiet(chat.deck)
    assert chat.lark.texts("oc_p") == ["Chat: oc_p\nUser: ou_1 (linked to lou)\nProject: none"]


async def test_what_others_say_in_a_group_is_nothing(chat):
    for more in ({"mentions": []}, {"message_type": "image"}):
        assert (await chat.larker.post(chat.larker.message("develop x --project WEB", **more))).status_code == 200
    own = chat.larker.message("develop x --project WEB")
    own["event"]["sender"]["sender_type"] = "app"
    assert (await chat.larker.post(own)).status_code == 200
    await quiet(chat.deck)
    assert chat.board.tasks == {}
    assert chat.lark.asked == []


async def test_a_card_is_answered_and_edited_where_it_stands(chat):
    await chat.larker.say("develop it --project API")
    for kind, more, label, text, result in (
        ("confirm", {}, "Approve", None, "confirm"),
        ("choice", {"choices": ("staging", "production")}, "production", None, "production"),
        ("input", {"text": "Which branch?"}, "Send", "main", "main"),
    ):
        subject = await chat.board.gate(chat.deck, 42, kind, **more)
        before = len(chat.lark.cards())
        value = lark_api.buttons(chat.lark.cards()[-1])[label]
        answer = await chat.larker.post(chat.larker.press(value, text=text))
        assert answer.json()["toast"]["type"] == "info"
        await quiet(chat.deck)
        assert chat.board.answered[subject] == ("lou", True, result)
        assert len(chat.lark.cards()) == before
        card = chat.lark.cards()[-1]
        assert lark_api.buttons(card) == {}
        assert "by lou" in json.dumps(card)
    secrets = "".join(chat.deck.heard)
    assert LARK_SECRET not in secrets
    assert VERIFICATION not in secrets
