"""`qd connector` and `qd cluster`: whom runners become in a cloud, and the clusters that specs have made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from cyclopts import App, Parameter

from quarterdeck.cli import (
    infra_documents,
    infra_naming,
    infra_pages,
    infra_role_making,
    infra_states,
    infra_trusting,
    infra_watching,
)
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.infra_options import Timeout, Watch, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import ago

COMMON, CHANGING = Common(), Changing()
TRUSTED = ("identity_id", "external_id", "issuer", "subject", "audience")
PATIENCE = 600.0
"""Seconds for the test of a connection."""
IdentityId = Annotated[str | None, Parameter(name=["--identity-id", "--id"])]
Manual = Annotated[bool, Parameter(negative="")]
TestJob = Annotated[str | None, Parameter(name="--test-job-id")]
connector = App(name="connector", help="Connect clouds: whom a runner becomes there. No long-lived key is kept.")
cluster = App(name="cluster", help="See the clusters that specs have made.")


@dataclass
class Way:
    """How a cloud is connected: by `credentials` that are known, by those that `make` makes of what `init` answers, or
    by `steps` for a person, who is asked for them after that (`asks`, by their names) where there is one. `policy` is
    what a role has to say, for who knows the steps.
    """

    identity: str | None
    test: str | None
    timeout: float | None
    credentials: dict[str, str] | None = None
    make: Callable[[Session, Row], dict[str, str]] | None = None
    steps: Callable[[Row], list[str]] | None = None
    policy: Callable[[Row], list[str]] | None = None
    asks: dict[str, str] = field(default_factory=dict)
    read: Callable[[dict[str, str]], dict[str, str]] = dict


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


def ls(*, every: Annotated[bool, Parameter(name="--all", negative="")] = False, common: Common = COMMON) -> None:
    """List the clouds that are connected, and proved to be.

    qd connector list
    qd connector list --all

    Parameters
    ----------
    every
        Those, too, that were begun, or that no runner has proved.
    """
    with session(common) as opened:
        known = infra_naming.whole(opened.api, "connectors.list", "cloud_identities", query={"all": True})
        found = [row for row in known if every or row["verified"]]
        terminal = opened.terminal
        if found or terminal.format != "text":
            rows = [
                [
                    str(row["provider"]),
                    str(row["label"]),
                    *(["proved" if row["verified"] else "not proved"] if every else []),
                    ago(row["created_at"]),
                    str(row["id"]),
                ]
                for row in found
            ]
            identities = [str(row["id"]) for row in found]
            columns = ["CLOUD", "LABEL", *(["STATE"] if every else []), "CONNECTED", "ID"]
            terminal.table(found, columns, rows, names=identities, document={"cloud_identities": found})
        elif not known:
            terminal.say("No cloud is connected; the template local needs none.\nTry:   qd connector aws")
        if terminal.format == "text" and (begun := len(known) - len(found)):
            was = "was" if begun == 1 else "were"
            terminal.say(f"{begun} {was} begun, and no runner has proved it: qd connector list --all")


def aws(
    *,
    role_arn: str | None = None,
    role_name: str | None = None,
    region: str | None = None,
    runner_arn: str | None = None,
    manual: Manual = False,
    identity_id: IdentityId = None,
    test_job_id: TestJob = None,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Connect an AWS account by a role that runners take on, under an external id that is drawn here.

    qd connector aws --role-name quarterdeck-runner --region eu-west-1
    qd connector aws --manual
    qd connector aws --identity-id 9d0b1c2d-1111-4222-8333-444455556666 --role-arn arn:aws:iam::123456789012:role/deck

    With --role-name or --region the role is made by the program aws of this machine, after asking. Without any of them
    it says what the role has to trust, and --manual says each step, and asks for the role where somebody can answer.

    Ends with 0 when a runner has proved it, with 1 when that failed, with 8 when no runner did in time.

    Parameters
    ----------
    role_arn
        The role, once its trust policy has the external id.
    role_name
        What the role is called that is made. Default: quarterdeck-runner.
    region
        The region that aws is asked in.
    runner_arn
        Who takes the role on: the user or role of the runner. Default: everybody of the account who may take on roles.
    manual
        Make nothing: print the steps for whoever makes the role.
    identity_id
        The connection that was begun, as the first call printed it.
    test_job_id
        Go on with a test that was begun: wait for it, and finish.
    timeout
        Seconds to wait for the test. Default: 600.
    """
    making = role_name is not None or region is not None or runner_arn is not None
    if role_arn is not None and (making or manual):
        raise usage("--role-arn names a role that is there; nothing is made then.", "qd connector aws --help")
    if test_job_id is not None and making:
        raise usage("--test-job-id goes on with a test; nothing is made then.", "qd connector aws --help")
    name = infra_trusting.role_name(role_name) if role_name is not None else infra_trusting.ROLE
    place = infra_trusting.region(region) if region is not None else None
    runner = infra_trusting.principal(runner_arn) if runner_arn is not None else None
    way = Way(identity_id, test_job_id, timeout)
    if role_arn is not None:
        way.credentials = {"role_arn": role_arn}
    elif manual:
        way.steps = lambda begun: infra_trusting.aws_steps(begun, name, place, runner)
        way.asks = {"role_arn": "ARN of the role"}
    elif making:
        way.make = lambda opened, begun: {"role_arn": infra_role_making.make(opened, begun, name, place, runner)}
    else:
        way.policy = lambda begun: infra_trusting.trust_lines(begun, runner)
    _connect("aws", way, changing)


