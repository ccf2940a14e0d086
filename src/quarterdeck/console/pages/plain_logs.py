"""A whole log as plain text: sent as it is read, since nothing bounds how long it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from litestar.response import Stream

from quarterdeck.console.desk import Desk
from quarterdeck.console.render import secure_headers
from quarterdeck.console.views.deployments import LineView, LineViews


def plain(desk: Desk, pages: AsyncIterator[LineViews], text: Callable[[LineView], str]) -> Stream:
    async def written() -> AsyncIterator[bytes]:
        async for page in pages:
            yield "".join(f"{text(line)}\n" for line in page).encode()

    headers = secure_headers(desk.console.renderer.ids.token(12))
    return Stream(written(), media_type="text/plain; charset=utf-8", headers=headers)
