"""What is no whole backup of ours is refused before anything is touched; so is a place where it does not belong."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from backups.house import SECRET, House, opens
from e2e.server import PROGRAM, environment
from quarterdeck.backups import taking
from quarterdeck.backups.restoring import Wanted, check, restore
from quarterdeck.backups.taking import take
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.local import LocalBackend
from support.run import SEED

BROKEN = 8
STEPS = ("restore.staged", "restore.loaded", "restore.runtime", "restore.master.key", "restore.quarterdeck.db")


@pytest.fixture
def kept(house: House, tmp_path) -> Path:
    return take(house.data, house.address, tmp_path / "kept.tar.gz", with_key=True)[0]


def refusal(file: Path, house: House, **more) -> str:
    """The code that both the check and the restore refuse with; neither may leave anything."""
    directory = house.directory.parent / "elsewhere"
    codes = set()
    for tried in (lambda wanted: check(file, wanted), lambda wanted: restore(file, directory, wanted)):
        with pytest.raises(Problem) as raised:
            tried(house.wanted(elsewhere=True, **more))
        assert raised.value.hint
        codes.add(raised.value.code)
    assert not directory.exists()
    if house.fresh:
        assert house.rows(restored=True) == {}
    assert len(codes) == 1
    return codes.pop()


def test_a_backup_that_ends_too_early_is_refused_wherever_it_ends(house: House, kept: Path, tmp_path):
    whole = kept.read_bytes()
    draw = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    for length in (2, 40, len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(BROKEN))):
        cut = tmp_path / "cut.tar.gz"
        cut.write_bytes(whole[:length])
        assert refusal(cut, house) in {"backup_damaged", "backup_foreign"}, length


def test_an_altered_backup_is_refused_whatever_was_altered(house: House, kept: Path, tmp_path):
    plain = gzip.decompress(kept.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        places = [(one.name, one.offset_data, one.size) for one in tar if one.size]
    draw = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    for name, begin, size in [*places, *(draw.choice(places) for _ in range(BROKEN))]:
        at = begin + draw.randrange(size)
        altered = bytearray(plain)
        altered[at] ^= 1 << draw.randrange(8)
        file = tmp_path / "altered.tar.gz"
        file.write_bytes(gzip.compress(bytes(altered), 1))
        assert refusal(file, house) in {"backup_damaged", "backup_foreign", "backup_newer_than_program"}, (name, at)


@pytest.mark.parametrize("name", ["backup.json", "manifest.json"])
@pytest.mark.parametrize("byte", [b"\xe5", b"\0", b"[" * 20_000])
def test_a_backup_that_does_not_describe_itself_in_json_is_refused(house: House, kept: Path, tmp_path, name, byte):
    file = tmp_path / "altered.tar.gz"
    manifests = []
    with tarfile.open(kept) as tar, tarfile.open(file, "w:gz") as out:
        for member in tar:
            content = tar.extractfile(member).read() if member.isfile() else b""
            if member.name == name:
                content = content[:40] + byte + content[40:]
            if member.name == "manifest.json.sha256":  # the manifest's sum is right again
                content = content.replace(*(hashlib.sha256(text).hexdigest().encode() for text in manifests))
            if member.name == "manifest.json":
                manifests = [tar.extractfile(member).read(), content]
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    assert refusal(file, house) in {"backup_foreign", "backup_damaged"}


@pytest.mark.parametrize("content", [b"", b"no backup", gzip.compress(b"no tar"), os.urandom(4096)])
def test_a_foreign_file_is_refused(house: House, tmp_path, content):
    file = tmp_path / "foreign"
    file.write_bytes(content)
    assert refusal(file, house) in {"backup_foreign", "backup_damaged"}


def test_somebody_elses_archive_is_refused(house: House, tmp_path):
    file = tmp_path / "their.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        tar.add(__file__, "quarterdeck.db")
    assert refusal(file, house) == "backup_foreign"
    assert refusal(tmp_path / "missing.tar.gz", house) == "backup_unreadable"


@pytest.mark.parametrize("name", ["../escaped", "/etc/escaped", "runtime/../../escaped", "unknown"])
def test_an_archive_that_wants_to_write_elsewhere_is_refused(house: House, kept: Path, tmp_path, name):
    with tarfile.open(kept) as tar:
        head = tar.extractfile("backup.json").read()
    file = tmp_path / "hostile.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for path, content in (("backup.json", head), (name, b"escaped")):
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert refusal(file, house) == "backup_damaged"
    assert not (tmp_path / "escaped").exists()


def test_nothing_is_written_through_a_link(house: House, kept: Path, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    with tarfile.open(kept) as tar:
        head = tar.extractfile("backup.json").read()
    file = tmp_path / "hostile.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        link = tarfile.TarInfo("runtime/releases/one/way")
        link.type, link.linkname = tarfile.SYMTYPE, str(outside)
        content = tarfile.TarInfo("runtime/releases/one/way/file")
        content.size = 4
        first = tarfile.TarInfo("backup.json")
        first.size = len(head)
        tar.addfile(first, io.BytesIO(head))
        tar.addfile(link)
        tar.addfile(content, io.BytesIO(b"evil"))
    assert refusal(file, house) == "backup_damaged"
    assert list(outside.iterdir()) == []


FORGED = [
    *[
        (name, tarfile.SYMTYPE, "is a link")
        for name in ("quarterdeck.db", "logs.db", "runtime", "runtime/releases/one")
    ],
    ("runtime/edge/routes", tarfile.SYMTYPE, "is a link"),
    *[(name, tarfile.DIRTYPE, "is a directory") for name in ("quarterdeck.db", "logs.db", "master.key")],
]


@pytest.mark.parametrize(("name", "kind", "told"), FORGED)
def test_a_forged_backup_with_a_link_or_directory_out_of_place_is_refused(house, kept, tmp_path, name, kind, told):
    """Its manifest agrees with everything in it: whoever forges one can count."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"untouched")
    file = forged(kept, tmp_path / "forged.tar.gz", name, kind, outside)
    with pytest.raises(Problem, match=told):
        check(file, house.wanted(elsewhere=True))
    assert refusal(file, house) == "backup_damaged"
    assert outside.read_bytes() == b"untouched"


