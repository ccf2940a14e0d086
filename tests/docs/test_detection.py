"""The table of detection says what the planner does, by the same trees that test the planner."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from docs import pages

FIXTURES = pages.ROOT / "tests" / "deploy" / "detection" / "fixtures"
TEXT = (pages.ROOT / "docs" / "reference" / "detection.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| ") and line.count(" | ") == 4]


def plan(tree: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FIXTURES / tree / "expected.json").read_text(encoding="utf-8"))
    return document.get("container", document)


def planners() -> set[str]:
    return {plan(path.parent.name)["planner_key"] for path in FIXTURES.glob("*/expected.json")} - {"custom"}


def row(planner: str) -> list[str]:
    return next(cells for cells in ROWS if f"`{planner}`" in cells[1])


@pytest.mark.parametrize("planner", sorted(planners()))
def test_every_planner_has_a_row(planner: str) -> None:
    assert row(planner)


@pytest.mark.parametrize(
    "tree",
    ["nextjs", "remix", "astro-static", "vite-static", "express", "fastapi", "django", "flask", "java-maven-wrapper",
     "ruby-rails", "php-plain", "go-command", "rust-axum", "elixir-phoenix", "static"],
)  # fmt: skip
def test_a_row_names_the_image_that_is_planned(tree: str) -> None:
    expected = plan(tree)
    named = re.findall(r"`([^`]+)`", row(expected["planner_key"])[2])
    images = {expected["base_image"], expected.get("runtime_image")} - {None, "nginx:1.27-alpine"} or {
        expected["base_image"]
    }
    assert images & set(named), f"{sorted(images)} is not in {named}"


@pytest.mark.parametrize("tree", ["fastapi", "django", "flask"])
def test_a_row_names_the_command_that_is_planned(tree: str) -> None:
    expected = plan(tree)
    start = next(item["command"] for item in expected["commands"] if item["kind"] == "start")
    assert start.replace("3000", "P") in row(expected["planner_key"])[4]


@pytest.mark.parametrize("tree", ["astro-static", "vite-static", "react-static", "sveltekit-static", "nuxt-static"])
def test_a_row_names_the_directory_that_is_published(tree: str) -> None:
    expected = plan(tree)
    assert f"`{expected['publish_directory']}`" in row(expected["planner_key"])[4]


def test_every_tree_is_of_the_suite() -> None:
    assert len(list(Path(FIXTURES).glob("*/expected.json"))) > 50
