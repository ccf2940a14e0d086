"""What an operator may choose. `settings_reading.load` makes it; one that is made by hand has passed no check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from quarterdeck.kernel.amounts import Portion, Size
from quarterdeck.kernel.mail_server import MailServer
from quarterdeck.kernel.places import default_data_dir
from quarterdeck.kernel.vault.secret import Secret

PREFIX = "QUARTERDECK_"
FILE = "quarterdeck.toml"
Port = Annotated[int, Meta(ge=0, le=65_535)]
Cores = Annotated[float, Meta(ge=0.01)]
Seconds = Annotated[int, Meta(ge=1)]


class Site(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A foreign web interface, served with the application on a port of its own."""

    port: Port
    directory: Path


class Settings(Struct, frozen=True, kw_only=True):
    """Every option of `serve`. Port 0 means any free one; an edge port of None means 80 or 443, else a free one.

    What builds, sources and applications may take has no flags: it belongs to an installation, not to a start.
    """

    host: str = "127.0.0.1"
    port: Port = 8700
    data_dir: Path = field(default_factory=default_data_dir)
    database_url: Secret[str] | None = None
    beside: bool = False
    advertised_url: str | None = None
    no_worker: bool = False
    agents: bool = False
    no_edge: bool = False
    edge_http_port: Port | None = None
    edge_https_port: Port | None = None
    public_url: str | None = None
    tls: Literal["auto", "internal", "off"] = "auto"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    acme_email: str | None = None
    acme_directory: str | None = None
    trusted_proxy: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    least_free_disk: Annotated[float, Meta(ge=0, le=100)] = 5.0
    requests_per_address: Annotated[int, Meta(ge=0)] = 18_000
    requests_per_credential: Annotated[int, Meta(ge=0)] = 12_000
    requests_per_runner: Annotated[int, Meta(ge=0)] = 1_200
    release_secret: Secret[str] | None = None
    source_roots: tuple[Path, ...] | None = None
    log_level: str = "info"
    smtp_host: str | None = None
    smtp_port: Annotated[int, Meta(ge=1, le=65_535)] = 587
    smtp_tls: Literal["starttls", "tls", "off"] = "starttls"
    smtp_username: str | None = None
    smtp_password: Secret[str] | None = None
    smtp_sender: str | None = None
    build_memory: Size = 2 << 30
    build_cpus: Cores = 2.0
    build_tasks: Annotated[int, Meta(ge=16)] = 2048
    build_seconds: Seconds = 1800
    build_disk: Size = 10 << 30
    source_size: Size = 1 << 30
    source_seconds: Seconds = 600
    runtime_memory: Portion = Portion(share=0.75)
    runtime_cpus: Cores | None = None
    runtime_log_size: Size = 64 << 20
    artefacts: str | None = None
    artefacts_endpoint: str | None = None
    artefacts_region: str | None = None
    artefacts_access_key: Secret[str] | None = None
    artefacts_secret_key: Secret[str] | None = None
    key_backend: Literal["local", "transit", "aws-kms"] = "local"
    transit_address: str | None = None
    transit_token: Secret[str] | None = None
    transit_mount: str = "transit"
    transit_key: str = "quarterdeck"
    transit_namespace: str | None = None
    transit_ca: Path | None = None
    aws_kms_key: str | None = None
    aws_kms_region: str | None = None
    aws_kms_endpoint: str | None = None
    aws_kms_access_key: Secret[str] | None = None
    aws_kms_secret_key: Secret[str] | None = None
    gitops: bool = False
    github_api: str = "https://api.github.com"
    gitlab_url: str = "https://gitlab.com"
    bitbucket_api: str = "https://api.bitbucket.org"

    @property
    def mail_server(self) -> MailServer | None:
        """Where mails are handed in, if anywhere."""
        if self.smtp_host is None or self.smtp_sender is None:
            return None
        return MailServer(
            self.smtp_host, self.smtp_port, self.smtp_tls, self.smtp_sender, self.smtp_username, self.smtp_password
        )
