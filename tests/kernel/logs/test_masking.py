from __future__ import annotations

import asyncio
import base64
import json

import pytest

from quarterdeck.kernel.vault import Secret

from .conftest import line

STREAM = "deployment:dep_1"
KEY = "-----BEGIN KEY-----\nAAAABBBBCCCCDDDD1111\nEEEEFFFFGGGG2222\nxy\n-----END KEY-----\n"


async def stored(logs, *texts: str, channel: str = "stdout") -> list[str]:
    await logs.store(STREAM, [line(text, channel=channel) for text in texts])
    return [one.message for one in await logs.read(STREAM, limit=5000)]


async def test_a_secret_is_masked_before_it_is_stored(logs, database_kind, tmp_path):
    logs.mask(STREAM, [Secret("hunter2!")])
    assert await stored(logs, "password is hunter2!, hunter2!.") == ["password is ****, ****."]
    if database_kind == "sqlite":
        assert b"hunter2!" not in b"".join(path.read_bytes() for path in tmp_path.glob("logs.db*"))


@pytest.mark.parametrize(
    "spell",
    [
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: base64.b64encode(b"user:" + value.encode()).decode(),
        lambda value: base64.b64encode(b"x" + value.encode() + b" m").decode(),
        lambda value: base64.urlsafe_b64encode(b"xy" + value.encode()).decode(),
        json.dumps,
        lambda value: "https://u:" + __import__("urllib.parse").parse.quote(value, safe="") + "@host",
    ],
    ids=["base64", "basic-auth", "base64-inside", "urlsafe", "json", "url"],
)
async def test_a_secret_is_masked_in_the_forms_it_travels_in(logs, spell):
    value = 'p>?"ss w\u00f6rd/~long'
    logs.mask(STREAM, [value])
    shown = spell(value)
    (message,) = await stored(logs, f"got {shown} here")
    assert "****" in message
    # Base64 characters that mix the secret with its neighbours may stay: they carry less than one of its bytes each.
    kept = message.replace("got ", "").replace(" here", "").split("****")
    assert not any(len(part) > 10 and part in shown and part not in "https://u:@host" for part in kept)


async def test_short_values_are_left_alone_and_overlapping_ones_are_all_masked(logs):
    logs.mask(STREAM, ["abc", "", "abcdef", "defghi"])
    assert await stored(logs, "abc", "xabcdefghix") == ["abc", "x****x"]


async def test_a_secret_of_several_lines_is_masked_in_each_of_them(logs):
    logs.mask(STREAM, [KEY])
    assert await stored(logs, "before", *KEY.splitlines(), "after") == ["before", *["****"] * 5, "after"]


async def test_one_line_of_such_a_secret_is_masked_by_itself(logs):
    logs.mask(STREAM, [KEY])
    assert await stored(logs, "  EEEEFFFFGGGG2222  ") == ["  ****  "]


async def test_a_secret_split_over_two_chunks_is_masked_in_both(logs):
    logs.mask(STREAM, ["correct-horse-battery"])
    logs.append(STREAM, [line("say correct-")])
    await asyncio.sleep(0.03)
    logs.append(STREAM, [line("horse-battery now")])
    assert await stored(logs, "end") == ["say ****", "**** now", "end"]


async def test_what_of_a_split_secret_comes_late_is_masked_still(logs):
    logs.mask(STREAM, ["correct-horse-battery"])
    logs.append(STREAM, [line("say corr")])
    await asyncio.sleep(0.3)
    assert await stored(logs, "ect-horse-battery now") == ["say corr", "**** now"]


async def test_the_greater_part_of_a_secret_is_masked_without_its_rest(logs):
    logs.mask(STREAM, ["correct-horse-battery"])
    assert await stored(logs, "say correct-horse-bat") == ["say ****"]


async def test_another_channel_between_the_halves_does_not_help_a_secret_through(logs):
    logs.mask(STREAM, ["correct-horse-battery"])
    await logs.store(STREAM, [line("correct-horse"), line("warning", channel="stderr"), line("-battery")])
    assert [one.message for one in await logs.read(STREAM)] == ["****", "warning", "****"]


async def test_holding_a_line_back_keeps_order_and_the_200_ms(logs):
    logs.mask(STREAM, ["correct-horse-battery"])
    await logs.store(STREAM, [line("warm")])
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await logs.store(STREAM, [line("a"), line("ends with corr")])
    assert loop.time() - begun < 0.2
    assert [one.message for one in await logs.read(STREAM)] == ["warm", "a", "ends with corr"]


async def test_masks_of_one_stream_do_not_touch_another(logs):
    logs.mask("deployment:dep_2", ["public-word"])
    assert await stored(logs, "public-word") == ["public-word"]
