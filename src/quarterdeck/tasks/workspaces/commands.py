"""The git commands of a workspace, whole (DESIGN rule 7)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from quarterdeck.fleet.git.commands import Command, Environment
from quarterdeck.kernel.vault import Secret
from quarterdeck.tasks.orders import Person
from quarterdeck.tasks.workspaces.places import Places

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HEADS, TAGS = "refs/heads", "refs/tags"
REMOTE = "refs/remotes/origin"
SHELL = ("/bin/sh", "-c", 'eval "$(cat)"; exec /bin/sh -c "$0" </dev/null')
"""Takes a command as its last argument and variables on the standard input (`exports`): what a project says of them
must not reach the program that changes to the agent's user, and values are nobody's to read in a list of processes.
"""


def init(store: Path, env: Environment, *, shared: bool) -> Command:
    """`shared`: readable by the group that the directory belongs to, and by nobody else."""
    options = ("--shared=0640",) if shared else ()
    return Command(("git", "init", "--quiet", "--bare", "--template=", *options, "--", str(store)), env)


def fetch(mirror: Path, url: str, env: Environment) -> Command:
    return Command(
        (
            "git", f"--git-dir={mirror}", "fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head",
            "--no-recurse-submodules", "--no-auto-gc", "--", url, f"+{HEADS}/*:{HEADS}/*", f"+{TAGS}/*:{TAGS}/*",
        ),
        env,
    )  # fmt: skip


def write(path: Path, env: Environment) -> Command:
    """Puts a file with the standard input in the place of whatever is there; a directory stays, and is a failure."""
    return Command(("/bin/sh", "-c", 'rm -f -- "$0.$$" && cat > "$0.$$" && mv -fT -- "$0.$$" "$0"', str(path)), env)


def repack(mirror: Path, env: Environment) -> Command:
    """Few packs instead of one for each fetch; nothing is dropped that a worktree may borrow."""
    return Command(("git", f"--git-dir={mirror}", "repack", "--quiet", "--geometric=2", "-d"), env)


def refs(store: Path, prefixes: tuple[str, ...], env: Environment) -> Command:
    return Command(("git", f"--git-dir={store}", "for-each-ref", "--format=%(objectname) %(refname)", *prefixes), env)


def containing(store: Path, commit: str, env: Environment) -> Command:
    """Prints a branch that has the commit; fails where that is not known here."""
    arguments = ("for-each-ref", "--count=1", "--format=%(refname)", f"--contains={commit}", HEADS)
    return Command(("git", f"--git-dir={store}", *arguments), env)


def set_refs(store: Path, env: Environment) -> Command:
    """Takes its changes on the standard input (`git update-ref --stdin -z`)."""
    return Command(("git", f"--git-dir={store}", "update-ref", "--stdin", "-z"), env)


def resolve(store: Path, revision: str, env: Environment) -> Command:
    arguments = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    return Command(("git", f"--git-dir={store}", *arguments), env)


def is_ancestor(store: Path, older: str, newer: str, env: Environment) -> Command:
    """Ends with 0 for yes, 1 for no, more where a commit is not known here."""
    return Command(("git", f"--git-dir={store}", "merge-base", "--is-ancestor", older, newer), env)


def merge_base(store: Path, one: str, other: str, env: Environment) -> Command:
    return Command(("git", f"--git-dir={store}", "merge-base", one, other), env)


def add_worktree(places: Places, task_id: int, branch: str, commit: str, env: Environment) -> Command:
    """Without its files: those are written by `read_tree`, with no configuration but ours."""
    return Command(
        (
            "git", f"--git-dir={places.base}", "worktree", "add", "--quiet", "--force", "--no-checkout", "--no-track",
            "-B", branch, "--", str(places.tree(task_id)), commit,
        ),
        env,
    )  # fmt: skip


def prune(base: Path, env: Environment) -> Command:
    return Command(("git", f"--git-dir={base}", "worktree", "prune", "--expire=now"), env)


def move_ref(store: Path, ref: str, new: str, why: str, env: Environment) -> Command:
    return Command(("git", f"--git-dir={store}", "update-ref", "-m", why, ref, new), env)


def read_tree(commit: str, env: Environment, *, old: str | None = None) -> Command:
    """Write the files of `commit`; from `old` on, only where nothing that was changed is lost."""
    how = ("--reset", "-u", commit) if old is None else ("-m", "-u", old, commit)
    return Command(("git", "read-tree", *how), env)


def refresh(env: Environment) -> Command:
    return Command(("git", "update-index", "-q", "--refresh"), env)


def unmerged(env: Environment) -> Command:
    return Command(("git", "ls-files", "-z", "--unmerged"), env)


def changed(env: Environment) -> Command:
    """Names of files that were changed or are new and not ignored."""
    return Command(("git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"), env)


def add(env: Environment) -> Command:
    """Takes what is added on the standard input."""
    return Command(("git", "add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul"), env)


def write_tree(env: Environment) -> Command:
    return Command(("git", "write-tree"), env)


def tree_of(store: Path, commit: str, env: Environment) -> Command:
    arguments = ("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")
    return Command(("git", f"--git-dir={store}", *arguments), env)


def commit_tree(tree: str, parents: tuple[str, ...], env: Environment) -> Command:
    """Takes the message on the standard input."""
    given = tuple(word for parent in parents for word in ("-p", parent))
    return Command(("git", "commit-tree", *given, "-F", "-", tree), env)


def statistics(store: Path, older: str, newer: str, env: Environment) -> Command:
    arguments = ("diff", "--shortstat", "--no-ext-diff", "--no-textconv", "--no-color", older, newer, "--")
    return Command(("git", f"--git-dir={store}", *arguments), env)


def diff(store: Path, older: str, newer: str, env: Environment) -> Command:
    """Of binary files the names alone. Neither the repository's configuration nor its attributes start a program."""
    arguments = (
        "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames", "--submodule=short", "--unified=3",
        "--src-prefix=a/", "--dst-prefix=b/", older, newer, "--",
    )  # fmt: skip
    return Command(("git", f"--git-dir={store}", *arguments), env)


