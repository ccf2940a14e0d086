"""What the repository's server has, kept on this machine: fetched once for all tasks that wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.kernel.clock import Clock
from quarterdeck.tasks.workspaces import commands, failures
from quarterdeck.tasks.workspaces.hands import Hands
from quarterdeck.tasks.workspaces.places import Places
from quarterdeck.tasks.workspaces.remote import Remote

FETCH_SECONDS = 1800.0
SHARED_SECONDS = 1.0
"""A fetch that began so long before it was asked for counts for the one who asks."""
MOST_PACKS = 30
"""Each fetch leaves one; with more they are put together when a workspace goes."""


@dataclass
class Turn:
    """Whose turn it is in a project; `begun` is when the newest fetch that succeeded began."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: float | None = None


async def fetch(places: Places, remote: Remote, hands: Hands, clock: Clock, turn: Turn, asked: float) -> bool:
    """Bring mirror and base up to date; the caller has the turn. False: somebody else's fetch was new enough.

    Raises `workspace_error`.
    """
    if turn.begun is not None and turn.begun >= asked - SHARED_SECONDS and places.base.is_dir():
        return False
    begun = clock.monotonic()
    await _mirror(places, remote, hands)
    await _base(places, remote, hands)
    turn.begun = begun
    return True


async def _mirror(places: Places, remote: Remote, hands: Hands) -> None:
    env = remote.environment(places)
    await asyncio.to_thread(places.make)
    await asyncio.to_thread(places.enclose, hands.owner[1] if hands.owner is not None else None)
    try:
        if not places.mirror.is_dir():
            places.mirror.mkdir(mode=0o750)
            hands.share(places.mirror)
        await asyncio.to_thread(_forget_interrupted, places.mirror)
    except OSError as error:
        raise failures.unwritable(places.mirror, error) from None
    begin = commands.init(places.mirror, hands.offline(places.state), shared=hands.owner is not None)
    made = await hands.ours(begin, "Making the copy of the repository")
    if made.code != 0:
        raise failures.local("The copy of the repository cannot be made", made.messages)
    step = commands.fetch(places.mirror, remote.address.url, env)
    done = await hands.ours(step, f"Fetching {remote.shown}", seconds=FETCH_SECONDS)
    if done.code != 0:
        raise failures.fetching(remote.shown, done.messages, with_credentials=remote.token is not None)


async def tidy(places: Places, hands: Hands) -> None:
    """Put the packs of many fetches together; the caller has the turn."""
    packs = await asyncio.to_thread(lambda: len(list((places.mirror / "objects" / "pack").glob("*.pack"))))
    if packs > MOST_PACKS:
        await hands.ours(commands.repack(places.mirror, hands.offline(places.state)), "Putting packs together")


def _forget_interrupted(mirror: Path) -> None:
    """What a fetch that was killed left; nobody else writes here, and it is our turn."""
    for directory, names, files in os.walk(mirror):
        if Path(directory).name == "objects":
            names[:] = ["pack"]
        for name in files:
            if name.endswith(".lock") or name.startswith("tmp_"):
                with contextlib.suppress(FileNotFoundError):
                    (Path(directory) / name).unlink()


async def _base(places: Places, remote: Remote, hands: Hands) -> None:
    """The repository that worktrees stand on: its configuration is written anew, and the branches of the server stand
    in it as those of `origin`.
    """
    env = hands.offline(places.base)
    try:
        if not places.base.is_dir():
            places.base.mkdir(mode=0o700)
            hands.hand_over(places.base)
            await hands.must(commands.init(places.base, env, shared=False), "Making the base of the workspaces")
    except OSError as error:
        raise failures.unwritable(places.base, error) from None
    for name, text in (
        ("objects/info/alternates", f"{places.mirror / 'objects'}\n"),
        ("config", _configuration(remote.address.url)),
    ):
        # By the agent's user, and never read: whatever the agent has put there is replaced.
        await hands.must(commands.write(places.base / name, env), f"Writing {name}", stdin=text.encode())
    await _take_over(places, hands)


def _configuration(url: str) -> str:
    quoted = url.replace("\\", "\\\\").replace('"', '\\"')
    return (
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
        "[gc]\n\tauto = 0\n"
        f'[remote "origin"]\n\turl = "{quoted}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
    )


async def _take_over(places: Places, hands: Hands) -> None:
    listed = await hands.ours(
        commands.refs(places.mirror, (commands.HEADS, commands.TAGS), hands.offline(places.state)),
        "Reading the branches of the repository",
    )
    wanted = {name.replace(commands.HEADS, commands.REMOTE, 1): at for name, at in _refs(listed.output)}
    listed = await hands.theirs(
        commands.refs(places.base, (commands.REMOTE, commands.TAGS), hands.offline(places.base)),
        "Reading the branches of the base",
    )
    known = dict(_refs(listed.output))
    changes = [f"update {name}\0{commit}\0\0" for name, commit in wanted.items() if known.get(name) != commit]
    gone = (name for name in known if name not in wanted and name.startswith(commands.REMOTE))
    changes += [f"delete {name}\0\0" for name in gone]  # a tag may be somebody's own
    if changes:
        step = commands.set_refs(places.base, hands.offline(places.base))
        text = "".join(changes).encode(errors="surrogateescape")
        await hands.must(step, "Taking over the branches of the repository", stdin=text)


def _refs(output: str) -> list[tuple[str, str]]:
    """Names and commits."""
    pairs = (line.split(" ", 1) for line in output.splitlines() if " " in line)
    return [(name, commit) for commit, name in pairs]
