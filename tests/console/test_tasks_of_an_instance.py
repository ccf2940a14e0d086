"""Tasks in the console of a real instance: who is asked is told so in every room, and what is sought is found."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.console.composition import InstancePorts
from quarterdeck.identity import sessions
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.principal import Context, current
from quarterdeck.kernel.vault import Secret
from quarterdeck.tasks.orders import GateReport
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work import gates
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.transitions import ASSIGNED, RUNNING, move
from support.crew import Crew
from support.deck import HOME, running, signed_in

QUESTION = "Which <i>limiter</i> shall it be?"
HERE = {"origin": "http://localhost"}


@pytest.fixture
async def crew(tmp_path, database_address):
    async with running(tmp_path, database_address) as deck:
        made = Crew(await signed_in(deck))
        body = {"key": "WEB", "name": "Shop", "repoUrl": "https://git.example.com/a.git", "agentType": "claude"}
        await made.ok("POST", "/api/admin/projects", body, status=201)
        yield made


async def task(crew: Crew, description: str) -> int:
    body = {"projectKey": "WEB", "description": description}
    return int((await crew.ok("POST", "/api/web/tasks", body, status=201))["id"])


async def asked(crew: Crew, number: int) -> None:
    """It runs and asks for a choice."""
    report = GateReport(index=0, kind="choice", prompt=QUESTION, choices=["red", "blue"], seconds=600)

    def verb(tx):
        one = held(tx, number)
        move(tx, one, ASSIGNED, "It is given to a machine.")
        move(tx, one, RUNNING, "It runs.")
        gates.ask(tx, one, report)

    await crew.db.write(verb)


async def colleague(crew: Crew, name: str, role: str) -> str:
    user_id, token = await crew.person(name, "tasks:developer")

    def verb(tx):
        place = tx.one(select(Organization).where(Organization.ref == HOME), what="organization")
        found = tx.one(select(TaskProject).where(TaskProject.key == "WEB"), what="project")
        grants.give(tx, crew.deck.instance.access, user_id, place.id, role, project_id=found.project_id)

    await crew.db.write(verb)
    return token


async def page(crew: Crew, path: str, token: str | None = None) -> str:
    client, signer = crew.deck.client, crew.deck.instance.signer
    client.cookies.set("qd_session", signer.sign(Secret(token or crew.deck.token)))
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def beside_tasks(text: str) -> tuple[str, int] | None:
    """The number beside the room of tasks, with its tone."""
    pattern = r'<span class="count (\w+)" id="n-tasks">(\d+)'
    found = re.search(pattern, text)
    return (found[1], int(found[2])) if found else None


async def test_who_may_answer_is_asked_in_every_room_and_nobody_else(crew):
    number = await task(crew, "Limit the checkout")
    assert beside_tasks(await page(crew, "/console/fleet")) == ("run", 1)
    await asked(crew, number)
    assert beside_tasks(await page(crew, "/console/fleet")) == ("ask", 1)
    home = await page(crew, "/console/")
    assert "One thing needs you" in home
    assert f"Task #{number} asks: Which &lt;i&gt;limiter&lt;/i&gt; shall it be?" in home
    assert "closes in " in home
    lead = await page(crew, "/console/", await colleague(crew, "nora", "tasks:maintainer"))
    assert f"Task #{number} asks:" in lead
    member = await page(crew, "/console/", await colleague(crew, "otto", "tasks:member"))
    assert f"Task #{number} asks:" not in member
    assert beside_tasks(member) == ("run", 1)
    _, stranger = await crew.person("eve", "tasks:developer")
    outside = await page(crew, "/console/", stranger)
    assert "Task #" not in outside
    assert beside_tasks(outside) is None
    answer = {"stage": "0", "choice": "blue", "deed": "answer"}
    await page(crew, "/console/")
    done = await crew.deck.client.post(f"/console/tasks/{number}/answer", data=answer, headers=HERE)
    assert done.status_code == 303, done.text
    assert f"Task #{number} asks:" not in await page(crew, "/console/")
    assert beside_tasks(await page(crew, "/console/")) == ("run", 1)


async def test_the_first_page_shows_the_tasks_that_run_and_those_that_wait_to_who_may_see_them(crew):
    number = await task(crew, "Limit the checkout")
    waiting = await task(crew, "Sort the changelog")
    await asked(crew, number)

    def running_now(text: str) -> str:
        return text.partition('id="h-run"')[2].partition("</section>")[0]

    shown = running_now(await page(crew, "/console/"))
    assert f'<a class="title" href="/console/tasks/{number}">Task #{number} Limit the checkout</a>' in shown
    assert f'<a class="title" href="/console/tasks/{waiting}">Task #{waiting} Sort the changelog</a>' in shown
    for words in ("Waits for an answer", "WEB, develop", "Waiting", 'href="/console/tasks">All tasks'):
        assert words in shown, words
    ended = await crew.deck.client.post(f"/console/tasks/{waiting}/cancel", headers=HERE)
    assert ended.status_code == 303, ended.text
    assert "Sort the changelog" not in running_now(await page(crew, "/console/"))
    _, stranger = await crew.person("eve", "tasks:developer")
    assert "Nothing runs or waits." in running_now(await page(crew, "/console/", stranger))


async def test_a_task_is_found_by_its_number_and_by_its_words_where_it_may_be_seen(crew):
    number = await task(crew, "Limit the checkout\nand more")
    other = await task(crew, "Sort the changelog")
    for words in ("checkout", f"%23{number}", str(number)):
        text = await page(crew, f"/console/search?q={words}")
        assert f'href="/console/tasks/{number}">#{number} Limit the checkout</a>' in text, words
        assert f'href="/console/tasks/{other}"' not in text, words
    _, stranger = await crew.person("eve", "tasks:developer")
    assert f'href="/console/tasks/{number}"' not in await page(crew, "/console/search?q=checkout", stranger)


async def test_what_happens_to_a_task_comes_to_its_open_pages_at_once(crew):
    """Well before the seconds after which a page looks again by itself."""
    number = await task(crew, "Limit the checkout")
    who = await crew.db.read(sessions.authenticate, crew.deck.token)
    current.set(Context(principal=who))
    heard: list[str] = []
    ready = asyncio.Event()

    async def follow() -> None:
        async for update in InstancePorts(crew.deck.instance).follow(who, (f"task:{number}", "tasks"), 0):
            heard.append(update.topic)
            ready.set()

    following = asyncio.create_task(follow())
    try:
        await asked(crew, number)
        async with asyncio.timeout(8):
            while set(heard) != {f"task:{number}", "tasks"}:
                await ready.wait()
                ready.clear()
    finally:
        following.cancel()