def copy(source: Path, target: Path, env: Environment) -> Command:
    return Command(("cp", "--", str(source), str(target)), env)


def ask(url: str, ref: str, env: Environment) -> Command:
    return Command(("git", "ls-remote", "--", url, ref), env)


def pack(env: Environment) -> Command:
    """Takes on the standard input what is wanted, and `^` before what is not; writes a pack."""
    return Command(("git", "pack-objects", "--revs", "--stdout", "--thin", "--delta-base-offset", "-q"), env)


def take_in(mirror: Path, objects: Path, most: int, env: Environment) -> Command:
    """Reads a pack of at most `most` bytes, and keeps it in `objects` if it is sound and lacks nothing beside the
    mirror. Large files are not held in memory.
    """
    own = {"GIT_OBJECT_DIRECTORY": str(objects), "GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted(mirror / "objects")}
    return Command(
        (
            "git", "-c", "core.bigFileThreshold=16m", "-c", "pack.threads=1", f"--git-dir={mirror}", "index-pack",
            "--strict", "--fix-thin", f"--max-input-size={most}", "--stdin",
        ),
        {**env, **own},
    )  # fmt: skip


def quoted(path: Path) -> str:
    """A directory as an element of a list of git's."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def push(mirror: Path, url: str, commit: str, branch: str, env: Environment, *, over: str | None = None) -> Command:
    """`over` is the commit that an earlier attempt of the same task pushed: only that may be replaced."""
    lease = (f"--force-with-lease={HEADS}/{branch}:{over}",) if over else ()
    return Command(
        (
            "git", f"--git-dir={mirror}", "push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags",
            "--recurse-submodules=no", *lease, "--", url, f"{commit}:{HEADS}/{branch}",
        ),
        env,
    )  # fmt: skip


def staged(
    stage: Path, places: Places, task_id: int, env: Environment, *, index: Path | None = None
) -> dict[str, str | Secret[str]]:
    """The variables with which git looks at a worktree through a directory of ours: no configuration of the
    repository's counts, which whoever works in it could have changed, so neither hooks nor filters of it run.
    """
    return {
        **env,
        "GIT_DIR": str(stage),
        "GIT_WORK_TREE": str(places.tree(task_id)),
        "GIT_INDEX_FILE": str(index or places.administration(task_id) / "index"),
        "GIT_OBJECT_DIRECTORY": str(places.base / "objects"),
    }


def signed(developer: Person) -> Mapping[str, str]:
    """Whose commits they are, as git's variables; characters that git has no place for are left out."""
    name = "".join(one for one in developer.name if one.isprintable() and one not in "<>").strip(" .,:;\"'\\") or "?"
    email = "".join(one for one in developer.email if one.isprintable() and one not in "<> ") or "nobody@invalid"
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }


def remove(paths: Sequence[Path], env: Environment) -> Command:
    return Command(("rm", "-f", "--", *(str(path) for path in paths)), env)


def size(tree: Path, env: Environment) -> Command:
    return Command(("du", "--summarize", "--bytes", "--one-file-system", "--", str(tree)), env)


def exports(variables: Mapping[str, str]) -> bytes:
    """Variables as lines of a shell; what is no name of one is left out."""
    named = {name: value for name, value in variables.items() if _NAME.fullmatch(name) and "\0" not in value}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in named.items()).encode()
