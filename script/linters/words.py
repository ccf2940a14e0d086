"""The project speaks of itself alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from complaint import Complaint, Linter, Source

# Put together here, so that this file does not complain about itself.
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org", "npmjs" + ".com", "deb.debian" + ".org",
              "registry-1.docker" + ".io", "security.debian" + ".org")  # fmt: skip
HOSTS = re.compile("|".join(re.escape(host) for host in REGISTRIES))
WORKSHOP = re.compile("/wor" + r"k/(main|wt|shared|venv|tmp)\b")


def of_itself_alone(source: Source) -> Iterator[Complaint]:
    if source.vendored or source.path == "NOTICE":
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        for pattern, why in ((HOSTS, "names a package registry"), (WORKSHOP, "names a path of one machine")):
            found = pattern.search(line)
            if found:
                yield Complaint(source.path, number, f"`{found.group()}` {why}")


BANNER = re.compile(r"^\s*#\s*([-=#*~])\1{4,}")


def no_banners(source: Source) -> Iterator[Complaint]:
    if not source.python:
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        if BANNER.match(line):
            yield Complaint(source.path, number, "a banner; a file that needs one is two rooms")


LINTERS = (
    Linter("of-itself-alone", "No registry host names, no paths of one machine.", of_itself_alone),
    Linter("no-banners", "Comments say why; none is a banner.", no_banners),
)
