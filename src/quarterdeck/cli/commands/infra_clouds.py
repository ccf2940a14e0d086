"""`qd connector` and `qd cluster`: whom runners become in a cloud, and the clusters that specs have made."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from quarterdeck.cli import infra_documents, infra_naming, infra_pages, infra_states, infra_watching
from quarterdeck.cli.failure import Failure, usage
from quarterdeck.cli.infra_options import Timeout, Watch, one_of
from quarterdeck.cli.infra_session import session
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import about, ago

COMMON, CHANGING = Common(), Changing()
TRUSTED = ("identity_id", "external_id", "issuer", "subject", "audience")
PATIENCE = 600.0
"""Seconds for the test of a connection."""
IdentityId = Annotated[str | None, Parameter(name=["--identity-id", "--id"])]
TestJob = Annotated[str | None, Parameter(name="--test-job-id")]
connector = App(name="connector", help="Connect clouds: whom a runner becomes there. No long-lived key is kept.")
cluster = App(name="cluster", help="See the clusters that specs have made.")


def clusters(*, common: Common = COMMON) -> None:
    """List the clusters that specs have made.

    qd cluster list
    qd cluster list -o csv
    """
    with session(common) as opened:
        found = infra_naming.whole(opened.api, "clusters.list", "clusters")
        if not found and opened.terminal.format == "text":
            opened.terminal.say("There is no cluster yet.")
            return
        rows = [
            [
                str(row.get("cluster_name") or ""),
                opened.terminal.state(infra_states.cluster(row)),
                f"{row.get('spec_project_name') or ''} ({row.get('spec_environment') or ''})",
                str(row.get("spec_region") or ""),
                str(row.get("cluster_version") or ""),
                f"{row.get('node_min_size')} to {row.get('node_max_size')}",
                infra_pages.money(row.get("estimated_monthly_cost")),
                str(row.get("argocd_url") or ""),
            ]
            for row in found
        ]
        columns = ["CLUSTER", "STATE", "SPEC", "REGION", "VERSION", "NODES", "COST", "ARGO CD"]
        identities = [str(row["id"]) for row in found]
        opened.terminal.table(found, columns, rows, names=identities, document={"clusters": found})


def ls(*, common: Common = COMMON) -> None:
    """List the clouds that are connected, and proved to be.

    qd connector list
    """
    with session(common) as opened:
        found = infra_naming.whole(opened.api, "connectors.list", "cloud_identities")
        if not found and opened.terminal.format == "text":
            opened.terminal.say("No cloud is connected; the template local needs none.\nTry:   qd connector aws")
            return
        rows = [[str(row["provider"]), str(row["label"]), ago(row["created_at"]), str(row["id"])] for row in found]
        identities = [str(row["id"]) for row in found]
        columns = ["CLOUD", "LABEL", "CONNECTED", "ID"]
        opened.terminal.table(found, columns, rows, names=identities, document={"cloud_identities": found})


def aws(
    *,
    role_arn: str | None = None,
    identity_id: IdentityId = None,
    test_job_id: TestJob = None,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Connect an AWS account by a role that runners assume. Without --role-arn it says what the role has to trust.

    qd connector aws
    qd connector aws --identity-id 9d0b1c2d-1111-4222-8333-444455556666 --role-arn arn:aws:iam::123456789012:role/deck

    Ends with 0 when a runner has proved it, with 1 when that failed, with 8 when no runner did in time.

    Parameters
    ----------
    role_arn
        The role, once its trust policy has the external id.
    identity_id
        The connection that was begun, as the first call printed it.
    test_job_id
        Go on with a test that was begun: wait for it, and finish.
    timeout
        Seconds to wait for the test. Default: 600.
    """
    credentials = {"role_arn": role_arn} if role_arn else None
    _connect("aws", credentials, identity_id, test_job_id, timeout, changing)


