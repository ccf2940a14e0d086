"""Keys that servers are reached with."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class SshCredential(Identified, Base):
    """A private key under a name (`sshcred_…`), for any number of servers. The key is sealed and never read back."""

    __tablename__ = "fleet_ssh_credentials"
    __table_args__ = (Index("ix_fleet_ssh_credentials_organization_id", "organization_id", "id"),)

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    username: Mapped[str | None] = mapped_column(String(64))
    public_key: Mapped[str] = mapped_column(Text)
    private_key: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]


class ServerCredential(Identified, Base):
    """How one server is signed in to.

    `kind` is `local-ssh-agent` (the agent of the account that the control plane runs as), `ssh-private-key` (a sealed
    key of this server alone) or `stored-ssh-private-key`. `username` wins over the stored credential's.
    """

    __tablename__ = "fleet_server_credentials"
    __table_args__ = (
        Index("uq_fleet_server_credentials_server_id", "server_id", unique=True),
        Index("ix_fleet_server_credentials_credential_id", "credential_id"),
    )

    server_id: Mapped[int] = mapped_column(ForeignKey("fleet_servers.id"))
    kind: Mapped[str] = mapped_column(String(30))
    credential_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_ssh_credentials.id"))
    username: Mapped[str | None] = mapped_column(String(64))
    public_key: Mapped[str | None] = mapped_column(Text)
    private_key: Mapped[str | None] = mapped_column(Text)
    configured_at: Mapped[datetime]


class HostKey(Identified, Base):
    """The one key by which a server proves that it is itself. `algorithm` is unknown until it was seen."""

    __tablename__ = "fleet_host_keys"
    __table_args__ = (Index("uq_fleet_host_keys_server_id", "server_id", unique=True),)

    server_id: Mapped[int] = mapped_column(ForeignKey("fleet_servers.id"))
    algorithm: Mapped[str | None] = mapped_column(String(40))
    fingerprint: Mapped[str] = mapped_column(String(80))
    pinned_at: Mapped[datetime]