def gcp(
    *,
    wif_config: str | None = None,
    project_id: Annotated[str | None, Parameter(name=["--project-id", "--project"])] = None,
    manual: Manual = False,
    identity_id: IdentityId = None,
    test_job_id: TestJob = None,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Connect a Google Cloud project by workload identity federation.

    qd connector gcp --manual --project payments-1234
    qd connector gcp --wif-config @wif.json

    Ends with 0 when a runner has proved it, with 1 when that failed, with 8 when no runner did in time.

    Parameters
    ----------
    wif_config
        The credential configuration that gcloud has made: @FILE, or - for stdin.
    project_id
        The project, where the configuration takes on no service account that says it.
    manual
        Print the steps for whoever makes the pool, and ask for the file where somebody can answer.
    identity_id
        A connection that was begun, to be finished.
    test_job_id
        Go on with a test that was begun: wait for it, and finish.
    timeout
        Seconds to wait for the test. Default: 600.
    """
    way = Way(identity_id, test_job_id, timeout)
    if wif_config and manual:
        raise usage("--wif-config is what comes of --manual; give one of them.", "qd connector gcp --help")
    if wif_config:
        way.credentials = {"wif_config": infra_documents.secret(wif_config, "--wif-config")}
        way.credentials |= {"project_id": project_id} if project_id is not None else {}
    elif manual:
        way.steps = lambda begun: infra_trusting.gcp_steps(begun, project_id)
        way.asks = {"wif_config": "File that gcloud has written"}
        way.read = lambda typed: {
            "wif_config": infra_documents.secret(f"@{typed['wif_config']}", "--wif-config"),
            **({"project_id": project_id} if project_id is not None else {}),
        }
    elif project_id is not None and test_job_id is None:
        raise usage("--project says nothing by itself.", "Add --wif-config @FILE, or --manual.")
    _connect("gcp", way, changing)


def azure(
    *,
    tenant_id: str | None = None,
    client_id: str | None = None,
    subscription_id: Annotated[str | None, Parameter(name=["--subscription-id", "--subscription"])] = None,
    manual: Manual = False,
    identity_id: IdentityId = None,
    test_job_id: TestJob = None,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Connect an Azure subscription by a federated application.

    qd connector azure --manual --subscription S
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
    manual
        Print the steps for whoever makes the application, and ask for the ids where somebody can answer.
    identity_id
        A connection that was begun, to be finished.
    test_job_id
        Go on with a test that was begun: wait for it, and finish.
    timeout
        Seconds to wait for the test. Default: 600.
    """
    given = {"tenant_id": tenant_id, "client_id": client_id, "subscription_id": subscription_id}
    known = {key: value for key, value in given.items() if value}
    absent = [f"--{key.replace('_', '-')}" for key in given if key not in known]
    if known and absent and not manual:
        raise usage(f"{', '.join(absent)} is missing.", "qd connector azure --manual")
    way = Way(identity_id, test_job_id, timeout)
    if manual:
        way.steps = lambda begun: infra_trusting.azure_steps(begun, tenant_id, client_id, subscription_id)
        way.asks = {key: f"The {key.replace('_', ' ')}" for key in given if key not in known}
        way.read = lambda typed: {**known, **typed}
    elif known:
        way.credentials = known
    _connect("azure", way, changing)


def _connect(provider: str, way: Way, changing: Changing) -> None:
    identity, test = way.identity, way.test
    if test is not None and identity is None:
        raise usage("Say which connection the test is of.", "--identity-id ID --test-job-id JOB")
    with session(changing) as opened, about(not_found="qd connector list --all", usage="qd connector list --all"):
        credentials = way.credentials
        begun: Row = {"identity_id": identity}
        if identity is None or way.make is not None or way.steps is not None:
            begun = _init(opened, provider, identity)
            identity = str(begun["identity_id"])
        if credentials is None and test is None and way.make is not None:
            credentials = way.make(opened, begun)
        if credentials is None and test is None:
            opened.sent()
            credentials = _begun(opened, provider, begun, way)
            if credentials is None:
                return
        if test is None:
            body = {"identity_id": identity, "credentials": credentials}
            answer = opened.api.change("connectors.connect", body, provider=provider)
            opened.sent()
            test = str(answer["job_id"])
        _proved(opened, provider, identity, test, way.timeout or PATIENCE)


def _init(opened: Session, provider: str, identity: str | None) -> Row:
    """What the cloud has to trust; while planning there is but a name for it. Raises `Failure` where another connection
    than the one that was named is the one that is begun.
    """
    begun: Row = opened.api.change("connectors.init", provider=provider, what="connection")
    begun = {**begun, "identity_id": begun.get("identity_id") or begun["id"]}
    if identity is not None and not opened.api.planning and begun["identity_id"] != identity:
        raise Failure(
            f"{identity} is no connection of yours that was begun and not finished.",
            exit=Exit.CONFLICT,
            code="connection_not_begun",
            hint=f"qd connector {provider} --identity-id {begun['identity_id']}   (the one that is begun)",
        )
    return begun


def _begun(opened: Session, provider: str, begun: Row, way: Way) -> dict[str, str] | None:
    """Say what the cloud has to be told to trust; the credentials where somebody gives them at once."""
    terminal, identity = opened.terminal, str(begun["identity_id"])
    text = "\n".join(f"{name.replace('_', ' '):<12} {begun[name]}" for name in TRUSTED if begun.get(name))
    steps = way.steps(begun) if way.steps is not None else []
    terminal.answer({**begun, "steps": steps} if steps else begun, name=identity, text=text)
    for line in way.policy(begun) if way.policy is not None else steps:
        terminal.say(line)
    then = {
        "aws": ("Make a role that trusts this server's runners under that external id", "--role-arn ARN"),
        "gcp": ("Make a workload identity pool that trusts this issuer", "--wif-config @FILE"),
        "azure": ("Make an application that trusts this issuer", "--tenant-id T --client-id C --subscription-id S"),
    }
    what, options = then[provider]
    command = f"qd connector {provider} --identity-id {identity} {options}"
    terminal.say(f"Then:\n  {command}" if steps else f"{what}, then:\n  {command}")
    if not steps or not terminal.asks or terminal.structured or terminal.format == "name":
        return None
    typed: dict[str, str] = {}
    for key, question in way.asks.items():
        typed[key] = terminal.ask(f"{question} (empty: later)", otherwise=command).strip()
        if not typed[key]:
            return None
    return way.read(typed)


def _proved(opened: Session, provider: str, identity: str, test: str, timeout: float) -> None:
    again = f"qd connector {provider} --identity-id {identity} --test-job-id {test}"
    try:
        ended = infra_watching.watched(opened, test, Watch(wait=True, timeout=timeout))
    except Failure as failure:
        if failure.exit in {Exit.TIMED_OUT, Exit.INTERRUPTED, Exit.UNREACHABLE}:
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
        given = one_of(connector, identity_id, "--identity-id")
        found = infra_naming.identity(opened, given, option="--identity-id", unproved=True)
        opened.terminal.confirm(f"Forget {found['label']}?")
        body = {"identity_id": found["id"]}
        answer = opened.api.change("connectors.disconnect", body, provider=str(found["provider"]))
        opened.done(answer, name=str(found["id"]), text=f"Forgot {found['label']}.")


def zones(
    connector: str,
    /,
    *zone: str,
    everywhere: Annotated[bool, Parameter(negative="")] = False,
    changing: Changing = CHANGING,
) -> None:
    """Show in which zones a cloud identity may be used, or say in which alone.

    qd connector zones aws
    qd connector zones aws payments ledger
    qd connector zones aws --everywhere

    Parameters
    ----------
    connector
        Its id or label, or its provider where only one has it.
    zone
        The zones, by name or id: specs of those alone use it from now on. Without any, they are shown.
    everywhere
        Let specs of every zone use it again, and those of none.
    """
    if zone and everywhere:
        raise usage("Name zones, or --everywhere.", "qd connector zones NAME ZONE")
    with session(changing) as opened, about(not_found="qd connector list", conflict="qd spec list"):
        found = infra_naming.identity(opened, connector, option="--identity-id", unproved=True)
        one, label = str(found["id"]), str(found["label"])
        names = {str(row["id"]): str(row["name"]) for row in infra_naming.zones(opened.api)}
        if zone or everywhere:
            wanted = [str(infra_naming.zone(opened, text)["id"]) for text in zone]
            answer = opened.api.change("connectors.bind", {"zone_ids": wanted}, identityId=one)
            where = f"in {', '.join(names[uid] for uid in wanted)} alone" if wanted else "in every zone"
            opened.done(answer, name=one, text=f"{label} is used {where}.")
            return
        answer = opened.api.read("connectors.zones", identityId=one)
        bound = [names.get(uid, uid) for uid in answer["zone_ids"]]
        gone = "in zones alone that are gone" if answer["bound"] else "in every zone"
        text = f"{label} is used {'in ' + ', '.join(bound) + ' alone' if bound else gone}."
        opened.terminal.answer(answer, name="\n".join(answer["zone_ids"]), text=text)


cluster.command(clusters, name="list")
for _command in (aws, gcp, azure, zones, remove):
    connector.command(_command)
connector.command(ls, name="list")