def gcp(
    *,
    wif_config: str | None = None,
    project_id: Annotated[str | None, Parameter(name=["--project-id", "--project"])] = None,
    identity_id: IdentityId = None,
    test_job_id: TestJob = None,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Connect a Google Cloud project by workload identity federation.

    qd connector gcp --wif-config @wif.json

    Ends with 0 when a runner has proved it, with 1 when that failed, with 8 when no runner did in time.

    Parameters
    ----------
    wif_config
        The credential configuration that gcloud has made: @FILE, or - for stdin.
    project_id
        The project, where the configuration takes on no service account that says it.
    identity_id
        A connection that was begun, to be finished.
    test_job_id
        Go on with a test that was begun: wait for it, and finish.
    timeout
        Seconds to wait for the test. Default: 600.
    """
    credentials = {"wif_config": infra_documents.secret(wif_config, "--wif-config")} if wif_config else None
    if credentials is not None and project_id is not None:
        credentials["project_id"] = project_id
    _connect("gcp", credentials, identity_id, test_job_id, timeout, changing)


def azure(
    *,
    tenant_id: str | None = None,
    client_id: str | None = None,
    subscription_id: Annotated[str | None, Parameter(name=["--subscription-id", "--subscription"])] = None,
    identity_id: IdentityId = None,
    test_job_id: TestJob = None,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Connect an Azure subscription by a federated application.

    qd connector azure --tenant-id T --client-id C --subscription-id S

    Ends with 0 when a runner has proved it, with 1 when that failed, with 8 when no runner did in time.

    Parameters
    ----------
    tenant_id
        The directory.
    client_id
        The application.
    subscription_id
        The subscription.
    identity_id
        A connection that was begun, to be finished.
    test_job_id
        Go on with a test that was begun: wait for it, and finish.
    timeout
        Seconds to wait for the test. Default: 600.
    """
    given = {"tenant_id": tenant_id, "client_id": client_id, "subscription_id": subscription_id}
    absent = [f"--{key.replace('_', '-')}" for key, value in given.items() if not value]
    if absent and len(absent) < len(given):
        raise usage(f"{', '.join(absent)} is missing.", "qd connector azure --help")
    credentials = None if absent else {key: str(value) for key, value in given.items()}
    _connect("azure", credentials, identity_id, test_job_id, timeout, changing)


def _connect(
    provider: str,
    credentials: dict[str, str] | None,
    identity: str | None,
    test: str | None,
    timeout: float | None,
    changing: Changing,
) -> None:
    if test is not None and identity is None:
        raise usage("Say which connection the test is of.", "--identity-id ID --test-job-id JOB")
    with session(changing) as opened, about(not_found="qd connector list"):
        begun: Row = {"identity_id": identity}
        if identity is None:
            begun = opened.api.change("connectors.init", provider=provider, what="connection")
            identity = str(begun.get("identity_id") or begun["id"])  # while planning there is but a name for it
        if credentials is None and test is None:
            opened.sent()
            _begun(opened, provider, begun)
            return
        if test is None:
            body = {"identity_id": identity, "credentials": credentials}
            answer = opened.api.change("connectors.connect", body, provider=provider)
            opened.sent()
            test = str(answer["job_id"])
        _proved(opened, provider, identity, test, timeout or PATIENCE)


def _begun(opened: Session, provider: str, begun: Row) -> None:
    """What the cloud has to be told to trust."""
    terminal, identity = opened.terminal, str(begun["identity_id"])
    text = "\n".join(f"{name.replace('_', ' '):<12} {begun[name]}" for name in TRUSTED if begun.get(name))
    terminal.answer(begun, name=identity, text=text)
    then = {
        "aws": "Make a role that trusts this server's runners under that external id, then:\n  "
        f"qd connector aws --identity-id {identity} --role-arn ARN",
        "gcp": "Make a workload identity pool that trusts this issuer, then:\n  "
        f"qd connector gcp --identity-id {identity} --wif-config @FILE",
        "azure": "Make an application that trusts this issuer, then:\n  "
        f"qd connector azure --identity-id {identity} --tenant-id T --client-id C --subscription-id S",
    }
    terminal.say(then[provider])


def _proved(opened: Session, provider: str, identity: str, test: str, timeout: float) -> None:
    again = f"qd connector {provider} --identity-id {identity} --test-job-id {test}"
    try:
        ended = infra_watching.watched(opened, test, Watch(wait=True, timeout=timeout))
    except Failure as failure:
        failure.hint = again
        raise
    infra_watching.succeeded(opened, ended)
    answer = opened.api.change("connectors.verify", {"identity_id": identity, "job_id": test}, provider=provider)
    opened.done(answer, name=identity, text=f"Connected {provider} as {identity}.")


def remove(connector: str | None = None, /, *, identity_id: IdentityId = None, changing: Changing = CHANGING) -> None:
    """Forget a cloud identity. What was made with it stays, and can no longer be changed by it.

    qd connector remove aws --yes

    Parameters
    ----------
    connector
        Its id or label, or its provider where only one has it. Without one a person at a terminal chooses.
    identity_id
        The same, by name.
    """
    with session(changing) as opened, about(not_found="qd connector list", conflict="qd spec list"):
        found = infra_naming.identity(opened, one_of(connector, identity_id, "--identity-id"), option="--identity-id")
        opened.terminal.confirm(f"Forget {found['label']}?")
        body = {"identity_id": found["id"]}
        answer = opened.api.change("connectors.disconnect", body, provider=str(found["provider"]))
        opened.done(answer, name=str(found["id"]), text=f"Forgot {found['label']}.")


cluster.command(clusters, name="list")
for _command in (aws, gcp, azure, remove):
    connector.command(_command)
connector.command(ls, name="list")
