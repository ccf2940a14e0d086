"""A repository at an exact commit: asked first, fetched without history where the server allows it, submodules too."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.deploy.sources.git import answers, commands, failures
from quarterdeck.deploy.sources.git.running import Budget, Log, Runner
from quarterdeck.deploy.sources.links import leaving_links, stays_inside
from quarterdeck.deploy.sources.spec import Credentials, FetchLimits, GitKey
from quarterdeck.fleet.git import commands as git
from quarterdeck.fleet.git import host_keys, locators
from quarterdeck.fleet.git.commands import GitToken
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.trees import beginning

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PART_OF_COMMIT = re.compile(r"[0-9a-f]{7,63}")
LONGEST_WORDS = 4096
"""Bytes of a commit's author and subject that are kept: git lets them be as long as somebody likes."""
ATTRIBUTES = ".gitattributes"
MOST_ATTRIBUTES = 1 << 20
"""Bytes of that file which are looked at: it compresses so well that one of hundreds of megabytes comes in a few."""


@dataclass(frozen=True)
class Checkout:
    commit: str
    ref: str | None
    message: str
    author: str
    size: int
    files: int
    host_key: str | None
    warnings: tuple[str, ...]


@dataclass
class Fetch:
    """One fetch with everything it shares between a repository and its submodules.

    `place` is a directory of its own for git's store, key files and the like; it is removed by the caller. With `alone`
    no submodule may lie on this machine.
    """

    root: locators.Address
    credentials: Credentials | None
    limits: FetchLimits
    place: Path
    known_hosts: Path
    log: Log
    inherited: Mapping[str, str] = field(default_factory=lambda: os.environ)
    alone: bool = False
    size: int = 0
    files: int = 0
    modules: int = 0
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.top: Path | None = None
        self.budget = Budget(self.limits, self.place, _shown(self.root))
        self.runner = Runner(self.budget, self.log)

    async def into(self, tree: Path, ref: str | None, commit: str | None) -> Checkout:
        """Check `commit`, else `ref`, else the default branch out into the empty directory `tree`."""
        env = self._environment(self.root)
        store = self.place / "git"
        self.top = tree
        found, named = await self._obtain(self.root, store, ref, commit, env)
        described = await self.runner.run(commands.describe_command(store, found, env))
        author, _, message = described.output[:LONGEST_WORDS].decode(errors="replace").strip().partition("\0")
        await self._check_out(self.root, store, tree, found, env, depth=0)
        key = None
        if self.root.protocol == "ssh":
            key = host_keys.fingerprint(self.known_hosts, self.root)
        return Checkout(found, named, message, author, self.size, self.files, key, tuple(self.warnings))

    def _environment(self, address: locators.Address) -> git.Environment:
        same = address.origin == self.root.origin
        token = self.credentials if same and isinstance(self.credentials, GitToken) else None
        ssh = None
        if address.protocol == "ssh":
            known = host_keys.fingerprint(self.known_hosts, address) is not None
            key = self._key_file() if same and isinstance(self.credentials, GitKey) else None
            ssh = git.Ssh(self.known_hosts, key, known, int(self.limits.answer_seconds))
        if address.protocol == "file":
            _write_private(self.place / "gitconfig", "[safe]\n\tdirectory = *\n")
        return git.environment(
            address,
            self.place,
            token=token,
            ssh=ssh,
            stall_seconds=max(1, int(self.limits.answer_seconds)),
            inherited=self.inherited,
        )

    def _key_file(self) -> Path:
        path = self.place / "key"
        if isinstance(self.credentials, GitKey) and not path.exists():
            _write_private(path, self.credentials.private_key.reveal().strip() + "\n")
        return path

    def _explain(self, address: locators.Address, text: str, reference: str | None) -> Problem:
        given = self.credentials is not None and address.origin == self.root.origin
        return failures.explain(_shown(address), text, reference, with_credentials=given)

    async def _obtain(
        self, address: locators.Address, store: Path, ref: str | None, commit: str | None, env: git.Environment
    ) -> tuple[str, str | None]:
        """The commit that now lies in `store`, and the full ref it was fetched by."""
        (ask,) = commands.ask_commands(address.url, None if commit else ref, env)
        asked = await self.runner.run(ask, seconds=self.limits.answer_seconds)
        if asked.code != 0:
            raise self._explain(address, asked.messages, ref)
        remote = answers.advertised(asked.output)
        name = None if commit else remote.pick(ref)
        if commit is None and name is None:
            if ref is None:
                raise failures.empty_repository(_shown(address))
            if _COMMIT.fullmatch(ref):
                commit = ref
            elif _PART_OF_COMMIT.fullmatch(ref):
                return await self._search(address, store, ref, env), None
            else:
                raise failures.reference_missing(_shown(address), ref)
        wanted = commit or name or "HEAD"
        refused = await self._fetch(address, store, wanted, env)
        if refused:
            self.log("The server gives this commit only with its history; fetching all of it.")
            return await self._search(address, store, wanted, env), ref if ref != commit else None
        resolved = await self.runner.run(commands.resolve_command(store, commands.SOURCE, env))
        if resolved.code != 0:
            raise failures.reference_missing(_shown(address), wanted)
        return resolved.output.decode().strip(), name or (ref if ref != commit else None)

    async def _fetch(self, address: locators.Address, store: Path, wanted: str | None, env: git.Environment) -> bool:
        """True when the server refuses to give out `wanted` alone."""
        for command in commands.fetch_commands(address.url, store, wanted, env):
            done = await self.runner.run(command)
            if done.code != 0 and wanted and failures.wants_full_history(done.messages):
                return True
            if done.code != 0:
                raise self._explain(address, done.messages, wanted)
        return False

    async def _search(self, address: locators.Address, store: Path, revision: str, env: git.Environment) -> str:
        await self._fetch(address, store, None, env)
        found = await self.runner.run(commands.resolve_command(store, revision, env))
        if found.code != 0:
            raise failures.reference_missing(_shown(address), revision)
        return found.output.decode().strip()

    async def _check_out(
        self,
        address: locators.Address,
        store: Path,
        tree: Path,
        commit: str,
        env: git.Environment,
        *,
        depth: int,
    ) -> None:
        listed = await self.runner.run(commands.list_command(store, commit, env))
        if listed.code != 0:
            raise self._explain(address, listed.messages, commit)
        listing = await asyncio.to_thread(answers.listing, listed.output)
        self._admit(listing)
        done = await self.runner.run(commands.checkout_command(store, tree, commit, env))
        if done.code != 0:
            raise self._explain(address, done.messages, commit)
        await self._tidy(tree)
        if listing.uses_large_files and await asyncio.to_thread(_names_large_files, tree):
            self._warn("The repository uses Git LFS; its large files are left as pointers.")
        if listing.submodules:
            read = await self.runner.run(commands.modules_command(store, commit, env))
            await asyncio.to_thread(trees.remove, store)
            await self._submodules(address, tree, listing.submodules, answers.modules(read.output), depth + 1)

    def _admit(self, listing: answers.Listing) -> None:
        self.size += listing.size
        self.files += listing.files
        if self.size > self.limits.size:
            raise failures.too_large(f"has {self.size // 1_000_000} MB of files", f"{self.limits.size // 1_000_000} MB")
        if self.files > self.limits.files:
            raise failures.too_large(f"has {self.files} files", f"{self.limits.files}")

    async def _tidy(self, tree: Path) -> None:
        for link in await asyncio.to_thread(lambda: list(leaving_links(tree, self.top or tree))):
            link.unlink()
            self._warn(f"The link {link.relative_to(tree)} points out of the source and was left out.")

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.log(text)

    async def _submodules(
        self, parent: locators.Address, tree: Path, links: dict[str, str], urls: dict[str, str], depth: int
    ) -> None:
        if depth > self.limits.submodule_depth:
            raise failures.too_large("nests its submodules too deeply", f"{self.limits.submodule_depth} levels")
        for path, commit in sorted(links.items()):
            url = urls.get(path)
            if url is None:
                self._warn(f"The submodule {path} has no address in .gitmodules and was left out.")
                continue
            self.modules += 1
            if self.modules > self.limits.submodules:
                raise failures.too_large(f"has {self.modules} submodules", f"{self.limits.submodules}")
            await self._submodule(parent, tree, path, url, commit, depth)

    async def _submodule(
        self, parent: locators.Address, tree: Path, path: str, url: str, commit: str, depth: int
    ) -> None:
        address = submodule_address(parent, path, url, alone=self.alone)
        target = tree / path
        if not stays_inside(tree, target):
            raise Invalid(f"The submodule {path} would be placed outside the source.", code="source_submodule_refused")
        target.mkdir(parents=True, exist_ok=True)
        self.log(f"Fetching submodule {path}")
        env = self._environment(address)
        store = self.place / f"module-{self.modules}"
        found, _ = await self._obtain(address, store, None, commit, env)
        await self._check_out(address, store, target, found, env, depth=depth)
        await asyncio.to_thread(trees.remove, store)


