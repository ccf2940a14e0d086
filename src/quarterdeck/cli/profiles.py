"""Which servers this person is signed in to: one private file, several profiles."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from quarterdeck.cli.failure import Exit, Failure, usage

DEFAULT = "default"


@dataclass
class Profile:
    """A server and the credential for it. `refresh` is exchanged once for the next pair; `renewal`, of a login by the
    browser, stays and answers another token each time.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    refresh: str | None = field(default=None, repr=False)
    user: str | None = None
    renewal: str | None = field(default=None, repr=False)
    default_project: str | None = None
    """The key of the project that `qd task create` means where none is named."""
    authorities: str | None = field(default=None, repr=False)
    """Certificates in PEM form that are believed for this server, beside those that every program believes."""
    git_tokens: dict[str, str] = field(default_factory=dict, repr=False)
    """This person's own tokens of git hosts, by the names of these; shown to this server with a question about them."""


@dataclass
class Store:
    current: str | None = None
    profiles: dict[str, Profile] = field(default_factory=dict)


def directory() -> Path:
    """`$XDG_CONFIG_HOME/quarterdeck`, else `~/.config/quarterdeck`."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "quarterdeck"


def file() -> Path:
    return directory() / "profiles.json"


def load() -> Store:
    """What is saved; nothing when there is no file. Raises `Failure` for a file that cannot be read."""
    try:
        raw = json.loads(file().read_text())
        profiles = {name: Profile(**values) for name, values in raw.get("profiles", {}).items()}
        return Store(raw.get("current"), profiles)
    except FileNotFoundError:
        return Store()
    except (OSError, ValueError, TypeError, AttributeError):
        raise Failure(
            f"The profiles in {file()} cannot be read.",
            exit=Exit.USAGE,
            code="profiles_unreadable",
            hint=f"rm {file()}   and sign in again with: qd login URL",
        ) from None


@contextlib.contextmanager
def changing() -> Iterator[Store]:
    """Read, change and write the profiles, one process at a time. The file is readable by its owner alone."""
    where = directory()
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(where / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        store = load()
        yield store
        _write(store)
    finally:
        os.close(lock)


def _write(store: Store) -> None:
    target = file()
    temporary = target.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        json.dump(asdict(store), handle, indent=2)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(target)


LOOPBACK = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:|/|$)")
"""A server that listens on its own machine alone has no certificate."""


def origin(url: str) -> str:
    """The address of a server, without a path. Raises `Failure`."""
    candidate = url if "://" in url else f"{'http' if LOOPBACK.match(url) else 'https'}://{url}"
    try:
        parts = urlsplit(candidate)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise usage(
            f"{url} is not the address of a server.", "Give it as https://deck.example.com.", code="url_invalid"
        )
    if parts.path.strip("/") not in {"", "console"}:
        raise usage(f"{url} has a path; a server is served at the root.", f"qd login {parts.scheme}://{parts.netloc}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def chosen(name: str | None) -> tuple[str | None, Profile]:
    """The profile to use and its name: the environment first, then `--profile`, then the current one.

    `QUARTERDECK_URL` alone keeps the saved credential if a profile with this address exists; `QUARTERDECK_TOKEN` alone
    says nothing, since nobody knows which server it is for.
    """
    url, token = os.environ.get("QUARTERDECK_URL"), os.environ.get("QUARTERDECK_TOKEN")
    if name is None and url and token:
        return None, Profile(origin(url), token)
    store = load()
    if name is None and url:
        address = origin(url)
        for known, profile in store.profiles.items():
            if profile.url == address:
                return known, profile
        return None, Profile(address)
    selected = name or os.environ.get("QUARTERDECK_PROFILE") or store.current
    if selected is None:
        raise Failure(
            "No server is chosen yet.",
            exit=Exit.NOT_SIGNED_IN,
            code="not_signed_in",
            hint="qd login http://127.0.0.1:8700",
        )
    if selected not in store.profiles:
        known = ", ".join(sorted(store.profiles)) or "none"
        raise usage(f"There is no profile {selected}. Known: {known}.", "qd login URL --profile " + selected)
    return selected, store.profiles[selected]
