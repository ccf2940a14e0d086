"""A server whose certificate nobody else believes: its authority is named once, at the sign-in."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.conftest import Result, failed
from cli.contract_server import TOKEN, ContractServer
from quarterdeck.cli import profiles
from support.certificates import issued

Command = Callable[..., Result]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The certificate of `localhost`, with a key in the same file."""
    certificate, key = issued("localhost")
    (tmp_path / "root.crt").write_bytes(key + certificate)
    return tmp_path / "root.crt"


@pytest.fixture
def secured(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContractServer]:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with ContractServer() as made:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(root)
        made._http.socket = context.wrap_socket(made._http.socket, server_side=True)
        made.url = made.url.replace("http://127.0.0.1", "https://localhost")
        made.answers["organizations.current-context"] = lambda *_: {"user": {"username": "ada"}}
        made.outside["GET", "/api/organizations/current-context"] = {"user": {"username": "ada"}}
        made.outside["GET", "/api/projects"] = {"items": []}
        yield made


@pytest.mark.parametrize("way", ["--ca", "SSL_CERT_FILE"])
def test_the_authority_of_a_sign_in_is_believed_by_every_later_command(
    qd: Command, secured: ContractServer, root: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    words = ("login", secured.url, "--token", TOKEN)
    failed(qd(*words), 9, "its certificate is not trusted", f"qd login {secured.url} --ca root.crt")
    if way == "--ca":
        assert qd(*words, "--ca", str(root)).code == 0
    else:
        monkeypatch.setenv("SSL_CERT_FILE", str(root))
        assert qd(*words).code == 0
        monkeypatch.delenv("SSL_CERT_FILE")
    root.unlink()
    assert qd("ls", "projects").code == 0
    assert qd(*words).code == 0, "a sign-in again believes it still"
    assert qd("ls", "projects").code == 0
    kept = json.dumps([one.authorities for one in profiles.load().profiles.values()])
    assert "CERTIFICATE" in kept
    assert "PRIVATE" not in kept


def test_a_file_without_certificates_is_refused(qd: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    for name in ("empty", "missing"):
        failed(qd("login", "https://localhost:9", "--ca", str(tmp_path / name)), 2, "holds no certificates", "--ca")
