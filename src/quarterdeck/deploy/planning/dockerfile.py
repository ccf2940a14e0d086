"""Text of generated Dockerfiles: manifests first, then install, then source; no secret ever in a layer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from quarterdeck.deploy.planning.drafts.values import Draft
from quarterdeck.deploy.planning.nginx import CONFIGURATION_PATH, DOCUMENT_ROOT, SERVER_IMAGE
from quarterdeck.deploy.planning.shell import command_argv

DOCKERFILE_PATH = ".quarterdeck/Dockerfile"
# A number, because account tools differ between base images and some have none.
OWNER = "1000:1000"
SERVER_OWNER = "101:101"


class Recipe(NamedTuple):
    """The commands that won, explicit ones included."""

    install: str | None
    build: str | None
    package: str | None
    start: str | None
    explicit: bool
    """An explicit command replaced one of the planner's; then the result stays on the build image."""
    port: int | None
    arguments: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


def server_dockerfile(draft: Draft, recipe: Recipe) -> str:
    staged = draft.runtime_image is not None and not recipe.explicit
    lines = _build_stage(draft, recipe, name="build" if staged else None)
    directory = "/app" if draft.start_directory == "." or recipe.explicit else f"/app/{draft.start_directory}"
    if staged:
        lines += ["", f"FROM {draft.runtime_image}", "WORKDIR /app"]
        lines += ["RUN chown 1000:1000 /app"]
        if draft.with_source:
            certificates = "/etc/ssl/certs/ca-certificates.crt"
            lines += [f"COPY --from=build {certificates} {certificates}", f"COPY --chown={OWNER} . ."]
        lines += [f"COPY --from=build --chown={OWNER} /app/{path} ./{path}" for path in draft.artifacts]
        lines += [f"USER {OWNER}"]
    if directory != "/app":
        lines.append(f"WORKDIR {directory}")
    environment = dict(draft.environment)
    if recipe.port is not None:
        environment |= {"PORT": str(recipe.port), **_listen(draft, recipe.port)}
    lines += _environment(environment)
    if recipe.port is not None:
        lines.append(f"EXPOSE {recipe.port}")
    if recipe.start:
        lines.append(f"CMD {json.dumps(list(command_argv(recipe.start)))}")
    return "\n".join(lines) + "\n"


def static_dockerfile(draft: Draft, recipe: Recipe, directory: str) -> str:
    """Build where there is something to build, then serve the files without privileges."""
    lines: list[str] = []
    builds = bool(recipe.build or recipe.install or recipe.package)
    if builds:
        lines += [*_build_stage(draft, recipe, name="build"), ""]
    inside = directory.strip("/").removeprefix("./")
    path = "" if inside in {"", "."} else f"{inside}/"
    lines += [f"FROM {SERVER_IMAGE}", f"RUN rm -rf {DOCUMENT_ROOT}/*"]
    words = [f"/app/{path}" if builds else f"./{path}", f"{DOCUMENT_ROOT}/"]
    lines.append(f"COPY {'--from=build ' if builds else ''}{json.dumps(words) if ' ' in path else ' '.join(words)}")
    if not path:
        lines.append(f"RUN rm -rf {DOCUMENT_ROOT}/.quarterdeck")
    lines += [
        f"COPY {CONFIGURATION_PATH} /etc/quarterdeck/nginx.conf",
        f"USER {SERVER_OWNER}",
        f"EXPOSE {recipe.port}",
        'CMD ["nginx", "-e", "stderr", "-c", "/etc/quarterdeck/nginx.conf", "-g", "daemon off;"]',
    ]
    return "\n".join(lines) + "\n"


def _build_stage(draft: Draft, recipe: Recipe, name: str | None) -> list[str]:
    lines = [f"FROM {draft.base_image}" + (f" AS {name}" if name else ""), "WORKDIR /app"]
    lines += [f"RUN {command}" for command in draft.setup]
    owned = " ".join(("/app", "/home/app", *draft.writable))
    lines += [f"RUN mkdir -p {owned} && chown -R {OWNER} {owned}"]
    lines += _environment({"HOME": "/home/app", **draft.build_environment})
    lines += [f"USER {OWNER}"]
    planned = recipe.install == draft.install
    early = bool(draft.manifests) and planned and recipe.install is not None
    extra = [_run(draft.extra_install, recipe.secrets)] if draft.extra_install else []
    if early:
        lines += _copy(draft.manifests)
        lines.append(_run(draft.cached_install or str(recipe.install), recipe.secrets))
        lines += [] if draft.cached_install else extra
    lines.append(f"COPY --chown={OWNER} . .")
    if not early or draft.cached_install:
        lines += [_run(recipe.install, recipe.secrets)] if recipe.install else []
        # Last, because synchronising an environment removes what the project does not list.
        lines += extra
    lines += [f"ARG {argument}" for argument in recipe.arguments]
    lines += [_run(command, recipe.secrets) for command in (recipe.build, recipe.package) if command]
    return lines


def _copy(manifests: Sequence[str]) -> list[str]:
    files = [path for path in manifests if not path.endswith("/")]
    copies = [f"COPY --chown={OWNER} {' '.join(files)} ./"] if files else []
    return copies + [f"COPY --chown={OWNER} {path} ./{path}" for path in manifests if path.endswith("/")]


def _run(command: str, secrets: tuple[str, ...]) -> str:
    text = " && ".join(line.strip() for line in command.splitlines() if line.strip())
    if not secrets:
        return f"RUN {text}"
    mounts = " ".join(f"--mount=type=secret,id={name},uid=1000" for name in secrets)
    exports = " && ".join(f'export {name}="$(cat /run/secrets/{name})"' for name in secrets)
    return f"RUN {mounts} {exports} && {text}"


def _environment(values: dict[str, str]) -> list[str]:
    if not values:
        return []
    words = [f"{name}={_quoted(value)}" for name, value in values.items()]
    return ["ENV " + " \\\n    ".join(words)]


def _quoted(value: str) -> str:
    return value if re.fullmatch(r"[\w./:$@%+,=-]+", value) else json.dumps(value)


def _listen(draft: Draft, port: int) -> dict[str, str]:
    if "dotnet/" in draft.base_image:
        return {"ASPNETCORE_URLS": f"http://+:{port}"}
    if "ROCKET_ADDRESS" in draft.environment:
        return {"ROCKET_PORT": str(port)}
    return {}
