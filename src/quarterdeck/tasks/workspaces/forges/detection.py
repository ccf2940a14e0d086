"""Which forge a repository lives at, where its API is, and what the repository is called there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from quarterdeck.fleet.git.locators import Address

Kind = Literal["github", "gitlab", "gitea"]
PUBLIC: dict[str, tuple[Kind, str]] = {
    "github.com": ("github", "https://api.github.com"),
    "gitlab.com": ("gitlab", "https://gitlab.com/api/v4"),
    "codeberg.org": ("gitea", "https://codeberg.org/api/v1"),
    "gitea.com": ("gitea", "https://gitea.com/api/v1"),
}
NAMED: tuple[tuple[str, Kind], ...] = (
    ("gitlab", "gitlab"),
    ("gitea", "gitea"),
    ("forgejo", "gitea"),
    ("github", "github"),
)
"""Words in the name of a host of one's own that tell what runs there."""
PATHS: dict[Kind, str] = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1"}


@dataclass(frozen=True, slots=True)
class Forge:
    """`api` is the base address of its API without a slash at the end, `repository` is `owner/name` (with more parts
    where groups are nested).
    """

    kind: Kind
    api: str
    repository: str


def detect(address: Address, kind: Kind | None, api: str | None) -> Forge | None:
    """None where neither what was said nor the host's name tells. `api` may leave the API's own path out."""
    path = address.path.strip("/").removesuffix(".git").strip("/")
    host = (address.host or "").removeprefix("ssh.").removeprefix("altssh.")
    public = PUBLIC.get(host)
    found: Kind | None = kind or (public[0] if public else next((one for word, one in NAMED if word in host), None))
    if found is None or "/" not in path:
        return None
    if api:
        return Forge(found, _whole(found, api), _below(path, api))
    if public and public[0] == found:
        return Forge(found, public[1], path)
    scheme = "http" if address.protocol == "http" else "https"
    where = f"[{host}]" if ":" in host else host
    port = f":{address.port}" if address.port and address.protocol in {"http", "https"} else ""
    return Forge(found, f"{scheme}://{where}{port}{PATHS[found]}", path)


def _whole(kind: Kind, api: str) -> str:
    parts = urlsplit(api)
    plain = api.rstrip("/")
    if (parts.hostname or "") == "api.github.com" or parts.path.rstrip("/").endswith(PATHS[kind]):
        return plain
    return plain + PATHS[kind]


def _below(path: str, api: str) -> str:
    """The repository's name at a forge that lives below a path of its host."""
    prefix = urlsplit(api).path.strip("/").partition("api/")[0].strip("/")
    return path.removeprefix(f"{prefix}/") if prefix else path
