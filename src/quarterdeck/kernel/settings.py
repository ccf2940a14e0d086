"""What an operator may choose: flags, then the environment, then a TOML file, then defaults."""

import ipaddress
import os
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from quarterdeck.kernel.amounts import Portion, Share, Size
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.mail_server import MailServer
from quarterdeck.kernel.places import default_data_dir
from quarterdeck.kernel.vault.secret import Secret

PREFIX = "QUARTERDECK_"
FILE = "quarterdeck.toml"
Port = Annotated[int, Field(ge=0, le=65_535)]
Cores = Annotated[float, Field(ge=0.01)]
Seconds = Annotated[int, Field(ge=1)]


class Site(BaseModel):
    """A foreign web interface, served with the application on a port of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: Port
    directory: Path


class Settings(BaseSettings):
    """Every option of `serve`. Port 0 means any free one; an edge port of None means 80 or 443, else a free one.

    What builds, sources and applications may take has no flags: it belongs to an installation, not to a start.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: Port = 8700
    data_dir: Path = Field(default_factory=default_data_dir)
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
    trusted_proxy: Annotated[tuple[str, ...], NoDecode] = ()
    sites: tuple[Site, ...] = ()
    least_free_disk: Annotated[float, Field(ge=0, le=100)] = 5
    requests_per_address: Annotated[int, Field(ge=0)] = 18_000
    requests_per_credential: Annotated[int, Field(ge=0)] = 12_000
    requests_per_runner: Annotated[int, Field(ge=0)] = 1_200
    release_secret: Secret[str] | None = None
    source_roots: Annotated[tuple[Path, ...] | None, NoDecode] = None
    log_level: str = "info"
    smtp_host: str | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    smtp_tls: Literal["starttls", "tls", "off"] = "starttls"
    smtp_username: str | None = None
    smtp_password: Secret[str] | None = None
    smtp_sender: str | None = None
    build_memory: Size = 2 << 30
    build_cpus: Cores = 2.0
    build_tasks: Annotated[int, Field(ge=16)] = 2048
    build_seconds: Seconds = 1800
    build_disk: Size = 10 << 30
    source_size: Size = 1 << 30
    source_seconds: Seconds = 600
    runtime_memory: Annotated[Share, NoDecode] = Portion(share=0.75)
    runtime_cpus: Cores | None = None
    runtime_log_size: Size = 64 << 20
    artefacts: str | None = None
    artefacts_endpoint: str | None = None
    artefacts_region: str | None = None
    artefacts_access_key: Secret[str] | None = None
    artefacts_secret_key: Secret[str] | None = None
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

    @field_validator("artefacts")
    @classmethod
    def _bucket(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must be the bucket for saved plans, such as s3://bucket/prefix")
        return value

    @field_validator("artefacts_endpoint")
    @classmethod
    def _endpoint(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if value is not None and (parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc):
            raise ValueError("must be the address of an object store, such as https://s3.example.com")
        return value

    @model_validator(mode="after")
    def _whole_bucket(self) -> Self:
        if (self.artefacts_access_key is None) != (self.artefacts_secret_key is None):
            raise ValueError("artefacts_access_key and artefacts_secret_key belong together")
        named = (self.artefacts_endpoint, self.artefacts_region, self.artefacts_access_key)
        if self.artefacts is None and any(one is not None for one in named):
            raise ValueError("artefacts_… says how the bucket is reached that artefacts names")
        return self

    @field_validator("smtp_password", "release_secret", "artefacts_access_key", "artefacts_secret_key", mode="before")
    @classmethod
    def _password_in_file(cls, value: Any) -> Any:
        return _in_file(value)

    @model_validator(mode="after")
    def _whole_mail_server(self) -> Self:
        if (self.smtp_host is None) != (self.smtp_sender is None):
            raise ValueError("smtp_host and smtp_sender belong together")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("smtp_username and smtp_password belong together")
        if self.smtp_sender is not None and "@" not in parseaddr(self.smtp_sender)[1]:
            raise ValueError("smtp_sender must be an address such as Quarterdeck <deck@example.com>")
        return self

    @field_validator("data_dir", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("tls_certificate", "tls_key", mode="after")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        path = value.expanduser().absolute()
        if set(str(path)) & set("{}\n") or not path.is_file() or not os.access(path, os.R_OK):
            raise ValueError("must be a PEM file that can be read")
        return path

    @field_validator("acme_directory")
    @classmethod
    def _directory(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme != "https":
            raise ValueError("must be the https:// address of an ACME directory")
        return value

    @model_validator(mode="after")
    def _certain_certificate(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        parts = urlsplit(self.public_url or "")
        asked = self.tls == "auto" and self.tls_certificate is None and parts.scheme == "https" and not self.no_edge
        if asked and _is_address(parts.hostname or ""):
            raise ValueError(
                "certificate authorities know names, not the address in public_url: "
                "use a name, tls_certificate with tls_key, or tls internal"
            )
        return self

    @field_validator("database_url", mode="before")
    @classmethod
    def _from_file(cls, value: Any) -> Any:
        value = _in_file(value)
        if isinstance(value, str) and not value.startswith(("postgres://", "postgresql://")):
            raise ValueError("must be postgresql://user:password@host/database, or @FILE that holds it")
        return value

    @model_validator(mode="after")
    def _several_need_postgresql(self) -> Self:
        if self.beside and self.database_url is None:
            raise ValueError("beside needs database_url: several servers share a PostgreSQL database")
        if self.beside and self.agents:
            raise ValueError("beside and agents exclude each other: agents run where the server that works is")
        return self

    @field_validator("public_url", "advertised_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("must be an address without a path, such as https://deck.example.com")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("github_api", "gitlab_url", "bitbucket_api")
    @classmethod
    def _git_host(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username is not None:
            raise ValueError("must be an address such as https://git.example.com")
        return value.rstrip("/")

    @field_validator("source_roots", mode="before")
    @classmethod
    def _folders(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("source_roots")
    @classmethod
    def _absolute_folders(cls, value: tuple[Path, ...] | None) -> tuple[Path, ...] | None:
        folders = None if value is None else tuple(folder.expanduser() for folder in value)
        for folder in folders or ():
            if not folder.is_absolute():
                raise ValueError(f"{folder} is not the full path of a folder")
        return folders

    @field_validator("trusted_proxy", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("trusted_proxy")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                raise ValueError(f"{network} is neither an address nor a network such as 10.0.0.0/8") from None
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.lower() not in {"debug", "info", "warning", "error"}:
            raise ValueError("must be debug, info, warning or error")
        return value.lower()


def load(flags: dict[str, Any] | None = None, *, config: Path | None = None) -> Settings:
    """Read the settings. `flags` holds those that were given (None means not given).

    The TOML file is `config`, else `QUARTERDECK_CONFIG`, else `quarterdeck.toml` in the data directory where it exists.
    Raises `Invalid` that names every wrong flag, variable or key, and never repeats a value.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    chosen = config or (Path(os.environ[PREFIX + "CONFIG"]) if os.environ.get(PREFIX + "CONFIG") else None)
    if chosen is not None and not chosen.is_file():
        raise Invalid(f"The configuration file {chosen} does not exist.", code="settings_invalid")
    directory = given.get("data_dir") or os.environ.get(PREFIX + "DATA_DIR") or default_data_dir()
    file = chosen or Path(directory).expanduser() / FILE

    class Sourced(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a source that we do not read
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a source that we do not read
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    try:
        return Sourced(**given)
    except ValidationError as error:
        wrong = [f"{_name(str(one['loc'][0]), given, file)}: {_say(one['msg'])}" if one["loc"] else _say(one["msg"])
                 for one in error.errors()]  # fmt: skip
        raise Invalid(
            "The settings are not usable. " + "; ".join(wrong) + ".",
            code="settings_invalid",
            hint="`quarterdeck serve --help` says what each of them takes.",
        ) from None
    except (SettingsError, ValueError) as error:
        what = str(error).split(" from source")[0] if isinstance(error, SettingsError) else f"{file}: {error}"
        raise Invalid(f"The settings cannot be read. {what}.", code="settings_invalid") from None


def _in_file(value: Any) -> Any:
    """What `@FILE` holds; anything else as it is."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).expanduser().read_text().strip()
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror})") from None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _say(message: str) -> str:
    return message.removeprefix("Value error, ")


def _name(field: str, flags: dict[str, Any], file: Path) -> str:
    if field in flags:
        return "--" + field.replace("_", "-")
    variable = PREFIX + field.upper()
    return variable if variable in os.environ else f"{field} in {file}"
