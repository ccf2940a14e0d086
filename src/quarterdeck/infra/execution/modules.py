"""The module of an order, in the attempt's directory: a bundled template, or a repository at exactly one commit."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from quarterdeck.fleet.git import commands as git
from quarterdeck.fleet.git import locators
from quarterdeck.fleet.git.commands import GitToken
from quarterdeck.fleet.git.running import tree_size
from quarterdeck.infra.execution import failures, rendering
from quarterdeck.infra.execution.commands import Command
from quarterdeck.infra.execution.orders import Module
from quarterdeck.infra.execution.running import Ran, Running
from quarterdeck.kernel.errors import Invalid, NotFound, Problem, Unavailable
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.vault import Secret

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
BUNDLED = {"local": "local", "aws": "aws", "gcp": "gcp", "azure": "azure", "runner-aws": "runner_aws"}
LARGEST = 500_000_000
"""Bytes of a repository, its history left out."""
LOOK_SECONDS = 0.5
SOURCE = "refs/quarterdeck/source"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REFUSED = re.compile(
    r"could not read (Username|Password)|Authentication failed|terminal prompts disabled|returned error: 40[13]"
)
_UNADVERTISED = re.compile(r"unadvertised object|not our ref|does not allow request")


def _invalid(message: str, hint: str) -> Problem:
    return Invalid(message, code="infra_module_invalid", hint=hint)


def fetch_commands(url: str, store: Path, commit: str | None, env: git.Environment) -> tuple[Command, Command]:
    """Into a new store: the commit alone, or all branches and tags when it is None."""
    fetch = ("git", f"--git-dir={store}", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
             "--no-recurse-submodules")  # fmt: skip
    what = ("--", url, "+refs/heads/*:refs/quarterdeck/heads/*", "+refs/tags/*:refs/quarterdeck/tags/*")
    alone = ("--depth=1", "--", url, f"+{commit}:{SOURCE}")
    return (
        Command(("git", "init", "--quiet", "--bare", "--template=", "--", str(store)), env),
        Command((*fetch, *(what if commit is None else alone)), env),
    )


def checkout_command(store: Path, tree: Path, commit: str, env: git.Environment) -> Command:
    work = ("git", f"--git-dir={store}", f"--work-tree={tree}")
    return Command((*work, "checkout", "--quiet", "--force", "--detach", commit, "--"), env, tree)


def head_command(store: Path, env: git.Environment) -> Command:
    return Command(("git", f"--git-dir={store}", "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}"), env)


async def lay_out(module: Module, root: Path, running: Running, inherited: Mapping[str, str]) -> Path:
    """Answers the directory that terraform runs in. Raises `Invalid` (`infra_module_invalid`, `infra_module_unknown`),
    `NotFound` (`infra_commit_missing`), `Unavailable` (`infra_module_unreachable`).
    """
    try:
        if module.kind == "bundled":
            place = _copied(module.name, root)
        else:
            place = await _Checkout(module, root, running, inherited).done()
        if not rendering.has_sources(place):
            raise _invalid(
                "The directory of the module has no Terraform files.",
                "Name the directory of the root module in `path`.",
            )
        rendering.override_backend(place)
    except OSError as error:
        raise failures.of_file(error, "the module") from None
    return place


def template_files(name: str) -> list[Path]:
    """The files of a bundled template. Those of a specification share their variables."""
    own = sorted((TEMPLATES / BUNDLED[name]).glob("*.tf"))
    return own if name.startswith("runner") else [*own, TEMPLATES / "specification.tf"]


def _copied(name: str, root: Path) -> Path:
    if name not in BUNDLED:
        raise Invalid(
            f"There is no bundled template {shown(name, 60)}.",
            code="infra_module_unknown",
            hint=f"Templates are {', '.join(BUNDLED)}; or use a module of a repository.",
        )
    place = root / "module"
    point("infra.module.copy")
    place.mkdir(mode=0o700)
    for file in template_files(name):
        rendering.write_new(place / file.name, file.read_bytes())
    return place


def directory_of(tree: Path, path: str) -> Path:
    """The directory `path` within `tree`. Raises `Invalid` (`infra_module_invalid`) for whatever could lead out."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith("/") or "\0" in path or "\\" in path or any(part in {"..", ".git"} for part in parts):
        raise _invalid(
            f"The path {shown(path, 120)} may lead out of the repository.", "Give one from the repository's top."
        )
    place = tree
    for part in parts:
        place /= part
        if place.is_symlink():
            raise _invalid(
                f"{shown(path, 120)} goes through a symbolic link of the repository.",
                "Name the directory that it points at.",
            )
    if not place.is_dir():
        raise _invalid(
            f"The repository has no directory {shown(path, 120)} at that commit.", "Correct the path or the commit."
        )
    return place


