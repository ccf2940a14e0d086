"""`qd deploy`: from a source to a running address, with everything made that is missing."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated, Any, Literal

from cyclopts import Parameter, validators

from quarterdeck.cli import names, sources
from quarterdeck.cli.following import Watched, ended
from quarterdeck.cli.options import Following
from quarterdeck.cli.preparing import Wish, named_server, prepare
from quarterdeck.cli.session import session

Strategy = Literal["auto", "dockerfile", "docker-compose", "prebuilt-image", "workspace-commands", "static"]


def deploy(
    source: str,
    /,
    *,
    name: Annotated[str | None, Parameter(name=["--name", "-n"])] = None,
    project: Annotated[str | None, Parameter(name=["--project", "-p"])] = None,
    environment: Annotated[str | None, Parameter(name=["--environment", "-e"])] = None,
    server: Annotated[str | None, Parameter(name=["--server", "-s"])] = None,
    branch: Annotated[str | None, Parameter(name=["--branch", "-b"])] = None,
    kind: sources.Kind | None = None,
    key: str | None = None,
    build_on: str | None = None,
    strategy: Strategy | None = None,
    install_command: str | None = None,
    build_command: str | None = None,
    start_command: str | None = None,
    base_directory: str | None = None,
    publish_directory: str | None = None,
    dockerfile: str | None = None,
    compose_file: str | None = None,
    service: str | None = None,
    port: Annotated[int | None, Parameter(validator=validators.Number(gte=1, lte=65535))] = None,
    following: Following = Following(),
) -> None:
    """Ship a folder, a ZIP file, a git repository or an image, and watch it until it runs.

    What is missing is made: the project, the environment, this machine as a server, the resource.
    Deploying the same name again changes what flags say, and deploys.

    qd deploy ./shop
    qd deploy ./shop -p storefront -e staging --port 8080
    qd deploy https://github.com/ada/shop.git --branch main
    qd deploy nginx:alpine --name front --port 80 -o json

    Parameters
    ----------
    source
        A folder, a ZIP file, a git address, or an image. It is a ZIP file when it ends in .zip; a folder when it
        begins with . / or ~ or exists as one; a repository when it has ://, is user@host:path, ends in .git or begins
        with a well-known host; else an image.
    name
        What the resource is called. Default: the last part of the source.
    project
        The project it belongs to; made when missing. Default: QUARTERDECK_PROJECT, else the name.
    environment
        The environment in the project; made when missing. Default: QUARTERDECK_ENVIRONMENT, else production.
    server
        The server to deploy to, by name or id. Default: where it ran last, else the server's own machine.
    branch
        The branch, tag or commit of a repository. Default: the repository's own, or what it was before.
    kind
        Say what the source is instead of having it recognised.
    key
        The stored SSH credential, by name or id, that is a deploy key of the repository (qd credential).
    build_on
        The server whose Docker engine builds the images, by name or id. Default: what it was before, else the one that
        they run on.
    strategy
        How it is built. Default: found out from the source.
    install_command
        Replaces the command that installs dependencies.
    build_command
        Replaces the command that builds.
    start_command
        Replaces the command that starts it.
    base_directory
        The directory inside the source where the application is.
    publish_directory
        The directory with the built files of a static site.
    dockerfile
        The path of the Dockerfile inside the source.
    compose_file
        The path of the Compose file inside the source.
    service
        The service of a Compose file that receives the requests.
    port
        The port that the application listens on.
    """
    found = sources.recognise(source, kind, branch=branch, base_directory=base_directory)
    called = name or found.name
    runtime: dict[str, Any] = {
        "strategy": strategy or _implied(dockerfile, compose_file or service, publish_directory),
        "installCommand": install_command,
        "buildCommand": build_command,
        "startCommand": start_command,
        "publishDirectory": publish_directory,
        "dockerfilePath": dockerfile,
        "dockerComposeFilePath": compose_file,
    }
    wish = Wish(
        source=found,
        name=called,
        project=project or os.environ.get("QUARTERDECK_PROJECT") or called,
        environment=environment or os.environ.get("QUARTERDECK_ENVIRONMENT") or "production",
        server=server,
        runtime={key: value for key, value in runtime.items() if value is not None},
        port=port,
        service=service,
    )
    with session(following) as open_session:
        if key is not None:
            wish = replace(wish, source=found.with_key(str(names.credential(open_session.api, key)["id"])))
        if build_on is not None:
            builder = str(named_server(open_session, build_on)["id"])
            wish = replace(wish, source=replace(wish.source, build_on=builder))
        ready = prepare(open_session, wish)
        body = {**ready.body(), "executionMode": "detached"}
        made = open_session.api.change("deployments.create", body, what="deployment")
        open_session.sent()
        watched = Watched(made["id"], ready.resource, ready.path, ready.server_name)
        ended(open_session, watched, detach=following.detach, timeout=following.timeout)


def _implied(dockerfile: str | None, stack: str | None, publish_directory: str | None) -> Strategy | None:
    """The strategy that another flag speaks of."""
    return "dockerfile" if dockerfile else "docker-compose" if stack else "static" if publish_directory else None
