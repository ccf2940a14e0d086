"""Where the Terraform of a specification comes from: a template of ours, or a commit of a repository."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.specs.fields import Field, Report, Shape, Together, choice, inside, of, text
from quarterdeck.infra.specs.sections import REPOSITORY

PROVIDERS = ("aws", "gcp", "azure", "local")


def _of_kind(found: dict[str, Any], path: str, report: Report) -> None:
    if found["kind"] == "git":
        found["name"] = ""
        for word in ("url", "commit"):
            if not found[word]:
                report.add(inside(path, word), "it is required of a module of the kind git.")
        found["commit"] = found["commit"].lower()
        found["path"] = "/".join(part for part in found["path"].split("/") if part)
        return
    for word in ("url", "commit", "path"):
        if found[word]:
            report.add(inside(path, word), "only a module of the kind git has one.")
        found[word] = ""


MODULE = Shape(
    {
        "kind": Field(choice("bundled", "git"), "bundled"),
        "name": Field(choice(*PROVIDERS), ""),
        "url": Field(REPOSITORY, ""),
        "commit": Field(text(r"[0-9a-fA-F]{40}", "a whole commit, of 40 hexadecimal digits", 40), ""),
        "path": Field(
            text(r"(?!/)(?!(?:.*/)?\.\.?(?:/|$))[A-Za-z0-9._/-]+", "a path below the repository, without ..", 300), ""
        ),
    },
    together=(Together(("kind", "name", "url", "commit", "path"), _of_kind),),
)
SECTION = of(MODULE)
