"""Terraform's commands and their environment as values. No credential is in an argument or a file.

The backend is configured by the environment alone, because a saved plan keeps what the configuration says of it: it
would speak to the state of the job that made it, and with that job's credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.fleet.processes.supervisor.kin import MARKER
from quarterdeck.infra.execution.orders import Place
from quarterdeck.kernel.vault import Secret

Environment = Mapping[str, str | Secret[str]]
PASSED_ON = (
    "PATH", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "TF_REGISTRY_DISCOVERY_RETRY",
    "TF_REGISTRY_CLIENT_TIMEOUT",
)  # fmt: skip
"""What the host's administrator says about the way out and about providers; all else of the environment stays."""
PLAN_CHANGES = 2
"""The exit status of a plan that would change something, by `-detailed-exitcode`."""
OVERRIDE = "quarterdeck_override.tf"
BACKEND = 'terraform {\n  backend "http" {}\n}\n'


@dataclass(frozen=True)
class Layout:
    """Where one attempt works. `module` is the directory that terraform runs in."""

    root: Path
    module: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def variables(self) -> Path:
        return self.root / "terraform.tfvars.json"

    @property
    def plan(self) -> Path:
        return self.root / "terraform.plan.out"

    @property
    def shown(self) -> Path:
        return self.root / "plan.json"

    @property
    def left_state(self) -> Path:
        """Where terraform puts a state that the backend did not take."""
        return self.module / "errored.tfstate"


@dataclass(frozen=True, eq=False)
class Command:
    argv: tuple[str, ...]
    environment: Environment = field(default_factory=dict, repr=False)
    directory: Path = Path("/")


def environment(
    layout: Layout,
    server: str,
    place: Place,
    inherited: Mapping[str, str],
    cloud: Mapping[str, str] | None = None,
) -> dict[str, str | Secret[str]]:
    """Everything that terraform and its providers learn of the host and of the job. `cloud` are credentials for the
    provider, as variables.
    """
    state = f"{server.rstrip('/')}{place.path}/state"
    values: dict[str, str | Secret[str]] = {name: Secret(value) for name, value in (cloud or {}).items()}
    values |= {name: value for name, value in inherited.items() if name in PASSED_ON}
    return values | {
        MARKER: layout.root.name,
        "HOME": str(layout.home),
        "TMPDIR": str(layout.temporary),
        "TF_DATA_DIR": str(layout.data),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "TF_HTTP_ADDRESS": state,
        "TF_HTTP_LOCK_ADDRESS": f"{state}/lock",
        "TF_HTTP_LOCK_METHOD": "POST",
        "TF_HTTP_UNLOCK_ADDRESS": f"{state}/lock",
        "TF_HTTP_UNLOCK_METHOD": "DELETE",
        "TF_HTTP_RETRY_MAX": "5",
        "TF_HTTP_USERNAME": place.username,
        "TF_HTTP_PASSWORD": Secret(place.password),
    }


def version(program: str) -> tuple[str, ...]:
    return (program, "version", "-json")


def init(program: str, *, locked: bool) -> tuple[str, ...]:
    """`locked`: with exactly the providers of the lock file that stands there."""
    pinned = ("-lockfile=readonly",) if locked else ()
    return (program, "init", "-input=false", "-no-color", "-reconfigure", *pinned)


def plan(program: str, layout: Layout, *, destroy: bool = False) -> tuple[str, ...]:
    """Ends with `PLAN_CHANGES` when something would change."""
    kind = ("-destroy",) if destroy else ()
    return (
        program, "plan", "-input=false", "-no-color", "-detailed-exitcode", *kind,
        f"-var-file={layout.variables}", f"-out={layout.plan}",
    )  # fmt: skip


def show(program: str, layout: Layout) -> tuple[str, ...]:
    return (program, "show", "-json", "-no-color", str(layout.plan))


def apply(program: str, layout: Layout) -> tuple[str, ...]:
    """Carry out the saved plan, and nothing else."""
    return (program, "apply", "-input=false", "-no-color", str(layout.plan))


def output(program: str) -> tuple[str, ...]:
    return (program, "output", "-json", "-no-color")


def push(program: str, layout: Layout) -> tuple[str, ...]:
    """Write the state that terraform left behind to where it belongs."""
    return (program, "state", "push", "-no-color", str(layout.left_state))


def cost(layout: Layout) -> tuple[str, ...]:
    return ("infracost", "breakdown", "--path", str(layout.shown), "--format", "json", "--no-color")
