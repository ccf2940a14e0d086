from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import subprocess
from pathlib import Path

import asyncssh
import pytest

from quarterdeck.deploy.sources.fetch import fetch
from quarterdeck.deploy.sources.git import failures
from quarterdeck.deploy.sources.spec import GitKey, SourceSpec
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import Secret


async def pump(source, target) -> None:
    while data := await source.read(65_536):
        target.write(data)
        await target.drain()


@contextlib.asynccontextmanager
async def ssh_server(home: Path, client: asyncssh.SSHKey, host: asyncssh.SSHKey, port: int = 0):
    """A real SSH server that runs git-upload-pack for the holder of one key."""

    async def serve(process: asyncssh.SSHServerProcess) -> None:
        words = shlex.split(process.command or "")
        if words[:1] != ["git-upload-pack"]:
            process.exit(127)
            return
        environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_COUNT": "1"}
        environment |= {"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        place = str(home / words[1].lstrip("/"))
        child = await asyncio.create_subprocess_exec(
            "git-upload-pack",
            place,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        feeding = asyncio.create_task(pump(process.stdin, child.stdin))
        await asyncio.gather(pump(child.stdout, process.stdout), pump(child.stderr, process.stderr))
        feeding.cancel()
        process.exit(await child.wait())

    keys = asyncssh.import_authorized_keys(client.export_public_key().decode())
    server = await asyncssh.listen(
        "127.0.0.1", port, server_host_keys=[host], authorized_client_keys=keys, process_factory=serve, encoding=None
    )
    try:
        yield server.get_port()
    finally:
        server.close()
        await server.wait_closed()


async def test_a_deploy_key_opens_a_repository_and_the_host_is_pinned_at_the_first_meeting(tmp_path, example):
    key, host, other = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
    credentials = GitKey(Secret(key.export_private_key().decode()))
    known = tmp_path / "known_hosts"
    async with ssh_server(example.home, key, host) as port:
        source = SourceSpec("git-deploy-key", f"ssh://git@127.0.0.1:{port}/app.git", credentials=credentials)
        got = await fetch(source, tmp_path / "d", known_hosts=known)
        assert got.commit == example.third
        assert got.host_key == host.get_fingerprint()
        again = await fetch(source, tmp_path / "e", known_hosts=known)
        assert again.host_key == got.host_key
        stranger = GitKey(Secret(other.export_private_key().decode()))
        with pytest.raises(Problem) as caught:
            await fetch(SourceSpec("git-deploy-key", source.locator, credentials=stranger), tmp_path / "f")
        assert caught.value.code == "source_auth_failed"
    async with ssh_server(example.home, key, other, port):
        with pytest.raises(Problem) as caught:
            await fetch(source, tmp_path / "g", known_hosts=known)
    assert caught.value.code == "source_unreachable"
    assert caught.value.details["reason"] == "host-key-changed"
    assert not any(b"PRIVATE KEY" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("text", "code", "reason", "message"),
    [
        (
            "fatal: unable to access 'https://h/': Could not resolve host: h",
            "source_unreachable",
            "name-unknown",
            "https://h.test/a cannot be fetched: unable to access 'https://h/': Could not resolve host: h.",
        ),
        (
            "remote: Counting\nerror: RPC failed; curl 92\nfatal: early EOF",
            "source_unreachable",
            "connection",
            "https://h.test/a cannot be fetched: RPC failed; curl 92.",
        ),
        (
            "fatal: write error: No space left on device",
            "source_unreachable",
            "disk-full",
            "https://h.test/a cannot be fetched: write error: No space left on device.",
        ),
        (
            "SSL certificate problem: self-signed certificate",
            "source_unreachable",
            "certificate",
            "https://h.test/a cannot be fetched.",
        ),
        (
            "fatal: Authentication failed for 'https://h/'",
            "source_auth_failed",
            None,
            "https://h.test/a does not let us read it: Authentication failed for 'https://h/'.",
        ),
        (
            "fatal: could not read Username for 'https://h': terminal prompts disabled",
            "source_auth_failed",
            None,
            "https://h.test/a does not let us read it.",
        ),
        (
            "fatal: remote error: upload-pack: not our ref 00",
            "source_ref_not_found",
            None,
            "https://h.test/a has no branch, tag or commit main.",
        ),
        (
            "fatal: a\x1b[31mb\x07 " + "c" * 300,
            "source_unreachable",
            "connection",
            "https://h.test/a cannot be fetched: a[31mb " + "c" * 192 + "….",
        ),
    ],
)
def test_a_refusal_of_git_is_told_with_its_own_reason_and_what_to_do(text, code, reason, message):
    problem = failures.explain("https://h.test/a", text, "main", with_credentials=False)
    assert (problem.code, problem.details.get("reason")) == (code, reason)
    assert problem.hint
    assert problem.message == message