def submodule_address(parent: locators.Address, path: str, url: str, *, alone: bool = False) -> locators.Address:
    """Where a submodule is fetched from; Invalid when it would reach what its parent may not."""
    try:
        address = locators.parse(locators.relative_to(parent, url))
    except Invalid as problem:
        raise Invalid(
            f"The submodule {path} has an address that is not fetched.",
            code="source_submodule_refused",
            hint=problem.hint,
            phase="detect",
        ) from None
    if address.protocol == "file" and (alone or parent.protocol != "file"):
        raise Invalid(
            f"The submodule {path} points at files of this machine.",
            code="source_submodule_refused",
            hint="Give the submodule an https or ssh address.",
            phase="detect",
        )
    if address.protocol == "ssh" and parent.protocol == "https" and address.host == parent.host:
        # The token that opens the parent opens its neighbours, while no key is at hand for ssh.
        return locators.parse(f"https://{parent.url.split('/')[2]}/{address.path.lstrip('/')}")
    return address


def _names_large_files(tree: Path) -> bool:
    return b"filter=lfs" in (beginning(tree / ATTRIBUTES, MOST_ATTRIBUTES) or b"")


def _shown(address: locators.Address) -> str:
    """An address as messages may show it."""
    return address.url.partition("?")[0]


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