def forged(kept: Path, file: Path, name: str, kind: bytes, outside: Path) -> Path:
    """The backup with `name` as a link to `outside` or as a directory, vouched for by its manifest."""
    with tarfile.open(kept) as tar:
        parts = [(one, tar.extractfile(one).read() if one.isreg() else b"") for one in tar]
    entry = {"path": name, "kind": "link", "target": str(outside), "mode": 0o777}
    if kind == tarfile.DIRTYPE:
        entry = {"path": name, "kind": "directory", "mode": 0o755}
    swapped = tarfile.TarInfo(name)
    swapped.type, swapped.mode = kind, entry["mode"]
    swapped.linkname = str(outside) if kind == tarfile.SYMTYPE else ""
    with tarfile.open(file, "w:gz") as made:
        for one, content in parts:
            data = content
            if one.name == "manifest.json":
                made.addfile(swapped)
                told = json.loads(content)
                told["entries"] = [*(row for row in told["entries"] if row["path"] != name), entry]
                data = manifest = json.dumps(told).encode()
            elif one.name == "manifest.json.sha256":
                data = f"{hashlib.sha256(manifest).hexdigest()}  manifest.json\n".encode()
            if one.name != name:
                one.size = len(data)
                made.addfile(one, io.BytesIO(data))
    return file


def test_a_backup_of_a_newer_release_is_refused(house: House, kept: Path, tmp_path):
    for field, value, code in (("schema", "9999", "schema_newer_than_program"), ("version", 2, "backup_newer")):
        file = tmp_path / "newer.tar.gz"
        with tarfile.open(kept) as tar, tarfile.open(file, "w:gz") as made:
            for one in tar:
                content = tar.extractfile(one).read() if one.isreg() else b""
                if one.name == "backup.json":
                    content = json.dumps({**json.loads(content), field: value}).encode()
                    one.size = len(content)
                made.addfile(one, io.BytesIO(content))
        assert refusal(file, house).startswith(code)


