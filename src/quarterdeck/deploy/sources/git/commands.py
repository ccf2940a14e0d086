"""The git commands of a fetch, whole."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.fleet.git.commands import Command, Environment

SOURCE = "refs/quarterdeck/source"


def ask_commands(url: str, ref: str | None, env: Environment) -> list[Command]:
    """What the remote calls `ref`, or where its default branch stands."""
    names: tuple[str, ...]
    if ref is None:
        names = ("HEAD",)
    elif ref.startswith("refs/"):
        names = (ref, f"{ref}^{{}}")
    else:
        names = (f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/tags/{ref}^{{}}")
    return [Command(("git", "ls-remote", "--symref", "--", url, *names), env)]


def fetch_commands(url: str, git_directory: Path, wanted: str | None, env: Environment) -> list[Command]:
    """Fetch `wanted` (a full ref or a commit) without history, or everything when it is None."""
    store = f"--git-dir={git_directory}"
    fetch = ("git", store, "fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    if wanted is None:
        refspecs = ("+refs/heads/*:refs/quarterdeck/heads/*", "+refs/tags/*:refs/quarterdeck/tags/*")
        step = Command((*fetch, "--", url, *refspecs), env)
    else:
        step = Command((*fetch, "--depth=1", "--", url, f"+{wanted}:{SOURCE}"), env)
    return [Command(("git", "init", "--quiet", "--bare", "--template=", "--", str(git_directory)), env), step]


def resolve_command(git_directory: Path, revision: str, env: Environment) -> Command:
    arguments = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    return Command(("git", f"--git-dir={git_directory}", *arguments), env)


def describe_command(git_directory: Path, commit: str, env: Environment) -> Command:
    arguments = ("log", "-1", "--no-show-signature", "--format=%an <%ae>%x00%s", commit)
    return Command(("git", f"--git-dir={git_directory}", *arguments), env)


def list_command(git_directory: Path, commit: str, env: Environment) -> Command:
    return Command(("git", f"--git-dir={git_directory}", "ls-tree", "-r", "-l", "-z", "--full-tree", commit), env)


def modules_command(git_directory: Path, commit: str, env: Environment) -> Command:
    arguments = ("config", "--null", "--list", f"--blob={commit}:.gitmodules")
    return Command(("git", f"--git-dir={git_directory}", *arguments), env)


def checkout_command(git_directory: Path, tree: Path, commit: str, env: Environment) -> Command:
    arguments = ("checkout", "--quiet", "--force", "--detach", commit, "--")
    return Command(("git", f"--git-dir={git_directory}", f"--work-tree={tree}", *arguments), env, directory=str(tree))
