"""`quarterdeck backup` and `quarterdeck restore`."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from quarterdeck.cli.commands.maintenance import stores
from quarterdeck.cli.commands.serve import database_address
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.options import Common
from quarterdeck.cli.terminal import Terminal

if TYPE_CHECKING:
    from quarterdeck.backups.manifest import Manifest
    from quarterdeck.kernel.vault import Secret

FILES = (".tar.gz", ".tgz")
KEY_WORDS = {
    "apart": "The master key is not in it: keep {} apart, or no secret can be opened again.",
    "plain": "The master key is in it: whoever has the file can read every secret.",
    "passphrase": "The master key is in it, sealed with the passphrase.",
    "backend": "No master key belongs to it: its secrets are opened by the key backend ({}), which has its own backup.",
}


def backup(
    target: str,
    *,
    passphrase: str | None = None,
    with_key: bool = False,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Back the installation up, while the server runs or not: database, logs, and what rollbacks need.

    The master key stays out of it unless you ask: with it, whoever has the file can read every secret.

    quarterdeck backup /mnt/backups
    quarterdeck backup /mnt/backups --passphrase @/root/backup-passphrase
    quarterdeck backup before-the-move.tar.gz --with-key
    quarterdeck backup /mnt/backups --database-url @/etc/quarterdeck/database

    Parameters
    ----------
    target
        A directory to put a new file into, made where it is not there yet; or a new file, which ends in .tar.gz.
    passphrase
        Also take the master key, sealed with this passphrase: @FILE that holds it, or - to read it from stdin.
    with_key
        Also take the master key as it is.
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    """
    if with_key and passphrase is not None:
        raise usage("--with-key and --passphrase exclude each other.", "quarterdeck backup --help")
    one_from_stdin("backup", passphrase, database_url)
    from quarterdeck.backups.taking import take

    secret = read_secret("--passphrase", passphrase)
    terminal = Terminal(common)
    _, data, address = stores(data_dir, database_url, config)
    # Ended by a signal, it takes its draft away as after Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        place = _place(target)
        file, manifest = take(data, address, place, with_key=with_key, passphrase=secret, say=terminal.say)
    finally:
        signal.signal(signal.SIGTERM, before)
    size = file.stat().st_size
    facts = {"file": str(file), "bytes": size, **_facts(manifest)}
    backends = ", ".join(sorted(manifest.backends))
    words = KEY_WORDS[manifest.header.key].format(backends if manifest.header.key == "backend" else data.master_key)
    if backends and manifest.header.key != "backend":
        words += f" Some secrets need the key backend {backends}, too, until quarterdeck vault rotate was run."
    text = f"{file}: {size / 1_000_000:.1f} MB, {_held(manifest)}.\n{words}"
    terminal.answer(facts, name=str(file), text=text)


def _place(target: str) -> Path:
    """A file ends in .tar.gz or .tgz; everything else is a directory, which is made for its owner alone."""
    place = Path(target).expanduser().absolute()
    if place.exists() or (place.name.endswith(FILES) and not target.endswith("/")):
        return place
    try:
        place.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise Failure(
            f"The directory {place} cannot be made ({error.strerror}).",
            exit=Exit.FAILED,
            code="backup_failed",
            hint="Name another one, or a new file that ends in .tar.gz.",
        ) from None
    return place


