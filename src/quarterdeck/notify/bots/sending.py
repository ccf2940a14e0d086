"""The job that says something in a chat."""

from __future__ import annotations

from typing import Any

from quarterdeck.kernel import jobs
from quarterdeck.notify.bots import posting
from quarterdeck.notify.bots.adapters import adapter
from quarterdeck.notify.bots.cards import Card


@jobs.server_handlers.register(posting.KIND)
async def run(context: jobs.JobContext, instance: Any) -> dict[str, Any]:
    """Say it, or edit what was said; a message that was lost on its way may be said twice, and a card never is asked
    twice of the ledger.
    """
    task = context.read(posting.Task)
    found = await instance.db.read(posting.ordered, task)
    if found is None:
        return {"sent": False}
    login, saying = found
    speaks = adapter(login)
    if saying.message_id is not None and isinstance(saying.said, Card):
        await speaks.update_message(task.chat_id, saying.message_id, saying.said, row=saying.row)
        return {"sent": True, "edited": True}
    message = await speaks.send_message(task.chat_id, saying.said, row=saying.row, only=task.only, key=task.uid)
    if task.card_id is not None or task.thread_id is not None:
        await instance.db.write(posting.kept, task, message)
    return {"sent": True, "edited": False}
