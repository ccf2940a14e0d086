"""Taking a task's commits out of what the agent may write (ADR 0046).

Whoever can write to an object store says by its `alternates` what else is read with it. So ours is never opened with
the agent's in it: the agent's user packs what the mirror has not got, we check the pack and keep it beside the mirror,
where the agent cannot write. What the agent's user could not read is not in the pack, and a pack that points at
something that is neither in it nor in the mirror is refused.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from quarterdeck.fleet.git.commands import Command
from quarterdeck.kernel import trees
from quarterdeck.tasks.workspaces import commands, failures
from quarterdeck.tasks.workspaces.hands import REFS, Hands
from quarterdeck.tasks.workspaces.places import Places
from quarterdeck.tasks.workspaces.running import Ended, run

TAKE_SECONDS = 900.0
LARGEST = 2_000_000_000
"""Bytes of a pack: more than forges take in one push."""


@asynccontextmanager
async def taken(places: Places, task_id: int, commit: str, hands: Hands) -> AsyncIterator[Path]:
    """A directory of objects, ours alone, that has together with the mirror all that `commit` needs; it is gone
    afterwards. Raises `workspace_error` where that cannot be had.
    """
    objects = places.incoming(task_id)
    try:
        await asyncio.to_thread(_empty, objects)
        await _take(places, task_id, commit, objects, hands)
        yield objects
    except OSError as error:
        raise failures.unwritable(objects, error) from None
    finally:
        await asyncio.to_thread(trees.remove, objects)


async def _take(places: Places, task_id: int, commit: str, objects: Path, hands: Hands) -> None:
    listed = await hands.ours(
        commands.refs(places.mirror, (commands.HEADS, commands.TAGS), hands.offline(places.state)),
        "Reading the branches of the repository",
    )
    there = dict.fromkeys(line.partition(" ")[0] for line in listed.output.splitlines())
    wanted = "".join(f"{one}\n" for one in (commit, *(f"^{known}" for known in there)))
    stage = await asyncio.to_thread(hands.stage, places, task_id)
    try:
        env = commands.staged(stage, places, task_id, hands.offline(stage))
        take = commands.take_in(places.mirror, objects, LARGEST, hands.offline(places.state))
        given, kept = await _between(commands.pack(env), wanted.encode(), take, hands)
    finally:
        await asyncio.to_thread(trees.remove, stage)
    # Who gives ends without a word where it is our side that has had enough.
    silent = given.code != 0 and not given.messages.strip()
    ends = (("Packing the commits", given), ("Taking the commits over", kept))
    for what, ended in reversed(ends) if silent else ends:
        if ended.code != 0:
            raise failures.local(f"{what} failed", ended.messages or f"fatal: it ended with {ended.code}")


async def _between(give: Command, wanted: bytes, take: Command, hands: Hands) -> tuple[Ended, Ended]:
    """Run both, what the agent's user gives going to us."""
    source, sink = os.pipe()
    both = (
        run(give, "Packing the commits", TAKE_SECONDS, stdin=wanted, most=REFS, run_as=hands.run_as, sink=sink),
        run(take, "Taking the commits over", TAKE_SECONDS, source=source),
    )
    # Each ends with the other, whatever becomes of it: their pipe is closed then.
    ends = await asyncio.gather(*both, return_exceptions=True)
    for ended in ends:
        if isinstance(ended, BaseException):
            raise ended
    given, kept = [one for one in ends if isinstance(one, Ended)]
    return given, kept


def _empty(objects: Path) -> None:
    trees.remove(objects)
    objects.mkdir(mode=0o700)