def test_a_key_that_opens_nothing_is_refused(house: House, tmp_path):
    file, _ = take(house.data, house.address, tmp_path / "apart.tar.gz")
    wrong = LocalBackend(tmp_path / "wrong.key", Ids())
    wrong.open(create=True)
    assert refusal(file, house, key=tmp_path / "wrong.key") == "backup_key_wrong"


def test_a_damaged_key_is_named_as_it_was_given(house: House, tmp_path):
    file, _ = take(house.data, house.address, tmp_path / "apart.tar.gz")
    given = tmp_path / "given.key"
    given.write_text("no key at all")
    with pytest.raises(Problem) as raised:
        restore(file, tmp_path / "new", house.wanted(key=given, elsewhere=True))
    assert raised.value.message == f"The master key file {given} is damaged at line 1."


def test_a_directory_with_anything_in_it_is_left_alone(house: House, kept: Path):
    before = sorted(house.directory.rglob("*"))
    with pytest.raises(Problem) as raised:
        restore(kept, house.directory, house.wanted())
    assert raised.value.code == "restore_target_not_empty"
    assert sorted(house.directory.rglob("*")) == before


def test_a_directory_in_use_is_left_alone(house: House, kept: Path):
    with house.opened(), pytest.raises(Problem) as raised:
        restore(kept, house.directory, house.wanted())
    assert raised.value.code == "data_directory_in_use"


def test_another_directory_has_to_be_wanted(house: House, kept: Path, tmp_path):
    with pytest.raises(Problem) as raised:
        restore(kept, tmp_path / "other", house.wanted())
    assert raised.value.code == "restore_other_place"
    assert not (tmp_path / "other").exists()


def test_the_kind_of_database_has_to_be_the_same(house: House, kept: Path, tmp_path):
    from quarterdeck.backups.restoring import Wanted

    address = None if house.url else "postgresql://deck@127.0.0.1:1/deck"
    with pytest.raises(Problem) as raised:
        restore(kept, tmp_path / "other", Wanted(address=address, elsewhere=True))
    assert raised.value.code == "restore_other_database"


def test_a_backup_overwrites_nothing_and_leaves_nothing_when_it_cannot_be_made(house: House, kept: Path, tmp_path):
    with pytest.raises(Problem) as raised:
        take(house.data, house.address, kept)
    assert raised.value.code == "backup_exists"
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Problem) as raised:
        take(house.data, house.address, Path("/proc/backup.tar.gz"))
    assert raised.value.code == "backup_failed"
    with pytest.raises(Problem) as raised:
        take(house.data, house.address, tmp_path / "short.tar.gz", passphrase=Secret("short"))
    assert raised.value.code == "backup_passphrase_short"
    assert sorted(tmp_path.iterdir()) == before


