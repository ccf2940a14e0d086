"""Chat bots: registered, tried in a chat, switched off, removed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import task_commands
from quarterdeck.console.desk import AnyRequest, act, address_of, open_desk, part, read_form, status_of
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Invalid, NotFound, Problem
from quarterdeck.kernel.http.shared_signature import get, post

MANAGE = "tasks:bots.manage"
HERE = "/console/tasks/bots"
TASKS = Crumb("Tasks", "/console/tasks")
PLATFORMS = (("slack", "Slack"), ("lark", "Lark"))
SECRETS = ("appSecret", "webhookToken", "encryptKey")
NAMES = ("platform", "appId", "name", *SECRETS, "apiUrl")


@get("/tasks/bots", opt=needs(MANAGE))
async def bots(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request)


async def _page(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk, values = await open_desk(request), typed or {}
    wrong = str(problem.details.get("field", "")) if problem and typed is not None else ""

    def field(name: str, label: str, kind: str = "text", **more: Any) -> Field:
        told = problem.message if problem and wrong == name else ""
        value = "" if name in SECRETS else values.get(name, "")
        return Field(name, label, value, kind, error=told, attributes={"autocomplete": "off"}, **more)

    return desk.page(
        "pages/bots.html",
        here="tasks",
        crumbs=(TASKS, Crumb("Bots")),
        problem=None if wrong in NAMES else problem,
        status=status_of(problem) if problem else 200,
        view=await desk.ports.bots(desk.who),
        address=address_of(request),
        fields=(
            field("platform", "Platform", "select", choices=PLATFORMS, required=True),
            field("name", "Name", required=True),
            field("appId", "Application id", required=True, hint="As the platform shows it: A…, or cli_…"),
            field("appSecret", "Secret", "password", required=True,
                  hint="Of Slack the bot's token (xoxb-…), of Lark the application's secret."),
            field("webhookToken", "What its requests are known by", "password", required=True,
                  hint="Of Slack the signing secret, of Lark the verification token."),
            field("encryptKey", "Encrypt key of Lark", "password"),
            field("apiUrl", "Address of its API", placeholder="the usual one"),
        ),
        command=task_commands.register_bot(),
    )  # fmt: skip


@post("/tasks/bots", opt=needs(MANAGE))
async def register_bot(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    typed = {name: form.get(name, "") for name in NAMES}

    async def deed() -> None:
        for name in ("appSecret", "webhookToken"):
            if not typed[name]:
                raise Invalid("It is needed.", hint="Copy it from the platform.", field=name)
        await desk.ports.register_bot(desk.who, typed)

    return await act(deed(), HERE, "bot-registered", partial(_page, request, typed=typed))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


@post("/tasks/bots/{bot:str}", opt=needs(MANAGE))
async def change_bot(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Switch it on or off, bind a chat, let one go, or say a sentence in one."""
    desk, bot, form = await open_desk(request), _number(part(request, "bot")), await read_form(request)
    verb, _, which = form.get("deed", "").partition("-")
    binding = _number(which)
    deeds = {
        "on": lambda: desk.ports.switch_bot(desk.who, bot, enabled=True),
        "off": lambda: desk.ports.switch_bot(desk.who, bot, enabled=False),
        "bind": lambda: desk.ports.bind_chat(
            desk.who, bot, form.get("chat", ""), form.get("project", ""), form.get("name", "")
        ),
        "unbind": lambda: desk.ports.unbind_chat(desk.who, bot, binding),
        "test": lambda: desk.ports.test_chat(desk.who, bot, binding),
    }
    if verb not in deeds:
        raise Invalid("It is not said what shall be done.", hint="Use a button of the page.")
    return await act(deeds[verb](), HERE, "bot-tested" if verb == "test" else "saved", partial(_page, request))


@get("/tasks/bots/{bot:str}/remove", opt=needs(MANAGE))
async def ask_remove_bot(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, bot = await open_desk(request), _number(part(request, "bot"))
    row = next((one for one in (await desk.ports.bots(desk.who)).rows if one.id == bot), None)
    if row is None:
        raise NotFound("There is no such bot.", hint="Look at the list of bots.")
    return ask(
        desk,
        here="tasks",
        crumbs=(TASKS, Crumb("Bots", HERE), Crumb("Remove")),
        title=f"Remove {row.name}?",
        texts=("Its chats are told nothing any more, and its secrets are forgotten.",),
        action=f"{HERE}/{row.id}/remove",
        back=HERE,
        keep="Keep it",
        button=f"Remove {row.name}",
        danger=True,
        command=task_commands.remove_bot(row),
    )


@post("/tasks/bots/{bot:str}/remove", opt=needs(MANAGE))
async def remove_bot(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, bot = await open_desk(request), _number(part(request, "bot"))
    await read_form(request)
    return await act(desk.ports.remove_bot(desk.who, bot), HERE, "bot-removed", partial(_page, request))


HANDLERS: tuple[Any, ...] = (bots, register_bot, change_bot, ask_remove_bot, remove_bot)