def restore(
    file: Path,
    *,
    check: Annotated[bool, Parameter(negative="")] = False,
    key: Path | None = None,
    passphrase: str | None = None,
    elsewhere: bool = False,
    database_url: str | None = None,
    data_dir: Path | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Restore a backup into an empty data directory, with the server stopped. With --check only prove it.

    A file that is cut short, altered or none of ours is refused before anything is touched.

    quarterdeck restore --check quarterdeck-20260531T120000Z.tar.gz
    quarterdeck restore quarterdeck-20260531T120000Z.tar.gz --key /mnt/safe/master.key
    quarterdeck restore quarterdeck-20260531T120000Z.tar.gz --passphrase - --data-dir /var/lib/quarterdeck

    Parameters
    ----------
    file
        What `quarterdeck backup` wrote.
    check
        Read the whole backup, compare every checksum, and change nothing.
    key
        The master key, where it is not in the backup.
    passphrase
        The passphrase that the key in the backup is sealed with: @FILE that holds it, or - to read it from stdin.
    elsewhere
        Restore to another directory than it was. Host processes and sites have to be deployed again then.
    database_url
        The empty PostgreSQL database of a backup from PostgreSQL: @FILE that holds postgresql://…, or - for stdin.
    data_dir
        The data directory, as for serve.
    config
        The TOML file, as for serve.
    """
    from quarterdeck.backups.outlived import outlived, told
    from quarterdeck.backups.restoring import Wanted, tries_key
    from quarterdeck.backups.restoring import check as prove
    from quarterdeck.backups.restoring import restore as put_back
    from quarterdeck.kernel.settings_reading import load
    from quarterdeck.kernel.vault.choosing import backends

    one_from_stdin("restore", passphrase, database_url)
    terminal = Terminal(common)
    secret = read_secret("--passphrase", passphrase)
    settings = load({"data_dir": data_dir, "database_url": database_address(database_url)}, config=config)
    address = settings.database_url.reveal() if settings.database_url else None
    known = backends(settings, settings.data_dir / "master.key")
    wanted = Wanted(address=address, key=key, passphrase=secret, elsewhere=elsewhere, backends=known)
    if file.is_dir():
        raise _directory(file)
    manifest = prove(file, wanted) if check else put_back(file, settings.data_dir, wanted)
    header = manifest.header
    what = f"{header.created_at}, schema {header.schema}: {_held(manifest)}"
    facts = {"file": str(file), **_facts(manifest)}
    if check:
        opened = len(manifest.data_keys) if tries_key(manifest, wanted) else None
        facts["dataKeysOpened"] = opened
        text = f"{file} is whole ({what}).\n{_opening(opened, manifest)}"
    else:
        left = outlived(settings.data_dir)
        facts["stillRunning"] = left
        words = ["quarterdeck", "serve", "--data-dir", str(settings.data_dir)]
        if database_url is not None:
            words += ["--database-url", database_url if database_url.startswith("@") else "@FILE"]
        start = shlex.join(words)
        text = (
            f"Restored to {settings.data_dir} ({what}).\nImages are not part of a backup: what ran in containers runs "
            f"again where its image still is, else deploy it again.\n"
        )
        text += "\n".join([*filter(None, [told(left)]), f"Now: {start}"])
    terminal.answer(facts, name=str(file), text=text)


def _opening(data_keys: int | None, manifest: Manifest) -> str:
    """What is known of the secrets in a backup that was proven: how many data keys the master key opened, if tried."""
    backends = ", ".join(sorted(manifest.backends))
    if data_keys is None and backends:
        needs = " and the master key (--key FILE) or the passphrase" if manifest.needs_master_key else ""
        return (
            f"Whether its secrets can be opened was not tried: give the settings of the key backend {backends}{needs}."
        )
    if data_keys is None:
        return "Whether its secrets can be opened was not tried: give the master key (--key FILE) or the passphrase."
    opener = f"The key backend {backends}" if backends else "The master key"
    if backends and manifest.needs_master_key:
        opener = f"The master key, with the key backend {backends},"
    return f"{opener} opens its secrets ({'1 data key' if data_keys == 1 else f'{data_keys} data keys'})."


def _directory(given: Path) -> Failure:
    """Which of the backups that lie in a directory is meant, has to be said."""
    known = sorted(one for ending in FILES for one in given.glob(f"*{ending}"))
    newest = max(known, key=lambda one: one.stat().st_mtime, default=None)
    hint = f"Its newest: quarterdeck restore {shlex.quote(str(newest))}" if newest else "No backup lies there."
    return Failure(f"{given} is a directory; name a file in it.", exit=Exit.USAGE, code="usage", hint=hint)


def _held(manifest: Manifest) -> str:
    releases = len(manifest.releases)
    return f"{manifest.rows:,} rows, {releases} {'release' if releases == 1 else 'releases'}"


def _facts(manifest: Manifest) -> dict[str, object]:
    header = manifest.header
    return {
        "instance": header.instance,
        "createdAt": header.created_at,
        "release": header.release,
        "schema": header.schema,
        "database": header.database,
        "masterKey": header.key,
        "keyBackends": sorted({key.backend for key in manifest.data_keys}),
        "rows": manifest.rows,
        "releases": len(manifest.releases),
        "files": len(manifest.entries),
    }


def one_from_stdin(command: str, *given: str | None) -> None:
    """Raise a usage error where more than one secret is to be read from stdin."""
    if given.count("-") > 1:
        raise usage("Only one of them can be read from stdin.", f"quarterdeck {command} --help")


def read_secret(option: str, given: str | None) -> Secret[str] | None:
    """A secret from a file or stdin; as a word of the command line others could read it."""
    from quarterdeck.kernel.vault import Secret

    if given is None:
        return None
    if given == "-":
        return Secret(sys.stdin.readline().rstrip("\r\n"))
    if not given.startswith("@"):
        raise usage(
            f"{option} takes a file or stdin, because every user of this machine can read command lines.",
            f"{option} @FILE",
        )
    try:
        return Secret(Path(given[1:]).expanduser().read_text(encoding="utf-8").rstrip("\r\n"))
    except OSError as error:
        raise Failure(
            f"{given[1:]} cannot be read ({error.strerror}).", exit=Exit.USAGE, code="usage", hint=f"{option} @FILE"
        ) from None
