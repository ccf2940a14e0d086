"""Go, .NET and Rust: a build stage, and a small image that the result runs on."""

from __future__ import annotations

from quarterdeck.deploy.detection.values import Found, ProgramFacts
from quarterdeck.deploy.planning.drafts.values import Draft, Where
from quarterdeck.deploy.planning.values import ToolRequirement

SMALL_IMAGE = "debian:bookworm-slim"


def go_draft(found: Found, _where: Where) -> Draft:
    facts = found.program or ProgramFacts()
    return Draft(
        base_image=f"golang:{found.version or '1.23'}-bookworm",
        runtime_image=SMALL_IMAGE,
        manifests=facts.manifests,
        install="go mod download",
        build=f"go build -o app {facts.entry or '.'}",
        start="./app",
        artifacts=("app",),
        with_source=True,
        environment={"GIN_MODE": "release"} if found.framework == "gin" else {},
        build_environment={"GOPATH": "/home/app/go", "GOCACHE": "/home/app/.cache/go-build"},
        tools=(ToolRequirement("go", f"Install Go {found.version or '1.23'} on the server.", found.version or "1.23"),),
    )


def rust_draft(found: Found, where: Where) -> Draft:
    facts = found.program or ProgramFacts()
    binary = f"target/release/{facts.name}" if facts.name else None
    environment = {"ROCKET_ADDRESS": where.address} if found.framework == "rocket" else {}
    return Draft(
        base_image=f"rust:{found.version or '1'}-bookworm",
        runtime_image=SMALL_IMAGE if binary else None,
        build="cargo build --release",
        start=f"./{binary}" if binary else None,
        artifacts=(binary,) if binary else (),
        with_source=True,
        environment=environment,
        build_environment={"CARGO_HOME": "/home/app/.cargo"},
        tools=(ToolRequirement("cargo", "Install Rust with Cargo on the server."),),
    )


def dotnet_draft(found: Found, _where: Where) -> Draft:
    facts = found.program or ProgramFacts()
    version = found.version or "8.0"
    project = facts.entry or "."
    quoted = f'"{project}"' if " " in project else project
    assembly = f'"{facts.name}.dll"' if facts.name and " " in facts.name else f"{facts.name}.dll"
    return Draft(
        base_image=f"mcr.microsoft.com/dotnet/sdk:{version}",
        runtime_image=f"mcr.microsoft.com/dotnet/aspnet:{version}",
        build=f"dotnet publish {quoted} -c Release -o out",
        start=f"dotnet {assembly}" if facts.name else None,
        # The content root (settings, wwwroot) is the directory that the program starts in.
        start_directory="out",
        artifacts=("out",),
        environment={"DOTNET_NOLOGO": "1"},
        build_environment={"DOTNET_CLI_TELEMETRY_OPTOUT": "1"},
        tools=(ToolRequirement("dotnet", f"Install the .NET SDK {version} on the server.", version),),
    )
