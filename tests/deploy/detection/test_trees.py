"""Hostile and broken sources: detection looks, never runs, never leaves the root and never raises."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarterdeck.deploy.detection import DirectoryTree, MemoryTree, detect
from quarterdeck.deploy.planning import RuntimeProfile, plan

NAMES = [
    "package.json", "angular.json", "next.config.js", "nuxt.config.ts", "svelte.config.js", "vite.config.ts",
    "pyproject.toml", "requirements.txt", "main.py", "app.py", "uv.lock", "poetry.lock", "manage.py", "pom.xml",
    "build.gradle", "gradlew", "Gemfile", "composer.json", "go.mod", "main.go", "a.csproj", "global.json",
    "Cargo.toml", "rust-toolchain", "mix.exs", "index.html", "Dockerfile", "compose.yml", ".nvmrc", ".python-version",
    ".java-version", "pnpm-lock.yaml", "src/app.py", "cmd/a/main.go", "x.jar", ".ruby-version",
]  # fmt: skip
FRAGMENTS = [
    '{"scripts": {"start": 3}, "dependencies": []}', '{"dependencies": {"next": null, "react": {}}}', "[1, 2]", "{",
    '{"engines": {"node": ">=x || 3 - 1"}, "packageManager": "yarn@"}', '{"projects": {"a": {"architect": []}}}',
    "[project]\ndependencies = 3\n", "[tool.poetry]\ndependencies = []\n", "[package]\nname = []\n[[bin]]\nname=1\n",
    "services: {a: {ports: [{target: x}, 3, [1]]}}",
    "services: &a\n  <<: *a\n", "a: [*b]", "FROM\nEXPOSE $PORT 99999",
    "FROM a AS b\nEXPOSE 80/tcp",
    "app = FastAPI()\n", "fastapi\nflask\n-e .\n", "go x\nmodule\n", "\x00\x01", "\ufeff{}",
    '{"workspaces": 1, "scripts": {"build": "x", "export": "y"}}', '{"sdk": {"version": 3}}', "[" * 100_000,
]  # fmt: skip
FILES = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=80), st.binary(max_size=40)),
    max_size=8,
)
PROFILES = st.builds(
    RuntimeProfile,
    strategy=st.sampled_from(
        ["auto", "dockerfile", "docker-compose", "workspace-commands", "static", "prebuilt-image"]
    ),
    start_command=st.one_of(st.none(), st.text(min_size=1, max_size=20)),
    build_command=st.one_of(st.none(), st.text(min_size=1, max_size=20)),
    publish_directory=st.one_of(st.none(), st.sampled_from(["dist", "/", "../x", "a b", "\x00"])),
    build_target=st.one_of(st.none(), st.just("b")),
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES, PROFILES, st.sampled_from(["docker-container", "host-process"]))
def test_no_tree_and_no_profile_makes_planning_raise(files, runtime, target) -> None:
    found = detect(MemoryTree(files), publish_directory=runtime.publish_directory)
    made = plan(found, source_kind="git-public", runtime=runtime, target=target)
    assert made.readiness.ready == (not [item for item in made.warnings if item.category == "blocked"])
    if made.readiness.ready and made.build_strategy == "workspace-commands":
        assert any(command.kind == "start" for command in made.commands)
    if made.dockerfile:
        assert made.dockerfile.startswith("FROM ")


def test_a_symbolic_link_out_of_the_tree_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text('{"dependencies": {"express": "1"}, "scripts": {"start": "node ."}}')
    source = tmp_path / "source"
    source.mkdir()
    (source / "package.json").symlink_to(tmp_path / "outside.json")
    (source / "up").symlink_to(tmp_path, target_is_directory=True)
    (source / "round").symlink_to(source, target_is_directory=True)
    tree = DirectoryTree(source)
    assert tree.paths() == ()
    assert tree.read("package.json", 100) is None
    assert tree.read("up/outside.json", 100) is None
    assert not tree.exists("../outside.json")
    assert detect(tree).application.planner == "custom"


def test_a_symbolic_link_inside_the_tree_counts(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("flask\n")
    (tmp_path / "requirements.txt").symlink_to("real.txt")
    assert detect(DirectoryTree(tmp_path)).application.planner == "flask"


def test_a_base_directory_that_leaves_the_root_reads_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "index.html").write_text("secret")
    found = detect(DirectoryTree(tmp_path / "source", ".."))
    assert [issue.code for issue in found.issues] == ["missing-source-root"]


def test_pipes_loops_and_unreadable_names_do_not_hold_detection_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "package.json")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "index.html").write_text("x")
    os.close(os.open(os.fsencode(tmp_path) + b"/bad-\xff", os.O_CREAT | os.O_WRONLY))
    started = time.monotonic()
    assert detect(DirectoryTree(tmp_path)).application.planner == "static"
    assert time.monotonic() - started < 5


def test_a_huge_manifest_is_a_reason_not_an_answer(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_bytes(b" " * 3_000_000)
    made = plan(detect(DirectoryTree(tmp_path)), source_kind="local-folder")
    assert made.readiness.reason_codes == ("ambiguous-framework-evidence",)
    assert "larger than 1024 KiB" in made.warnings[0].message


def test_a_tree_larger_than_the_bound_says_that_it_was_cut(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number:02}.txt").touch()
    tree = DirectoryTree(tmp_path, max_files=10)
    assert len(tree.paths()) == 10
    assert detect(tree).truncated


def test_long_hostile_lines_are_searched_in_reasonable_time() -> None:
    hostile = {
        "main.py": "a:" + " " * 200_000 + "\nasync def app(scope" + ", receive" * 20_000,
        "requirements.txt": "fastapi\n" + "-" * 200_000,
        "Dockerfile": "\n" * 400_000 + "FROM " + "--x " * 50_000,
        "pom.xml": "<parent>" * 30_000,
        "Gemfile": "gem " + "(" * 100_000,
        "mix.exs": "app:" + " " * 200_000,
        "go.mod": "module\t" + "\t" * 200_000,
    }
    started = time.process_time()
    detect(MemoryTree(hostile))
    assert time.process_time() - started < 5
