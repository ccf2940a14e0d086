"""The page about backups: the last one, and the commands."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import open_desk
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.shell import Crumb
from quarterdeck.kernel.http.shared_signature import get

KEYS = {
    "apart": "Not in it. Keep the file master.key apart: without it no secret of the backup can be opened.",
    "plain": "In it, as it is: whoever has the file can read every secret.",
    "passphrase": "In it, sealed with a passphrase.",
    "backend": "Not needed: a key backend elsewhere opens the secrets. Keep a backup of that one.",
}


@get("/backups", opt=needs("deploy:system.doctor", installation=True))
async def backups(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.backups(desk.who)
    return desk.page(
        "pages/backups.html",
        here="backups",
        crumbs=(Crumb("Backups"),),
        view=view,
        key=KEYS.get(view.key, ""),
        make=commands.backup(view),
        restore=commands.restore(view),
    )
