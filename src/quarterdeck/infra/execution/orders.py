"""What an infrastructure job is given. The order carries everything, secrets too: it is made when the job is claimed,
sent, and kept nowhere.

A running attempt reports by `context.record(kind, data)`:

- `phase` `{phase, progress}`: one of `PHASES` begins.
- `plan` `{summary, changes, drift, truncated, drifted, sha256, size, serial, lineage, uploaded, destroy, program,
  version, cost?}`: what a plan would do, without a secret. `serial` and `lineage` are those of the state that it was
  made on, 0 and "" where there was none.
- `applied` `{outputs, cluster, state, summary}`: sensitive outputs are `{"sensitive": true}`.
- `resources` `{provider, resources}`: what a cloud has.
- `stopped` `{phase, reason, orphan_risk, state}`: terraform did not end by itself, or not well.
- `state-lost` `{serial, lineage, resources, kept}`: the state could not be written where it belongs.

Once somebody has asked a job to stop, the ledger takes no more reports of it: who applied when is told by the phases.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

RUN = "infra.run"
"""The kind of the job."""
PHASES = ("prepare", "init", "plan", "upload", "download", "apply", "output", "discover")
SPEC_JOBS = frozenset({"PLAN", "DEPLOY", "DESTROY"})
RUNNER_JOBS = frozenset({"DEPLOY_WORKER", "UPDATE_WORKER", "DESTROY_WORKER"})
CLOUD_JOBS = frozenset({"CONNECTION_TEST", "FETCH_RESOURCES"})
SECONDS, GRACE_SECONDS = 7200, 30
"""How long all of a job may take, and an interrupted terraform to end by itself, unless the order says otherwise."""


class Module(Struct):
    """What is run: a bundled template by its name (`local`, `aws`, `gcp`, `azure`, `runner-aws`), or the directory
    `path` of a repository at exactly the commit `commit`.
    """

    kind: Literal["bundled", "git"]
    name: str = ""
    url: str = ""
    commit: str = ""
    path: str = ""
    token: str | None = None


class Place(Struct):
    """Where state and artefacts of the job are, from the origin of the server that the worker talks to: the state at
    `path` + `/state`, its lock at `/state/lock`, the artefact at `/plan-artifact`. The credential is the job's own,
    short-lived, for HTTP Basic. `server` is where the server's own worker reaches it (`http://127.0.0.1:8700`).
    """

    path: str
    username: str
    password: str
    server: str = ""


class SavedPlan(Struct):
    """The artefact of a PLAN job. `size` is in bytes, `reviewed` the digest of what people read of it
    (`execution.reviewing`): what is applied has to have the same.
    """

    job: str
    sha256: str
    size: int
    reviewed: str = ""


class Cloud(Struct):
    """Whose resources these are, by a federated identity; "" where a provider has no such thing. `session` is what the
    provider is told that takes it up. `own`: the server's own worker does, which has nothing but its environment to
    prove itself by.
    """

    provider: str = ""
    role_arn: str = ""
    external_id: str = ""
    account_id: str = ""
    project_id: str = ""
    service_account_email: str = ""
    wif_config: str = ""
    tenant_id: str = ""
    client_id: str = ""
    subscription_id: str = ""
    subject_token: str = ""
    session: str = ""
    own: bool = False


class InfraOrder(Struct):
    """`job` is the uid of the infrastructure job; `read_only` a look for drift, which uploads nothing. `seconds` is how
    long all of it may take, `grace_seconds` how long an interrupted terraform may take to end by itself.
    """

    job: str
    job_type: str
    module: Module
    place: Place
    read_only: bool = False
    snapshot: dict[str, Any] = field(default_factory=dict)
    plan: SavedPlan | None = None
    cloud: Cloud | None = None
    seconds: int = SECONDS
    grace_seconds: int = GRACE_SECONDS
