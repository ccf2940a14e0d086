"""Taking away what is on servers: what nobody needs any more, or all that we have left there."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime

from quarterdeck.fleet.capacity import pruning
from quarterdeck.fleet.capacity.pruning import Candidate, Known, Pruned
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.reaching import Reaching, signing
from quarterdeck.fleet.servers.uninstalling import check_elsewhere
from quarterdeck.fleet.targets import uninstalling
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.fleet.targets.uninstalling import Left
from quarterdeck.kernel.errors import Conflict, Problem

Judge = Callable[[Collection[str]], Awaitable[Mapping[str, Known]]]
Begin = Callable[[Sequence[Candidate]], Awaitable[None]]


class TakingAway(Reaching):
    """What is agreed to goes, and nothing else."""

    async def prune(
        self,
        server_ref: str,
        categories: Collection[str],
        before: datetime,
        judge: Judge,
        begin: Begin,
        *,
        dry_run: bool,
    ) -> tuple[Server, Pruned]:
        """What is old and unwanted in these categories, and unless `dry_run` without it. `judge` says of which
        deployments something is known. `begin` is told what is about to go: when it raises, nothing goes. Raises the
        problem of a server that cannot be signed in to.
        """
        server, login = await self.db.read(signing, server_ref)
        if isinstance(login, Problem):
            raise login
        async with self.at(server, login) as (host, places, engine):
            found = await pruning.find(host, places, engine, categories, self.instance)
            known = await judge({one.deployment for one in found.candidates if one.deployment})
            decided = [pruning.judged(one, before, known) for one in found.candidates]
            if dry_run:
                return server, Pruned(decided, found.warnings)
            matched = [one for one in decided if one.action == "matched"]
            if matched:
                await begin(matched)
            done = await pruning.remove(host, engine, decided)
            return server, Pruned(done.candidates, found.warnings + done.warnings)

    async def left(
        self, server_ref: str, known: uninstalling.Known, *, engine: bool = False
    ) -> tuple[Server, list[Left]]:
        """What we have left on a server behind SSH; with `engine` the engine that we have installed would go, too.
        Raises `Invalid` for this machine, and the problem of a server that cannot be signed in to.
        """
        server, login = await self._elsewhere(server_ref)
        async with self._remote(login) as remote:
            return server, await uninstalling.find(remote, self.instance, known, engine=engine)

    async def uninstall(
        self,
        server_ref: str,
        known: uninstalling.Known,
        agreed: Callable[[list[str], bool], Awaitable[None]],
        *,
        engine: bool = False,
        without_engine: bool = False,
    ) -> tuple[Server, list[Left]]:
        """Take away what we have left, and answer what of it is gone. `agreed` is awaited before anything goes, with
        the deployments and resources whose things were found and whether something could not be looked at; what it
        raises leaves all as it is. Raises `Conflict` (`server_engine_unseen`) for an engine that does not answer,
        unless it shall be done `without_engine`, and what `left` raises.
        """
        server, login = await self._elsewhere(server_ref)
        async with self._remote(login) as remote:
            found = await uninstalling.find(remote, self.instance, known, engine=engine)
            silent = uninstalling.unseen(found)
            if silent is not None and not without_engine:
                raise Conflict(
                    f"What the engine of {server.name} holds of ours is not known. {silent.kept}",
                    code="server_engine_unseen",
                    hint="Start Docker there and repeat it, or leave that behind: "
                    f"qd server uninstall {shlex.quote(server.name)} --remove --without-engine",
                    relatedEntityId=server.ref,
                )
            await agreed(sorted({one.of for one in found if one.of}), silent is not None)
            return server, await uninstalling.remove(remote, self.instance, found)

    async def _elsewhere(self, server_ref: str) -> tuple[Server, Login]:
        server, login = await self.db.read(signing, server_ref)
        check_elsewhere(server)
        if isinstance(login, Problem):
            raise login
        assert login is not None  # noqa: S101 - it is another machine
        return server, login

    @contextlib.asynccontextmanager
    async def _remote(self, login: Login) -> AsyncIterator[Remote]:
        async with self.connections.to(login) as host:
            yield await self.connections.remote(host)