class _Checkout:
    def __init__(self, module: Module, root: Path, running: Running, inherited: Mapping[str, str]) -> None:
        self._module, self._running = module, running
        self._address = address_of(module)
        self._store, self._tree = root / "git", root / "module"
        token = module.token or self._address.password
        if token:
            running.reporter.keep_secret([token])
        self._env = git.environment(
            self._address,
            root / "home",
            token=GitToken(Secret(token)) if token else None,
            inherited=inherited,
        )

    async def done(self) -> Path:
        commit = self._module.commit
        self._tree.mkdir(mode=0o700)
        if shutil.which("git", path=str(self._env.get("PATH", ""))) is None:
            raise _unreachable(self._shown, "", "Install git on the runner.")
        point("infra.module.fetch")
        ran = await self._fetched(commit)
        if ran.code != 0 and _UNADVERTISED.search(ran.said):
            self._running.reporter.say("The server gives this commit only with its history; fetching all of it.")
            ran = await self._fetched(None)
        if ran.code != 0:
            raise self._explained(ran)
        ran = await self._git(checkout_command(self._store, self._tree, commit, self._env))
        if ran.code != 0:
            raise self._explained(ran)
        head = await self._running.run(head_command(self._store, self._env), "git", capture=1000)
        if head.output.decode(errors="replace").strip() != commit:
            raise NotFound(
                f"What {self._shown} gave out is not the commit {commit}.",
                code="infra_commit_missing",
                hint="Check the repository's server, and name a commit that a branch holds.",
            )
        point("infra.module.fetched")
        return directory_of(self._tree, self._module.path)

    async def _fetched(self, commit: str | None) -> Ran:
        for command in fetch_commands(self._address.url, self._store, commit, self._env):
            ran = await self._git(command)
            if ran.code != 0:
                return ran
        return ran

    async def _git(self, command: Command) -> Ran:
        """Run one command, and end it when the repository outgrows its size."""
        working = asyncio.create_task(self._running.run(command, "git"))
        try:
            while not working.done():
                await asyncio.wait({working}, timeout=LOOK_SECONDS)
                if await asyncio.to_thread(tree_size, self._store.parent) > LARGEST:
                    raise _invalid(
                        f"The repository is larger than {LARGEST // 1_000_000} MB.", "Keep modules in a smaller one."
                    )
            ran = await working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        if ran.why is not None:
            raise failures.interrupted("prepare", orphans=False)
        return ran

    @property
    def _shown(self) -> str:
        return shown(f"{self._address.host}{self._address.path}", 200)

    def _explained(self, ran: Ran) -> Problem:
        if "No space left on device" in ran.said:
            return failures.disk_full("the repository could not be fetched")
        if _REFUSED.search(ran.said):
            return _unreachable(self._shown, "", "It is private or does not exist: check the address and the token.")
        if _UNADVERTISED.search(ran.said) or "unable to read tree" in ran.said or "reference is not a tree" in ran.said:
            return NotFound(
                f"{self._shown} has no commit {self._module.commit}.",
                code="infra_commit_missing",
                hint="Push it, or name another commit.",
            )
        found = re.search(r"^fatal: (.+)$", ran.said, re.MULTILINE)
        said = f": {shown(self._running.reporter.hide(found[1]).strip(' .'), failures.SAID)}" if found else ""
        return _unreachable(self._shown, said, "Check the address, and that the runner reaches it.")


def _unreachable(where: str, said: str, hint: str) -> Problem:
    return Unavailable(f"{where} cannot be fetched{said}.", code="infra_module_unreachable", hint=hint)


def address_of(module: Module) -> locators.Address:
    """Raises `Invalid` (`source_locator_invalid`, `infra_module_invalid`): modules come over http(s) alone, since a
    runner has no key for ssh and its own files are nobody's module.
    """
    address = locators.parse(module.url)
    if address.protocol not in {"http", "https"}:
        raise _invalid("Modules are fetched over https.", "Give an https:// address, and a token where it is private.")
    if not _COMMIT.fullmatch(module.commit):
        raise _invalid("A module is taken at a commit.", "Give all 40 hexadecimal digits of the commit.")
    return address
