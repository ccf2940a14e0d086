"""Images of an engine: look at, pull, tag, remove."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from quarterdeck.fleet.docker.engine import Engine, decode
from quarterdeck.fleet.docker.filters import Labels, filters
from quarterdeck.fleet.docker.messages import Message, messages
from quarterdeck.kernel.answers import whole
from quarterdeck.kernel.errors import NotFound, ProviderFailure
from quarterdeck.kernel.vault import Secret

LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class RegistryAuth:
    """What a registry wants to see. `server` is its host, or `docker.io`."""

    server: str
    username: str
    password: Secret[str]


class ImageConfig(msgspec.Struct, rename="pascal"):
    env: list[str] | None = None
    cmd: list[str] | None = None
    entrypoint: list[str] | None = None
    exposed_ports: dict[str, dict[str, str]] | None = None
    labels: dict[str, str] | None = None
    user: str = ""
    working_dir: str = ""


class Image(msgspec.Struct, rename="pascal"):
    """What inspecting an image tells."""

    id: str
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    created: str = ""
    size: int = 0
    architecture: str = ""
    os: str = ""
    config: ImageConfig | None = None

    @property
    def exposed_ports(self) -> list[int]:
        """TCP ports that the image declares, ascending."""
        declared = (self.config.exposed_ports if self.config else None) or {}
        named = (port.split("/")[0] for port in declared if port.endswith("/tcp") or "/" not in port)
        return sorted(port for one in named if (port := whole(one, LAST_PORT)) is not None)


class ListedImage(msgspec.Struct, rename="pascal"):
    id: str
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    created: int = 0
    size: int = 0
    labels: dict[str, str] | None = None


class Layer(msgspec.Struct, rename="pascal"):
    """A row of an image's history."""

    created_by: str = ""
    comment: str = ""
    size: int = 0


class Removal(msgspec.Struct, rename="pascal"):
    untagged: str = ""
    deleted: str = ""


def registry_header(auth: RegistryAuth) -> dict[str, str]:
    """`X-Registry-Auth`; made right before it is sent, because it holds the password."""
    server = "https://index.docker.io/v1/" if auth.server in {"docker.io", "index.docker.io"} else auth.server
    body = {"username": auth.username, "password": auth.password.reveal(), "serveraddress": server}
    return {"X-Registry-Auth": base64.urlsafe_b64encode(msgspec.json.encode(body)).decode()}


def split_reference(reference: str) -> tuple[str, str]:
    """`name` and `tag or digest` of an image reference; `latest` when neither stands."""
    if "@" in reference:
        name, _, digest = reference.partition("@")
        return name, digest
    head, colon, tail = reference.rpartition(":")
    return (head, tail) if colon and "/" not in tail else (reference, "latest")


async def inspect(engine: Engine, image: str) -> Image:
    return await engine.get(f"/images/{image}/json", Image)


CONTENT = (
    "Env",
    "Cmd",
    "Entrypoint",
    "User",
    "WorkingDir",
    "ExposedPorts",
    "Volumes",
    "Healthcheck",
    "StopSignal",
    "Shell",
)


async def content(engine: Engine, image: str) -> str:
    """A digest of what an image holds and how it runs, without its labels and times: equal for two builds that took
    every step from the cache, whose ids differ.
    """
    whole = await engine.get(f"/images/{image}/json", dict[str, Any])
    config = whole.get("Config") or {}
    kept = [(whole.get("RootFS") or {}).get("Layers"), {key: config.get(key) for key in CONTENT if config.get(key)}]
    return hashlib.sha256(msgspec.json.encode(kept, order="deterministic")).hexdigest()


async def find(engine: Engine, image: str) -> Image | None:
    try:
        return await inspect(engine, image)
    except NotFound:
        return None


async def listed(engine: Engine, labels: Labels | None = None, **wanted: str) -> list[ListedImage]:
    return await engine.get("/images/json", list[ListedImage], filters(labels, **wanted))


async def history(engine: Engine, image: str) -> list[Layer]:
    return await engine.get(f"/images/{image}/history", list[Layer])


async def tag(engine: Engine, image: str, reference: str) -> None:
    repository, label = split_reference(reference)
    await engine.request("POST", f"/images/{image}/tag", query={"repo": repository, "tag": label})


async def remove(engine: Engine, image: str, *, force: bool = False) -> list[Removal]:
    """Untag, and delete what nothing uses any more; empty if it was gone already."""
    answer = None
    try:
        answer = await engine.request("DELETE", f"/images/{image}", query={"force": str(int(force))})
    except NotFound:
        return []
    return decode(answer.content, list[Removal])


async def pull(
    engine: Engine,
    reference: str,
    *,
    auth: RegistryAuth | None = None,
    platform: str = "",
    on_progress: Callable[[str], Awaitable[None]] | None = None,
) -> Image:
    """Fetch an image and tell what came; progress is one line per change of a layer's status."""
    name, label = split_reference(reference)
    query = {"fromImage": name, "tag": label} | ({"platform": platform} if platform else {})
    seen: dict[str, str] = {}
    headers = registry_header(auth) if auth else {}
    async with engine.stream("POST", "/images/create", query=query, headers=headers) as answer:
        async for message in messages(answer.aiter_bytes()):
            await tell(message, seen, on_progress, reference)
    return await inspect(engine, reference)


async def tell(
    message: Message, seen: dict[str, str], on_progress: Callable[[str], Awaitable[None]] | None, reference: str
) -> None:
    if "no matching manifest" in message.error:
        raise ProviderFailure(
            f"{reference} is not there for this server's processor: {message.error.splitlines()[0][:300]}",
            code="image_architecture_differs",
            hint="Name an image that is made for it too, or deploy to a server of one of its kinds.",
        )
    if message.error:
        raise ProviderFailure(
            f"Pulling {reference} failed: {message.error.splitlines()[0][:300]}",
            code="image_pull_failed",
            hint="Check the image's name and tag, and the registry's credentials.",
        )
    if on_progress and message.status and seen.get(message.id) != message.status:
        seen[message.id] = message.status
        await on_progress(f"{message.id}: {message.status}" if message.id else message.status)


async def load(engine: Engine, content: AsyncIterator[bytes]) -> None:
    """Take images in from what `save` gives. Raises `ProviderFailure` (`image_load_failed`)."""
    headers = {"Content-Type": "application/x-tar"}
    async with engine.stream("POST", "/images/load", query={"quiet": "1"}, content=content, headers=headers) as answer:
        async for message in messages(answer.aiter_bytes()):
            if message.error:
                raise ProviderFailure(
                    f"The engine did not take the image in: {message.error.splitlines()[0][:300]}",
                    code="image_load_failed",
                    hint="Look at the disk and the log of the Docker engine there, then deploy again.",
                )


async def save(engine: Engine, image: str) -> AsyncGenerator[bytes, None]:
    """The image as a tar stream, layers included."""
    async with engine.stream("GET", f"/images/{image}/get") as answer:
        async for chunk in answer.aiter_bytes():
            yield chunk
