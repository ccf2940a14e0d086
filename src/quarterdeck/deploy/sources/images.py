"""Image locators: `[registry[:port]/]name[:tag][@digest]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quarterdeck.kernel.errors import Invalid

_NAME = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Image:
    name: str
    tag: str | None = None
    digest: str | None = None


def parse(locator: str) -> Image:
    """Raises Invalid. Neither tag nor digest stays so; the engine then takes `latest`."""
    rest, _, digest = locator.strip().removeprefix("docker://").partition("@")
    head, colon, tag = rest.rpartition(":")
    # A colon before a slash belongs to the port of the registry.
    name, tag = (head, tag) if colon and "/" not in tag else (rest, "")
    usable = len(name) <= 255 and _NAME.fullmatch(name) and (not tag or _TAG.fullmatch(tag))
    if not usable or ("@" in locator and not _DIGEST.fullmatch(digest)) or (colon and not tag and rest.endswith(":")):
        raise Invalid(
            "This is not the name of an image.",
            code="source_locator_invalid",
            hint="Use name, name:tag or name@sha256:digest, with the registry in front if it is not the default one.",
        )
    return Image(name, tag or None, digest or None)
