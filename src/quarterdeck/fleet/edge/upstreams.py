"""Where each route leads at this moment: one small file per route, replaced whole."""

from __future__ import annotations

import re
from pathlib import Path

from quarterdeck.fleet.edge.files import Files, unfinished
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.routes import check_route_id
from quarterdeck.kernel.errors import Invalid, NotFound

_NETWORK_ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})")
_ABSOLUTE = re.compile(r"/[^{}\x00-\x1f]+")


class Upstreams:
    """Reads and replaces upstream files. No method reloads the proxy: it reads the files per request, as a member of
    `group` where it runs as a user of its own.
    """

    def __init__(self, files: Files, layout: Layout, *, group: int | None = None) -> None:
        self._files = files
        self._layout = layout
        self._group = group

    async def switch(self, route_id: str, upstream: str) -> str | None:
        """The cut-over: from the next request on, the route leads to `upstream`. Answers what stood before.

        Raises `NotFound` for a route that is not loaded and `Invalid` for what cannot be an upstream.
        """
        return await self._replace(route_id, self._layout.upstream(route_id), upstream)

    async def set_candidate(self, route_id: str, upstream: str) -> None:
        await self._replace(route_id, self._layout.candidate(route_id), upstream)

    async def clear_candidate(self, route_id: str) -> None:
        check_route_id(route_id)
        async with self._files.lock(self._layout.upstreams_lock):
            if await self._files.read(self._layout.candidate(route_id)):
                await self._files.write_atomic(self._layout.candidate(route_id), b"", group=self._group)
            await self._files.remove(unfinished(self._layout.candidate(route_id)))

    async def take_down(self, route_id: str) -> str | None:
        """The route leads nowhere (503) from now on. Answers what stood before."""
        check_route_id(route_id)
        async with self._files.lock(self._layout.upstreams_lock):
            before = await self._files.read(self._layout.upstream(route_id))
            if before:
                await self._files.write_atomic(self._layout.upstream(route_id), b"", group=self._group)
            await self._files.remove(unfinished(self._layout.upstream(route_id)))
        return before.decode(errors="replace") if before else None

    async def current(self, route_id: str) -> str | None:
        check_route_id(route_id)
        content = await self._files.read(self._layout.upstream(route_id))
        return content.decode(errors="replace") if content else None

    async def prepare(self, route_id: str) -> None:
        """Gives a new route its files, empty: one that is missing would be an error in the proxy's log per request."""
        async with self._files.lock(self._layout.upstreams_lock):
            for path in (self._layout.upstream(route_id), self._layout.candidate(route_id)):
                if await self._files.read(path) is None:
                    await self._files.write_atomic(path, b"", group=self._group)

    async def forget(self, route_id: str) -> None:
        """Removes what belongs to a route that is gone."""
        async with self._files.lock(self._layout.upstreams_lock):
            if await self._files.read(self._layout.route(route_id)) is None:
                await self._files.remove(self._layout.upstream(route_id))
                await self._files.remove(self._layout.candidate(route_id))

    async def _replace(self, route_id: str, path: Path, upstream: str) -> str | None:
        check_route_id(route_id)
        check_upstream(upstream)
        if upstream.startswith("/"):
            await self._require_enclosed(Path(upstream))
        async with self._files.lock(self._layout.upstreams_lock):
            if await self._files.read(self._layout.route(route_id)) is None:
                raise NotFound(
                    f"The edge has no route {route_id}; nothing was switched to {upstream}.",
                    code="edge_proxy_route_missing",
                    hint="Put the route first, then switch its upstream.",
                    phase="proxy-route-realization",
                    routeId=route_id,
                )
            before = await self._files.read(path)
            # The word is the whole file: a line end would become part of the address.
            await self._files.write_atomic(path, upstream.encode(), group=self._group)
        return before.decode(errors="replace") if before else None

    async def _require_enclosed(self, directory: Path) -> None:
        """The proxy follows links and may read what a visitor must not: a published directory holds its own files."""
        outward = await self._files.outward_links(directory)
        if outward:
            raise Invalid(
                f"{directory} is not served: {len(outward)} of its links lead out of it, the first is {outward[0]}.",
                code="edge_proxy_static_link_outside",
                hint="Let the build copy files instead of linking to places outside its output directory.",
                phase="proxy-route-realization",
            )


def check_upstream(upstream: str) -> None:
    """An upstream is `host:port`, `unix//path` or, for static routes, the absolute path of a directory."""
    address = _NETWORK_ADDRESS.fullmatch(upstream)
    if address and 0 < int(address[1]) < 65_536:
        return
    path = upstream.removeprefix("unix/")
    if _ABSOLUTE.fullmatch(path) and ".." not in path.split("/"):
        return
    raise Invalid(
        f"{upstream!r} cannot be the upstream of a route.",
        code="edge_proxy_upstream_invalid",
        hint="Use host:port, unix//absolute/path, or the absolute path of a directory.",
    )
