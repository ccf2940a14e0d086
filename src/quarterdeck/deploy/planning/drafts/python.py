"""Python: a private environment, the project's dependencies, and the server that the start command names."""

from __future__ import annotations

from quarterdeck.deploy.detection.python import chosen_target
from quarterdeck.deploy.detection.values import Found, PythonFacts
from quarterdeck.deploy.detection.versions import PYTHON_DEFAULT
from quarterdeck.deploy.planning.drafts.values import Draft, Where
from quarterdeck.deploy.planning.shell import programs
from quarterdeck.deploy.planning.values import ToolRequirement

ENVIRONMENT = "/opt/venv"
# Servers that a start command may name, with what has to be installed for them.
_SERVERS = {"uvicorn": "uvicorn", "gunicorn": "gunicorn", "hypercorn": "hypercorn", "daphne": "daphne"}
_PROVIDERS = {"uvicorn": {"uvicorn", "fastapi-cli"}}
_SYNC = "uv sync --frozen --no-dev"
_POETRY = "poetry install --only main --no-interaction"


def python_draft(found: Found, where: Where, explicit_start: str | None) -> Draft:
    facts = found.python or PythonFacts()
    start = _start(found.planner, facts, where)
    version = found.version or ".".join(map(str, PYTHON_DEFAULT))
    uv = facts.installs_from == "uv.lock"
    install, cached, setup, host_install = _install(facts)
    command = explicit_start or start or ""
    extra = _missing_servers(facts, command)
    pip = f"uv pip install {' '.join(extra)}" if uv else f"pip install {' '.join(extra)}"
    environment = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if facts.python_path:
        environment["PYTHONPATH"] = f"/app/{facts.python_path}"
    return Draft(
        base_image=f"ghcr.io/astral-sh/uv:python{version}-bookworm-slim" if uv else f"python:{version}-slim",
        setup=setup,
        manifests=facts.manifests,
        install=install,
        cached_install=cached,
        extra_install=pip if extra else None,
        start=start,
        environment=environment,
        build_environment={
            "VIRTUAL_ENV": ENVIRONMENT,
            **({"UV_PROJECT_ENVIRONMENT": ENVIRONMENT, "UV_NO_CACHE": "1"} if uv else {"PIP_NO_CACHE_DIR": "1"}),
            "PATH": f"{ENVIRONMENT}/bin:$PATH",
        },
        writable=(ENVIRONMENT,),
        # Without dependencies a host's own python3 will do; `python` is there only in the environment.
        host_prepare="python3 -m venv .venv"
        if not uv and (install or extra or "python" in programs(command))
        else None,
        host_install=host_install,
        host_environment={"PYTHONPATH": facts.python_path} if facts.python_path else {},
        host_path=(".venv/bin",),
        tools=_tools(facts, version),
    )


def _start(planner: str, facts: PythonFacts, where: Where) -> str | None:
    if planner in {"fastapi", "generic-asgi"}:
        target = chosen_target(facts.asgi_targets, "main:app")
        return f"python -m uvicorn {target} --host {where.address} --port {where.port}"
    if planner == "django":
        return f"python {facts.manage_path or 'manage.py'} runserver {where.address}:{where.port}"
    if planner == "flask":
        target = chosen_target(facts.wsgi_targets, "app:app")
        return f"python -m flask --app {target} run --host {where.address} --port {where.port}"
    if planner == "generic-wsgi":
        target = chosen_target(facts.wsgi_targets, "app:app")
        return f"python -m gunicorn {target} --bind {where.address}:{where.port}"
    return None


def _install(facts: PythonFacts) -> tuple[str | None, str | None, tuple[str, ...], str | None]:
    """Return the install command, its manifests-only form, what root prepares, and the form for a host."""
    create = f"python -m venv {ENVIRONMENT}"
    if facts.installs_from == "uv.lock":
        return _SYNC, f"{_SYNC} --no-install-project", (f"uv venv {ENVIRONMENT}",), _SYNC
    if facts.installs_from == "poetry.lock":
        prepare = ("python -m venv /opt/poetry", "/opt/poetry/bin/pip install 'poetry>=2,<3'")
        setup = (*prepare, "ln -s /opt/poetry/bin/poetry /usr/local/bin/poetry", create)
        command = f"{_POETRY} --no-root"
        return command, None, setup, command
    if facts.installs_from == "pyproject.toml":
        return "pip install .", None, (create,), "pip install ."
    if facts.installs_from == "requirements.txt":
        return "pip install -r requirements.txt", None, (create,), "pip install -r requirements.txt"
    return None, None, (create,), None


def _missing_servers(facts: PythonFacts, start: str) -> tuple[str, ...]:
    named = programs(start)
    return tuple(
        package
        for program, package in _SERVERS.items()
        if program in named and not ({package} | _PROVIDERS.get(package, set())) & set(facts.packages)
    )


def _tools(facts: PythonFacts, version: str) -> tuple[ToolRequirement, ...]:
    python = ToolRequirement("python3", f"Install Python {version} with its venv module on the server.", version)
    if facts.installs_from == "uv.lock":
        return (python, ToolRequirement("uv", "Install uv on the server, for example: pipx install uv."))
    if facts.installs_from == "poetry.lock":
        return (python, ToolRequirement("poetry", "Install Poetry on the server, for example: pipx install poetry."))
    return (python,)
