"""What a resource says about itself, as far as a plan depends on it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Strategy = Literal["auto", "dockerfile", "docker-compose", "prebuilt-image", "workspace-commands", "static"]
SourceKind = Literal[
    "local-folder", "local-git", "remote-git", "git-public", "git-github-app", "git-deploy-key", "zip-artifact",
    "dockerfile-inline", "docker-compose-inline", "docker-image", "compose",
]  # fmt: skip
ExposureMode = Literal["none", "reverse-proxy", "direct-port"]


class RuntimeProfile(Struct, frozen=True, omit_defaults=True, kw_only=True):
    strategy: Strategy = "auto"
    install_command: str | None = None
    build_command: str | None = None
    start_command: str | None = None
    runtime_name: str | None = None
    publish_directory: str | None = None
    dockerfile_path: str | None = None
    docker_compose_file_path: str | None = None
    build_target: str | None = None
    health_check_path: str | None = None


class NetworkProfile(Struct, frozen=True, omit_defaults=True, kw_only=True):
    internal_port: int | None = None
    upstream_protocol: Literal["http", "tcp"] = "http"
    exposure_mode: ExposureMode = "reverse-proxy"
    target_service_name: str | None = None
    host_port: int | None = None


class HttpCheck(Struct, frozen=True, kw_only=True):
    method: Literal["GET", "HEAD", "POST", "OPTIONS"] = "GET"
    scheme: Literal["http", "https"] = "http"
    host: str = "localhost"
    port: int | None = None
    path: str = "/"
    expected_status_code: int = 200
    expected_response_text: str | None = None


class HealthPolicy(Struct, frozen=True, kw_only=True):
    """Seconds throughout. The defaults are the documented ones."""

    enabled: bool = True
    type: Literal["http", "command"] = "http"
    interval_seconds: int = 5
    timeout_seconds: int = 5
    retries: int = 10
    start_period_seconds: int = 5
    http: HttpCheck = HttpCheck()
