"""What a cloud is told, so that runners become somebody there: commands for who does it by hand, and those of AWS as
they are run here. Everything is a value that is made before anything is run.
"""

from __future__ import annotations

import json
import re
import shlex

from quarterdeck.cli.failure import usage
from quarterdeck.cli.names import Row

ROLE_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
PRINCIPAL = re.compile(r"arn:(aws|aws-cn|aws-us-gov):(iam|sts)::[0-9]{12}:(root|(user|role|assumed-role)/\S+)")
ROLE = "quarterdeck-runner"
NAME = "quarterdeck"
"""What pools and applications are called."""


def role_name(text: str) -> str:
    """Raises `Failure`."""
    if ROLE_NAME.fullmatch(text) is None:
        raise usage(f"{text} is no name of a role: up to 64 letters, digits and _+=,.@-", f"--role-name {ROLE}")
    return text


def region(text: str) -> str:
    """Raises `Failure`."""
    if REGION.fullmatch(text) is None:
        raise usage(f"{text} is no region of AWS.", "--region eu-west-1")
    return text


def principal(text: str) -> str:
    """Raises `Failure`."""
    if PRINCIPAL.fullmatch(text) is None:
        raise usage(f"{text} is nobody at AWS.", "--runner-arn arn:aws:iam::123456789012:role/runner")
    return text


def trust(runner: str, external_id: str) -> Row:
    """The trust policy of a role that this runner may take on, under this external id alone."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": runner},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _there(place: str | None) -> tuple[str, ...]:
    return ("--region", place) if place else ()


def whoami(place: str | None) -> tuple[str, ...]:
    return ("aws", "sts", "get-caller-identity", "--output", "json", *_there(place))


def create_role(name: str, policy: str, place: str | None) -> tuple[str, ...]:
    """`policy`: the file with the trust policy; its external id is no word of a command line."""
    document = ("--assume-role-policy-document", f"file://{policy}")
    return ("aws", "iam", "create-role", "--role-name", name, *document, "--output", "json", *_there(place))


def role_exists(name: str, place: str | None) -> tuple[str, ...]:
    """Waits until the role is known everywhere."""
    return ("aws", "iam", "wait", "role-exists", "--role-name", name, *_there(place))


def account_of(caller: Row) -> str:
    """The account that this caller belongs to, as the one who is trusted: whoever there may take on roles."""
    partition = str(caller["Arn"]).split(":")[1]
    return f"arn:{partition}:iam::{caller['Account']}:root"


def trust_lines(begun: Row, runner: str | None, title: str = "The trust policy of the role:") -> list[str]:
    """The trust policy of a role for a person, and what of it they have to put in."""
    policy = trust(runner or "arn:aws:iam::ACCOUNT:root", str(begun["external_id"]))
    who = [] if runner else ["ACCOUNT is the account of the runner; better: the ARN of its own role (--runner-arn)."]
    return [*who, title, *(f"   {line}" for line in json.dumps(policy, indent=2).splitlines())]


def aws_steps(begun: Row, name: str, place: str | None, runner: str | None) -> list[str]:
    return [
        *trust_lines(begun, runner, "1. Write this into trust.json:"),
        "2. Make the role, and give it what your specs need:",
        f"   {shlex.join(create_role(name, 'trust.json', place))}",
        f"   {shlex.join(('aws', 'iam', 'attach-role-policy', '--role-name', name, '--policy-arn', 'POLICY'))}",
    ]


def gcp_steps(begun: Row, project: str | None) -> list[str]:
    where = ("--location", "global", "--project", project or "PROJECT")
    pools = ("gcloud", "iam", "workload-identity-pools")
    pool = f"projects/NUMBER/locations/global/workloadIdentityPools/{NAME}"
    account = f"runner@{project or 'PROJECT'}.iam.gserviceaccount.com"
    subject = str(begun["subject"])
    provider = (
        *pools, "providers", "create-oidc", NAME, "--workload-identity-pool", NAME, "--issuer-uri",
        str(begun["issuer"]), "--attribute-mapping", "google.subject=assertion.sub", *where,
    )  # fmt: skip
    member = f"principal://iam.googleapis.com/{pool}/subject/{subject}"
    allowed = (
        "gcloud", "iam", "service-accounts", "add-iam-policy-binding", account, "--role",
        "roles/iam.workloadIdentityUser", "--member", member,
    )  # fmt: skip
    file = (
        *pools, "create-cred-config", f"{pool}/providers/{NAME}", "--service-account", account,
        "--credential-source-file", "token", "--output-file", "wif.json",
    )  # fmt: skip
    return [
        "1. Make a pool that trusts this server:",
        f"   {shlex.join((*pools, 'create', NAME, *where))}",
        f"   {shlex.join(provider)}",
        "2. Let it take a service account on (NUMBER is the number of the project):",
        f"   {shlex.join(allowed)}",
        "3. Have the configuration written:",
        f"   {shlex.join(file)}",
    ]


def azure_steps(begun: Row, tenant: str | None, client: str | None, subscription: str | None) -> list[str]:
    application, scope = client or "CLIENT", f"/subscriptions/{subscription or 'SUBSCRIPTION'}"
    trusted = {
        "name": NAME, "issuer": begun["issuer"], "subject": begun["subject"], "audiences": [begun["audience"]],
    }  # fmt: skip
    federation = (
        "az", "ad", "app", "federated-credential", "create", "--id", application, "--parameters", json.dumps(trusted),
    )  # fmt: skip
    grant = (
        "az", "role", "assignment", "create", "--assignee", application, "--role", "Contributor", "--scope", scope,
    )  # fmt: skip
    create = shlex.join(("az", "ad", "app", "create", "--display-name", NAME))
    return [
        f"1. In the tenant {tenant or 'TENANT'}, make an application that trusts this server:",
        *([] if client else [f"   {create}   (its appId is CLIENT)"]),
        f"   {shlex.join(federation)}",
        "2. Let it work in the subscription:",
        f"   {shlex.join(('az', 'ad', 'sp', 'create', '--id', application))}",
        f"   {shlex.join(grant)}",
    ]
