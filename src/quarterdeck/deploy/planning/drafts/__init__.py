"""One draft per language: what a finding means for images, commands and tools."""

from __future__ import annotations

from quarterdeck.deploy.detection.values import Found
from quarterdeck.deploy.planning.drafts.compiled import SMALL_IMAGE, dotnet_draft, go_draft, rust_draft
from quarterdeck.deploy.planning.drafts.jvm import java_draft
from quarterdeck.deploy.planning.drafts.node import node_draft
from quarterdeck.deploy.planning.drafts.python import python_draft
from quarterdeck.deploy.planning.drafts.scripting import elixir_draft, php_draft, ruby_draft
from quarterdeck.deploy.planning.drafts.values import Draft, Where


def draft(found: Found, where: Where, *, static: bool, explicit_start: str | None) -> Draft:
    """Draft the application that was found; a source without any known language gives a bare image."""
    family = found.family
    if family == "node":
        return node_draft(found, where, static=static)
    if family == "python":
        return python_draft(found, where, explicit_start)
    simple = {
        "java": java_draft, "ruby": ruby_draft, "php": php_draft, "go": go_draft, "dotnet": dotnet_draft,
        "rust": rust_draft, "elixir": elixir_draft,
    }.get(family)  # fmt: skip
    if simple is not None:
        return simple(found, where)
    return Draft(base_image=SMALL_IMAGE, publish_directory=found.static.directory if found.static else None)


__all__ = ["Draft", "Where", "draft"]