def restored(house: House, file: Path, place: Path, cut: str | None = None) -> subprocess.CompletedProcess[str]:
    """`quarterdeck restore` as a process of its own, killed at a point if one is named."""
    arguments = [*PROGRAM, "restore", str(file), "--data-dir", str(house.directory)]
    if house.fresh:
        (place / "url").write_text(house.fresh)
        arguments += ["--database-url", f"@{place / 'url'}"]
    faults = {}
    if cut is not None:
        (place / "cord").mkdir()
        (place / "cord" / "armed").write_text(f"{cut} 1")
        faults = {"QUARTERDECK_FAULTS": str(place / "cord")}
    return subprocess.run(arguments, env=environment(None, **faults), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("step", STEPS)
def test_a_restore_that_is_cut_off_starts_no_server_and_is_begun_again(house: House, kept: Path, tmp_path, step):
    before = house.rows()
    house.wipe()
    done = restored(house, kept, tmp_path, step)
    if house.fresh and step == "restore.quarterdeck.db":  # there is no such file then
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == -9, (done.stdout, done.stderr)
        with pytest.raises(Problem) as raised, house.opened(restored=True):
            pass
        assert raised.value.code == "restore_unfinished"
        with pytest.raises(Problem) as raised:
            take(house.data, house.address, tmp_path / "of-a-part.tar.gz")
        assert raised.value.code == "restore_unfinished"
        again = restored(house, kept, tmp_path)
        assert again.returncode == 0, again.stderr
    assert house.rows(restored=True) == before
    with house.opened(restored=True) as instance:
        assert opens(instance, house) == SECRET


def contents(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_a_refused_second_try_leaves_an_interrupted_restore_as_it_is(house: House, kept: Path, tmp_path):
    before = house.rows()
    house.wipe()
    assert restored(house, kept, tmp_path, "restore.loaded" if house.url else "restore.logs.db").returncode == -9
    left = contents(house.directory)
    assert any(name.startswith(".restoring/") for name in left)
    away = re.sub(r":\d+/", ":1/", house.fresh) if house.fresh else "postgresql://quarterdeck@127.0.0.1:1/none"
    (tmp_path / "foreign").write_bytes(b"no backup")
    tries = [
        (kept, house.directory, Wanted(address=away)),
        (tmp_path / "foreign", house.directory, house.wanted()),
    ]
    if house.url:
        tries.append((kept, house.directory, Wanted()))
    for file, directory, wanted in tries:
        with pytest.raises(Problem):
            restore(file, directory, wanted)
        assert contents(house.directory) == left
    moved = house.directory.rename(tmp_path / "moved")
    with pytest.raises(Problem) as raised:
        restore(kept, moved, house.wanted())
    assert raised.value.code == "restore_other_place"
    assert contents(moved) == left
    moved.rename(house.directory)
    with pytest.raises(Problem) as raised:
        house.data.require_whole()
    assert raised.value.code == "restore_unfinished"
    assert restored(house, kept, tmp_path).returncode == 0
    assert house.rows(restored=True) == before


def test_two_backups_into_one_directory_leave_each_other_alone(house: House, tmp_path, monkeypatch):
    share = tmp_path / "share"
    share.mkdir()
    clock = HeldClock()
    copy = taking._copy
    made = []

    def beside(*asked):
        """While one is written, another begins, of the same installation or of one elsewhere."""
        monkeypatch.setattr(taking, "_copy", copy)
        copied = copy(*asked)
        clock.advance(1)
        made.append(take(house.data, house.address, share, clock=clock)[0])
        monkeypatch.setattr(taking.socket, "gethostname", lambda: "elsewhere")
        clock.advance(1)
        made.append(take(house.data, house.address, share, clock=clock)[0])
        monkeypatch.undo()
        return copied

    monkeypatch.setattr(taking, "_copy", beside)
    made.append(take(house.data, house.address, share, clock=clock)[0])
    assert sorted(share.iterdir()) == sorted(made)
    assert len(made) == 3
    for file in made:
        assert check(file, house.wanted()).header.instance


def test_what_a_killed_backup_left_goes_with_the_next_of_its_own(house: House, tmp_path, monkeypatch):
    share = tmp_path / "share"
    share.mkdir()

    def cut(name):
        if name == "backup.written":
            raise Cut

    monkeypatch.setattr(taking, "point", cut)
    monkeypatch.setattr(taking.shutil, "rmtree", lambda *_a, **_k: None)
    with pytest.raises(Cut):
        take(house.data, house.address, share)
    monkeypatch.undo()
    (left,) = share.iterdir()
    foreign = share / ".quarterdeck-1.tar.gz.0123456789ab.part"
    foreign.mkdir()
    made, _ = take(house.data, house.address, share)
    assert sorted(share.iterdir()) == sorted([foreign, made])
    assert not left.exists()


def test_a_name_that_was_taken_meanwhile_is_not_overwritten(house: House, tmp_path, monkeypatch):
    file = tmp_path / "kept.tar.gz"
    monkeypatch.setattr(taking, "point", lambda _name: file.write_text("of somebody else"))
    with pytest.raises(Problem) as raised:
        take(house.data, house.address, file)
    assert raised.value.code == "backup_exists"
    assert file.read_text() == "of somebody else"


class Cut(BaseException):
    """Ends a process where it stands."""


def test_a_second_try_with_a_broken_file_spoils_nothing(house: House, kept: Path, tmp_path):
    before = house.rows()
    house.wipe()
    assert restored(house, kept, tmp_path, "restore.loaded").returncode == -9
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(kept.read_bytes()[:-1])
    refused = restored(house, broken, tmp_path)
    assert refused.returncode not in {0, -9}
    assert restored(house, kept, tmp_path).returncode == 0
    assert house.rows(restored=True) == before
