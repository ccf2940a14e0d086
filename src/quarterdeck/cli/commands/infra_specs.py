"""`qd spec`: what somebody declares, from which plans are made."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

from cyclopts import App, Parameter

from quarterdeck.cli import infra_documents, infra_naming, infra_pages, infra_states
from quarterdeck.cli.commands import infra_running
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.infra_losing import sure
from quarterdeck.cli.infra_options import IdentityId, Named, ZoneId, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common, Losing
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import ago, local

COMMON, CHANGING, LOSING = Common(), Changing(), Losing()
STAGES = ("development", "staging", "production")
File = Annotated[str | None, Parameter(name=["--file", "-f"])]
Values = Annotated[tuple[str, ...], Parameter(name="--set", negative="")]
Stage = Annotated[str | None, Parameter(name=["--stage", "--environment-stage"])]
spec = App(name="spec", help="Declare infrastructure, plan what it needs, and see what it was before.")


def ls(*, zone_id: ZoneId = None, common: Common = COMMON) -> None:
    """List specs, newest first.

    qd spec list
    qd spec list --zone-id payments -o csv

    Parameters
    ----------
    zone_id
        Only of this zone, by name or id.
    """
    with session(common) as opened:
        zones = {str(row["id"]): str(row["name"]) for row in infra_naming.zones(opened.api)}
        found = infra_naming.specs(opened.api)
        if zone_id is not None:
            chosen = infra_naming.zone(opened, zone_id)["id"]
            found = [row for row in found if row.get("zone_id") == chosen]
        if not found and opened.terminal.format == "text":
            opened.terminal.say("There is no spec yet.\nTry:   qd spec create first --template local")
            return
        rows = [
            [
                str(row["project_name"]),
                opened.terminal.state(infra_states.spec(row)),
                str(row["environment_stage"]),
                zones.get(str(row.get("zone_id")), ""),
                str(row["provider"]),
                str(row.get("region") or ""),
                infra_pages.money(row.get("estimated_monthly_cost")),
                ago(row["updated_at"]),
                str(row["id"]),
            ]
            for row in found
        ]
        columns = ["SPEC", "STATE", "STAGE", "ZONE", "PROVIDER", "REGION", "COST", "CHANGED", "ID"]
        identities = [str(row["id"]) for row in found]
        opened.terminal.table(found, columns, rows, names=identities, document={"configurations": found})


def create(
    name: str | None = None,
    /,
    *,
    named: Annotated[str | None, Parameter(name=["--name", "--project-name"])] = None,
    template: Annotated[str | None, Parameter(name=["--template", "--provider"])] = None,
    file: File = None,
    stage: Stage = None,
    region: str | None = None,
    zone_id: ZoneId = None,
    cloud_identity_id: IdentityId = None,
    terraform_version: str | None = None,
    module_url: str | None = None,
    module_commit: str | None = None,
    module_path: str | None = None,
    module_token: str | None = None,
    values: Values = (),
    again: Annotated[bool, Parameter(negative="")] = False,
    changing: Changing = CHANGING,
) -> None:
    """Declare infrastructure. What is not given has the server's defaults.

    qd spec create first --template local
    qd spec create ledger --template aws --region eu-west-1 --zone-id payments --cloud-identity-id aws
    qd spec create -f ledger.yaml --stage staging --set cluster.node_max_size=8

    Parameters
    ----------
    name
        What it is called (project_name).
    named
        The same, by name.
    template
        The Terraform that comes with Quarterdeck: local (needs no cloud), aws, gcp or azure.
    file
        A YAML or JSON file with the whole document, or - for stdin; what is given beside it counts.
    stage
        development, staging or production. Default: development.
    region
        Where in the cloud.
    zone_id
        The zone, by name or id.
    cloud_identity_id
        Whom a runner becomes in the cloud, by id, label or provider (qd connector list).
    terraform_version
        The version of Terraform that it is made for.
    module_url
        Terraform of your own instead of a template: the address of its git repository.
    module_commit
        The commit of it, whole.
    module_path
        The directory in it.
    module_token
        A token that may read it: @FILE, or - for stdin.
    values
        One value of the document, such as cluster.node_max_size=8; may be given several times.
    again
        Another one, though its zone has one of that name and stage already.
    """
    given = one_of(name, named, "--name")
    if file == "-" and module_token == "-":  # noqa: S105 - the mark for stdin
        raise usage("Only one of them can be stdin.", "--module-token @FILE")
    body = infra_documents.spec(file) if file is not None else {}
    told = {
        "project_name": given,
        "environment_stage": stage,
        "provider": template,
        "region": region,
        "terraform_version": terraform_version,
    }
    body |= {key: value for key, value in told.items() if value is not None}
    body |= _module(module_url, module_commit, module_path, module_token)
    body = infra_documents.with_values(body, values)
    body.setdefault("environment_stage", STAGES[0])
    with session(changing) as opened, about(not_found="qd zone list", usage="qd spec create --help"):
        if not str(body.get("project_name") or "").strip():
            body["project_name"] = _called(opened)
        if zone_id is not None:
            body["zone_id"] = infra_naming.zone(opened, zone_id)["id"]
        if cloud_identity_id is not None:
            body["cloud_identity_id"] = infra_naming.identity(opened, cloud_identity_id)["id"]
        if not again:
            _first_of_its_name(opened, body)
        try:
            answer = opened.api.change("specs.create", body, what="spec")
        except Failure as failure:
            if template is not None and failure.message.startswith("provider: "):
                failure.message = f"--template {template}: {failure.message.removeprefix('provider: ')}"
            raise
        opened.sent()
        _made(opened, answer, f"Made spec {body['project_name']}.")


def _called(opened: Session) -> str:
    """The name of a new spec, as a person types it. Raises `Failure` where there is nobody, or nothing was typed."""
    way = "qd spec create first --template local"
    if not opened.terminal.asks:
        raise usage("Say what the spec is called.", way)
    typed = opened.terminal.ask("What the spec is called", otherwise=way).strip()
    if not typed:
        raise Failure("Nothing was made.", code="declined")
    return typed


def _first_of_its_name(opened: Session, body: Row) -> None:
    """Raises `Failure` where the zone has one of that name and stage: made once more, a name would mean two."""
    name, stage, zone = body["project_name"], body["environment_stage"], body.get("zone_id") or None
    for row in infra_naming.specs(opened.api):
        if (row["project_name"], row["environment_stage"], row.get("zone_id")) == (name, stage, zone):
            places = {str(one["id"]): str(one["name"]) for one in infra_naming.zones(opened.api)} if zone else {}
            where = f"{places.get(str(zone), 'The zone')} has" if zone else "There is, in no zone,"
            raise Failure(
                f"{where} a {stage} {name} already.",
                exit=Exit.CONFLICT,
                code="spec_exists",
                hint=f"qd spec edit {row['id']}   or, for another one of that name, add --again",
                facts={"id": row["id"]},
            )


def _module(url: str | None, commit: str | None, path: str | None, token: str | None) -> Row:
    if url is None:
        if commit or path or token:
            raise usage("Say where the module is.", "--module-url https://git.example.com/team/infra.git")
        return {}
    if commit is None:
        raise usage("Say which commit of the module.", f"--module-url {url} --module-commit COMMIT")
    module: Row = {"kind": "git", "url": url, "commit": commit}
    module |= {"path": path} if path else {}
    secret = {"module_token": infra_documents.secret(token, "--module-token")} if token else {}
    return {"module": module, **secret}


def _made(opened: Session, answer: Row, text: str) -> None:
    row = answer["configuration"]
    opened.terminal.answer(answer, name=str(row["id"]), text=text)
    opened.terminal.say(f"  {infra_pages.spec(opened, row)}")
    if row.get("provider") != "local" and not row.get("cloud_identity_id"):
        opened.terminal.say("  No cloud identity: what runs it, this server too, is in the cloud what its machine is.")
    opened.terminal.say(f"Try:   qd plan {row['project_name']} --wait")


def show(
    spec: str | None = None,
    /,
    *,
    spec_id: Annotated[str | None, Parameter(name=["--id", "--spec-id"])] = None,
    common: Common = COMMON,
) -> None:
    """Show a spec: its state, what it declares, what the last apply gave.

    qd spec show ledger
    qd spec show --id ledger -o json

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
    spec_id
        The same, by name.
    """
    with session(common) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id), option="--id")
        answer = opened.api.read("specs.show", specId=str(found["id"]))
        row, terminal = answer["configuration"], opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(answer, name=str(row["id"]), text="")
            return
        terminal.line(f"{terminal.plain(row['project_name'])}   {terminal.state(infra_states.spec(row))}   {row['id']}")
        for label, value in _facts(row):
            terminal.line(f"  {label:<11} {terminal.plain(value)}")
        terminal.line(f"  {infra_pages.spec(opened, row)}")


def _facts(row: Row) -> list[tuple[str, str]]:
    nodes = [row.get(f"node_{key}_size") for key in ("min", "desired", "max")]
    told: list[tuple[str, Any]] = [
        ("stage", row.get("environment_stage")),
        ("region", row.get("region")),
        ("provider", " ".join(str(row[key]) for key in ("provider", "cloud_account_id") if row.get(key))),
        ("terraform", row.get("terraform_version")),
        ("version", row.get("version")),
        ("network", row.get("cidr_block") if row.get("provision_network") else row.get("network_id")),
        ("cluster", row.get("cluster_name") or row.get("cluster_version")),
        ("endpoint", row.get("cluster_endpoint")),
        ("nodes", f"{nodes[0]} to {nodes[2]} (wanted {nodes[1]})" if all(nodes) else None),
        ("dns", row.get("dns_domain_name") if row.get("dns_enabled") else None),
        ("cost", infra_pages.money(row.get("estimated_monthly_cost"))),
        ("resources", row.get("resources")),
        ("drift", "its resources are not as the last apply left them" if row.get("drift") else None),
        ("looks as", row.get("drift_cloud_identity_id")),
        ("orphans", row.get("orphan_risk")),
        ("created", local(row.get("created_at"))),
        ("changed", local(row.get("updated_at"))),
    ]
    return [(label, str(value)) for label, value in told if value]


def clone(
    spec: str | None = None,
    name: str | None = None,
    /,
    *,
    spec_id: Annotated[str | None, Parameter(name=["--id", "--spec-id"])] = None,
    named: Named = None,
    stage: Stage = None,
    zone_id: ZoneId = None,
    changing: Changing = CHANGING,
) -> None:
    """Make a new spec from another one. Its state, its jobs and what it has made are not copied.

    qd spec clone ledger ledger-eu --stage staging
    qd spec clone --id ledger --name ledger-eu --zone-id payments

    Parameters
    ----------
    spec
        The one to copy: its project name, ZONE/NAME, or id.
    name
        What the new one is called.
    spec_id
        The one to copy, by name.
    named
        What the new one is called, by name.
    stage
        development, staging or production. Default: the same.
    zone_id
        The zone of the new one, by name or id. Default: the same.
    """
    called = one_of(name, named, "--name")
    if called is None:
        raise usage("Say what the new spec is called.", "qd spec clone ledger ledger-eu")
    with session(changing) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id), option="--id")
        body = {"project_name": called} | ({"environment_stage": stage} if stage else {})
        body |= {"zone_id": infra_naming.zone(opened, zone_id)["id"]} if zone_id else {}
        answer = opened.api.change("specs.clone", body, what="spec", specId=str(found["id"]))
        opened.sent()
        _made(opened, answer, f"Made spec {called} from {found['project_name']}.")


def delete(
    spec: str | None = None,
    /,
    *,
    spec_id: Annotated[str | None, Parameter(name=["--id", "--spec-id"])] = None,
    force: bool = False,
    reason: str | None = None,
    losing: Losing = LOSING,
) -> None:
    """Delete a spec with its versions, its plans and its state. It asks for its name.

    qd spec delete ledger
    qd spec delete ledger --confirm ledger
    qd spec delete ledger --force --reason "the account was closed"

    One whose state still has resources is refused: destroy them first (qd destroy), or say with --force that nobody
    looks after them any more.

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one a person at a terminal chooses.
    spec_id
        The same, by name.
    force
        Though resources are left. They stay where they are.
    reason
        With --force: why; kept in the audit trail.
    """
    if force and not (reason or "").strip():
        raise usage(
            "--force needs a reason.", f'qd spec delete {shlex.quote(spec or spec_id or "NAME")} --force --reason "why"'
        )
    if reason is not None and not force:
        raise usage("--reason goes with --force.", f"qd spec delete {shlex.quote(spec or spec_id or 'NAME')}")
    with session(losing) as opened:
        found = infra_naming.spec(opened, one_of(spec, spec_id), option="--id", only=False)
        name, identity = str(found["project_name"]), str(found["id"])
        left = " Resources that it has made stay, and nobody looks after them." if force else ""
        sure(
            opened,
            f"{name} ({found['environment_stage']}) is lost, with its versions and its state.{left}",
            name,
            losing,
        )
        with about(conflict=f"qd destroy {name} --wait   or: qd jobs list --spec-id {name}"):
            if force:
                answer = opened.api.change("specs.delete-forced", specId=identity, reason=str(reason))
            else:
                answer = opened.api.change("specs.delete", specId=identity)
        opened.done(answer, name=identity, text=f"Deleted spec {name}.")


for _command in (create, show, clone, delete):
    spec.command(_command)
spec.command(ls, name="list")
spec.command(infra_running.planned, name="plan")
spec.command(infra_running.apply)
spec.command(infra_running.destroy)
