"""ZIP files as sources: what good ones give, and that bad ones give nothing."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import os
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from quarterdeck.deploy.sources.documents import checked
from quarterdeck.deploy.sources.fetch import fetch
from quarterdeck.deploy.sources.normalize import normalize
from quarterdeck.deploy.sources.spec import FetchLimits, SourceSpec
from quarterdeck.kernel.errors import Problem

FILES = {"app.py": "print(1)\n", "web/index.html": "hello\n", "node_modules/x/index.js": "x\n"}
LINK = 0o120777 << 16


def packed(files: dict[str, str | bytes], links: dict[str, str] | None = None, *, mode: int = 0o644) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
        for name, aim in (links or {}).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = LINK
            archive.writestr(entry, aim)
    return made.getvalue()


def source(place: object, **more: str) -> SourceSpec:
    return SourceSpec("zip-artifact", str(place), **more)


async def refused(spec: SourceSpec, place: Path, limits: FetchLimits | None = None, **more: object) -> Problem:
    """The refusal; nothing is left of the attempt."""
    with pytest.raises(Problem) as caught:
        await fetch(spec, place / "d", limits, **more)
    assert not [name for name in os.listdir(place) if name == "d" or name.startswith(".d.")]  # noqa: PTH208
    return caught.value


async def test_a_file_is_unpacked_as_it_was_packed(tmp_path: Path) -> None:
    (tmp_path / "app.zip").write_bytes(packed(FILES, {"same": "web"}, mode=0o755))
    got = await fetch(source(tmp_path / "app.zip"), tmp_path / "d")
    found = {str(path.relative_to(got.tree)) for path in got.tree.rglob("*") if path.is_file()}
    assert found == set(FILES)
    assert (got.tree / "same").readlink() == Path("web")
    assert (got.tree / "app.py").stat().st_mode & 0o777 == 0o755
    assert (got.files, got.commit) == (3, None)
    assert not list((tmp_path / "d").glob("**/*.zip"))
    again = await fetch(source(tmp_path / "app.zip"), tmp_path / "e")
    assert again.revision == got.revision


async def test_one_folder_alone_is_the_application(tmp_path: Path) -> None:
    inside = {f"shop-1a2b3c/{name}": content for name, content in FILES.items()}
    (tmp_path / "app.zip").write_bytes(packed(inside))
    got = await fetch(source(tmp_path / "app.zip"), tmp_path / "d")
    assert (got.tree / "app.py").read_text() == "print(1)\n"
    below = await fetch(source(tmp_path / "app.zip", base_directory="web"), tmp_path / "e")
    assert (below.tree / "index.html").read_text() == "hello\n"


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/out.txt", "..\\out.txt"])
async def test_an_entry_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "app.zip").write_bytes(packed({**FILES, name: "out"}))
    problem = await refused(source(tmp_path / "in" / "app.zip"), tmp_path / "in")
    assert problem.code == "source_archive_invalid"
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize("aim", ["/etc", "../..", "web/../../.."])
async def test_a_link_that_leads_out_is_refused_and_nothing_is_written_through_it(tmp_path: Path, aim: str) -> None:
    (tmp_path / "app.zip").write_bytes(packed(FILES, {"way": aim}))
    assert (await refused(source(tmp_path / "app.zip"), tmp_path)).code == "source_link_leaves_tree"
    (tmp_path / "app.zip").write_bytes(packed({**FILES, "way/evil.txt": "x"}, {"way": aim}))
    assert (await refused(source(tmp_path / "app.zip"), tmp_path)).code == "source_archive_invalid"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["text", "cut", "encrypted", "twice", "lzma", "bzip2", "empty-link", "long", "deep"])
async def test_what_is_no_sound_archive_is_refused(tmp_path: Path, kind: str) -> None:
    content = packed(FILES)
    if kind == "text":
        content = b"PK, or rather not"
    elif kind == "cut":
        content = content[: len(content) // 2]
    elif kind in {"lzma", "bzip2"}:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_LZMA if kind == "lzma" else zipfile.ZIP_BZIP2) as archive:
            archive.writestr("app.py", b"print(1)" * 100)
        content = made.getvalue()
        content = content[:60] + bytes(byte ^ 0xFF for byte in content[60:80]) + content[80:]
    elif kind == "empty-link":
        content = packed(FILES, {"way": ""})
    elif kind in {"long", "deep"}:
        content = packed({("x" * 300 if kind == "long" else "d/" * 2500 + "x"): "x"})
    elif kind == "encrypted":
        content = content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01", 1)
        assert content != packed(FILES)
    else:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("app.py", "1")
            archive.writestr("app.py", "2")
        content = made.getvalue()
    (tmp_path / "app.zip").write_bytes(content)
    problem = await refused(source(tmp_path / "app.zip"), tmp_path)
    assert problem.code == "source_archive_invalid"
    assert "zip -r" in (problem.hint or "")


async def test_limits_count_what_comes_out_whatever_the_archive_says(tmp_path: Path) -> None:
    bomb = packed({"zeros": b"\0" * 30_000_000})
    assert len(bomb) < 100_000
    (tmp_path / "app.zip").write_bytes(bomb)
    assert (await refused(source(tmp_path / "app.zip"), tmp_path, FetchLimits(size=1_000_000))).code == (
        "source_too_large"
    )
    (tmp_path / "app.zip").write_bytes(packed({f"{n}": "x" for n in range(20)}))
    assert (await refused(source(tmp_path / "app.zip"), tmp_path, FetchLimits(files=10))).code == "source_too_large"
    (tmp_path / "app.zip").write_bytes(packed({"x": "x"}) + b"\0" * 2_000_000)
    assert (await refused(source(tmp_path / "app.zip"), tmp_path, FetchLimits(size=1_000_000))).code == (
        "source_too_large"
    )


async def test_a_huge_table_of_contents_is_refused_before_it_is_read(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(300):
            archive.writestr(f"{number}", "")
    content = made.getvalue()
    # It says that it has one entry.
    (tmp_path / "app.zip").write_bytes(content[:-14] + b"\x01\x00\x01\x00" + content[-10:])
    tracemalloc.start()
    try:
        problem = await refused(source(tmp_path / "app.zip"), tmp_path, FetchLimits(files=200))
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    assert problem.code == "source_too_large"
    (tmp_path / "app.zip").write_bytes(content)
    assert (await fetch(source(tmp_path / "app.zip"), tmp_path / "e", FetchLimits(files=300))).files == 300


async def test_folders_count_as_files_do_however_few_entries_name_them(tmp_path: Path) -> None:
    (tmp_path / "app.zip").write_bytes(packed({f"{number}/{'a/' * 50}": "" for number in range(20)}))
    error = await refused(source(tmp_path / "app.zip"), tmp_path, FetchLimits(files=1000))
    assert (error.code, "more than 1000 files and folders" in error.message) == ("source_too_large", True)
    got = await fetch(source(tmp_path / "app.zip"), tmp_path / "d", FetchLimits(files=1020))
    assert got.files == 0


async def test_a_folder_that_lies_too_deep_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app.zip").write_bytes(packed({"a/" * 101: ""}))
    error = await refused(source(tmp_path / "app.zip"), tmp_path)
    assert (error.code, "more than 100 folders deep" in error.message) == ("source_archive_invalid", True)


async def test_unpacking_ends_in_time_though_its_entries_are_empty(tmp_path: Path) -> None:
    (tmp_path / "app.zip").write_bytes(packed({f"{number}/": "" for number in range(100)}))
    error = await refused(source(tmp_path / "app.zip"), tmp_path, FetchLimits(seconds=0))
    assert error.code == "source_timeout"


async def test_a_path_is_read_only_where_sources_may_lie(tmp_path: Path) -> None:
    (tmp_path / "app.zip").write_bytes(packed(FILES))
    problem = await refused(source(tmp_path / "app.zip"), tmp_path, within=[str(tmp_path / "sources")])
    assert problem.code == "source_folder_refused"
    assert (await refused(source(tmp_path / "none.zip"), tmp_path)).code == "source_unreachable"
    (tmp_path / "link.zip").symlink_to(tmp_path / "app.zip")
    assert (await refused(source(tmp_path / "link.zip"), tmp_path)).code == "source_changed"


class Host(BaseHTTPRequestHandler):
    """Gives `/app.zip` to who has the token, sends `/moved.zip` to another origin, and is slow or broken otherwise."""

    seen: list[tuple[str, str | None]]
    other: str

    def do_GET(self) -> None:
        sign_in = self.headers.get("Authorization")
        self.seen.append((self.path, sign_in))
        if self.path == "/moved.zip":
            self.send_response(302)
            self.send_header("Location", f"{self.other}/open.zip")
            self.end_headers()
        elif self.path == "/round.zip":
            self.send_response(302)
            self.send_header("Location", "/round.zip")
            self.end_headers()
        elif self.path == "/app.zip" and sign_in != "Basic " + base64.b64encode(b"x-access-token:s3cret").decode():
            self.send_error(401)
        elif self.path in {"/app.zip", "/open.zip"}:
            content = packed(FILES)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        elif self.path == "/dripping.zip":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.05)
        elif self.path == "/dripping-head.zip":
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.05)
        else:
            self.send_error(404 if self.path == "/none.zip" else 500)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def hosts() -> Iterator[list[tuple[str, type[Host]]]]:
    made = []
    for _ in range(2):
        handler = type("OneHost", (Host,), {"seen": [], "other": made[0][0] if made else ""})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.append((f"http://127.0.0.1:{server.server_port}", handler, server))
    yield [(url, handler) for url, handler, _ in made]
    for _, _, server in made:
        server.shutdown()
        server.server_close()


async def test_an_address_is_fetched_with_its_token_which_goes_nowhere_else(
    tmp_path: Path, hosts: list[tuple[str, type[Host]]]
) -> None:
    (other, there), (url, here) = hosts
    where = url.replace("http://", "http://s3cret@")
    kept, credential = checked({"kind": "zip-artifact", "locator": f"{where}/app.zip"})
    assert kept["locator"] == f"{url}/app.zip"
    assert "s3cret" not in str(kept)
    assert "s3cret" in (credential or "")
    got = await fetch(normalize(source(f"{where}/app.zip")), tmp_path / "d")
    assert got.files == 3
    moved = await fetch(normalize(source(f"{where}/moved.zip")), tmp_path / "e")
    assert moved.revision == got.revision
    assert here.seen[-1][1] is not None
    assert there.seen == [("/open.zip", None)]
    assert other


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/app.zip", "source_auth_failed"),
        ("/none.zip", "source_unreachable"),
        ("/broken.zip", "source_unreachable"),
        ("/round.zip", "source_unreachable"),
    ],
)
async def test_what_an_address_refuses_is_told(
    tmp_path: Path, hosts: list[tuple[str, type[Host]]], path: str, code: str
) -> None:
    problem = await refused(source(hosts[1][0] + path), tmp_path)
    assert problem.code == code
    assert problem.hint


@pytest.mark.parametrize("part", ["dripping", "dripping-head"])
async def test_an_address_that_gives_a_byte_now_and_then_is_given_up_in_time(
    tmp_path: Path, hosts: list[tuple[str, type[Host]]], part: str
) -> None:
    began = time.monotonic()
    problem = await refused(source(f"{hosts[1][0]}/{part}.zip"), tmp_path, FetchLimits(seconds=1))
    assert problem.code == "source_timeout"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("part", ["dripping", "dripping-head"])
async def test_who_cancels_does_not_wait_for_the_address(
    tmp_path: Path, hosts: list[tuple[str, type[Host]]], part: str
) -> None:
    fetching = asyncio.create_task(fetch(source(f"{hosts[1][0]}/{part}.zip"), tmp_path / "d"))
    await asyncio.sleep(0.5)
    began = time.monotonic()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert time.monotonic() - began < 20
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
async def test_a_way_of_packing_that_knows_no_limits_is_refused(tmp_path: Path, way: int) -> None:
    with zipfile.ZipFile(tmp_path / "app.zip", "w", way) as archive:
        archive.writestr("zeros", bytes(200_000_000))
    tracemalloc.start()
    problem = await refused(source(tmp_path / "app.zip"), tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem.code == "source_archive_invalid"
    assert peak < 20_000_000


@pytest.mark.parametrize("locator", ["ftp://h/app.zip", "ssh://h/app.zip", "app.zip", "/a/../b.zip", "https://"])
def test_what_could_never_be_fetched_is_refused_at_once(locator: str) -> None:
    with pytest.raises(Problem) as caught:
        normalize(source(locator))
    assert caught.value.code == "source_locator_invalid"
