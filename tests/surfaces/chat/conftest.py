"""An instance with a bot of each platform, whose APIs are faked on loopback, and a board of tasks to act on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fakes.chat.lark import FakeLark
from fakes.chat.slack import FakeSlack
from quarterdeck.identity import users
from quarterdeck.identity.model import User
from quarterdeck.surfaces.chat import actions
from support.chats import LARK_SECRET, SIGNING, SLACK_TOKEN, VERIFICATION, Board, Larker, Slacker, task_project
from support.crew import Crew
from support.deck import running, signed_in


@pytest.fixture
async def chat(tmp_path, database_address):
    """`ann` (U1, ou_1) is a developer, `lea` (U2) a lead; the chat C1 is bound to the project WEB."""
    slack, lark = FakeSlack(SLACK_TOKEN), FakeLark("cli_1", LARK_SECRET)
    with slack.served(), lark.served():
        async with running(tmp_path, database_address) as deck:
            crew = Crew(await signed_in(deck))
            board = Board()
            actions.wire(board)
            try:
                for key in ("WEB", "API"):
                    await task_project(deck, key=key)
                bots = {}
                for platform, body in (
                    ("slack", {"appId": "A1", "appSecret": SLACK_TOKEN, "webhookToken": SIGNING, "apiUrl": slack.url}),
                    ("lark", {"appId": "cli_1", "appSecret": LARK_SECRET, "webhookToken": VERIFICATION,
                              "apiUrl": lark.url}),
                ):  # fmt: skip
                    told = {"platform": platform, "name": platform, **body}
                    bots[platform] = await crew.ok("POST", "/api/admin/bots", told, status=201)
                bound = {"platformChatId": "C1", "projectKey": "WEB", "chatName": "general"}
                await crew.ok("POST", f"/api/admin/bots/{bots['slack']['id']}/bindings", bound, status=201)
                people = {}
                for name, role, uid in (
                    ("ann", "developer", "U1"),
                    ("lea", "lead", "U2"),
                    ("lou", "developer", "ou_1"),
                ):
                    number, token = await crew.person(name, f"tasks:{role}")
                    people[name] = (number, token)
                    await deck.instance.db.write(known_by, number, uid)
                yield SimpleNamespace(
                    crew=crew, deck=deck, board=board, slack=slack, lark=lark, bots=bots, people=people,
                    slacker=Slacker(deck), larker=Larker(deck),
                )  # fmt: skip
                assert slack.wrong == []
                assert lark.wrong == []
            finally:
                actions.wire(None)


def known_by(tx, number, uid):
    users.prefer(tx, tx.get(User, number), platformUid=uid)
