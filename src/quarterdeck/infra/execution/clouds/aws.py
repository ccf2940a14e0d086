"""AWS by a role: the runner's own credentials take it on (STS `AssumeRole` with the external id), for an hour.

boto3 is an extra (`quarterdeck[aws]`): without it a runner says so. Its calls block, and run on a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shlex
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from quarterdeck.infra.execution.clouds.bounds import MOST
from quarterdeck.infra.execution.clouds.parts import Part, gathered
from quarterdeck.infra.execution.lasting import EVERY, Keeping, renewed
from quarterdeck.infra.execution.orders import Cloud, InfraOrder
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure, Unavailable
from quarterdeck.kernel.text import shown

ROLE = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):iam::(?P<account>[0-9]{12}):role/[A-Za-z0-9_+=,.@/-]{1,512}"
)
REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Where each partition is asked for what belongs to no region."""
REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-\d{1,2}")
SECONDS = 3600
"""A role that was taken on by another one lasts no longer, whatever is asked for."""
CONFIG, TAKEN = "aws-config", "aws-credentials.json"
MOST_REGIONS = 40
OWN_SOURCES = frozenset({"env"})
"""What the server's own worker proves itself by: nothing but the variables that its administrator has set."""
SOURCE = "Give the runner credentials (a role of its machine, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."


@contextlib.asynccontextmanager
async def credentials(
    cloud: Cloud, endpoint: str | None = None, *, keeping: Keeping | None = None, every: float = EVERY
) -> AsyncIterator[Mapping[str, str]]:
    """Variables for Terraform's `aws` provider. With a place to keep them, the role is taken on anew while the job
    runs: the provider is given a configuration by which it reads them again once they have run out. Raises `Invalid`,
    `ProviderFailure` and `Unavailable`. `endpoint` lets a test answer in the place of AWS.
    """
    if keeping is not None:

        async def renew() -> None:
            _keep(keeping, await asyncio.to_thread(assume, cloud, endpoint))

        async with renewed(renew, every):
            yield {
                "AWS_CONFIG_FILE": str(keeping.write(CONFIG, _config(keeping.directory / TAKEN))),
                "AWS_EC2_METADATA_DISABLED": "true",
            }
        return
    taken = await asyncio.to_thread(assume, cloud, endpoint)
    yield {
        "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
        "AWS_SESSION_TOKEN": taken["SessionToken"],
    }


def _keep(keeping: Keeping, taken: Mapping[str, Any]) -> None:
    """In the form in which the SDKs of AWS are told of credentials by a program (`credential_process`)."""
    keeping.secret([taken["SecretAccessKey"], taken["SessionToken"]])
    told = {name: taken[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    keeping.write(TAKEN, json.dumps({"Version": 1, **told, "Expiration": wire_time(taken["Expiration"])}))


def _config(taken: Path) -> str:
    """The program that tells of them is the one that shows a file."""
    return f"[default]\ncredential_process = {shutil.which('cat') or '/bin/cat'} {shlex.quote(str(taken))}\n"


def assume(cloud: Cloud, endpoint: str | None = None) -> Mapping[str, Any]:
    """What STS answers for the role: `AccessKeyId`, `SecretAccessKey`, `SessionToken`, `Expiration`. Blocks."""
    role = ROLE.fullmatch(cloud.role_arn)
    if role is None or not cloud.external_id:
        raise Invalid(
            "The identity has no role of AWS, or no external id.",
            code="infra_cloud_incomplete",
            hint="Connect the identity again.",
        )
    client = _client(_session(own=cloud.own), "sts", REGIONS[role["partition"]], endpoint)
    answered: Mapping[str, Mapping[str, Any]] = _asked(
        lambda: client.assume_role(
            RoleArn=cloud.role_arn,
            RoleSessionName=cloud.session or "runner-worker",
            ExternalId=cloud.external_id,
            DurationSeconds=SECONDS,
        )
    )
    return answered["Credentials"]


async def discover(order: InfraOrder, endpoint: str | None = None) -> dict[str, Any]:
    """Regions, networks with their subnets (of the region of the order, else of every enabled one), hosted zones and
    users of the account.
    """
    cloud = order.cloud or Cloud()
    taken = await asyncio.to_thread(assume, cloud, endpoint)
    partition = cloud.role_arn.split(":")[1]
    home = REGIONS[partition]
    said = str(order.snapshot.get("region") or "")
    session = _session()  # one for all regions: it knows each service's description once it has read it
    session.set_credentials(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])

    def client(name: str, region: str = home) -> Any:
        return _client(session, name, region, endpoint)

    def regions() -> list[dict[str, Any]]:
        found = _asked(lambda: client("ec2").describe_regions())["Regions"]
        return [{"name": one["RegionName"]} for one in found]

    def networks() -> list[dict[str, Any]]:
        where = [said] if REGION.fullmatch(said) else [one["name"] for one in regions()][:MOST_REGIONS]
        found: list[dict[str, Any]] = []
        for region in where:
            found += _networks(client("ec2", region), region)
            if len(found) > MOST:
                break
        return found

    def zones() -> list[dict[str, Any]]:
        rows = _every(client("route53"), "list_hosted_zones", "HostedZones")
        return [
            {
                "id": row["Id"].rpartition("/")[2],
                "name": row["Name"].rstrip("."),
                "private": bool(row.get("Config", {}).get("PrivateZone")),
            }
            for row in rows
        ]

    def users() -> list[dict[str, Any]]:
        return [{"name": row["UserName"], "arn": row["Arn"]} for row in _every(client("iam"), "list_users", "Users")]

    return await gathered(
        order,
        {
            "regions": _apart(regions),
            "networks": _apart(networks),
            "dns_zones": _apart(zones),
            "users": _apart(users),
        },
    )


def _apart(part: Callable[[], list[dict[str, Any]]]) -> Part:
    async def run() -> list[dict[str, Any]]:
        return await asyncio.to_thread(part)

    return run


def _networks(ec2: Any, region: str) -> list[dict[str, Any]]:
    vpcs = _every(ec2, "describe_vpcs", "Vpcs")
    subnets: dict[str, list[dict[str, Any]]] = {}
    for row in _every(ec2, "describe_subnets", "Subnets") if vpcs else []:
        subnets.setdefault(row["VpcId"], []).append(
            {"id": row["SubnetId"], "name": _name(row), "zone": row["AvailabilityZone"], "cidr": row["CidrBlock"]}
        )
    return [
        {
            "id": row["VpcId"],
            "name": _name(row),
            "region": region,
            "cidr": row["CidrBlock"],
            "default": bool(row.get("IsDefault")),
            "subnets": subnets.get(row["VpcId"], []),
        }
        for row in vpcs
    ]


def _name(row: Mapping[str, Any]) -> str:
    return next((str(tag["Value"]) for tag in row.get("Tags", []) if tag.get("Key") == "Name"), "")


def _every(client: Any, operation: str, key: str) -> list[dict[str, Any]]:
    """The entries of a list, page by page, one more than is kept."""
    pages = client.get_paginator(operation).paginate(PaginationConfig={"MaxItems": MOST + 1})
    rows: list[dict[str, Any]] = _asked(lambda: [row for page in pages for row in page.get(key, [])])
    return rows


def _session(*, own: bool = False) -> Any:
    """What makes clients, with the credentials that the machine has; `own` with those of its environment alone."""
    try:
        import botocore.session
    except ImportError:
        raise Unavailable(
            "This runner cannot speak to AWS: boto3 is not installed.",
            code="infra_cloud_unsupported",
            hint="Install quarterdeck[aws] on the runner.",
        ) from None
    session = botocore.session.Session()
    if own:
        sources = session.get_component("credential_provider")
        for name in [one.METHOD for one in sources.providers if one.METHOD not in OWN_SOURCES]:
            sources.remove(name)
    return session


def _client(session: Any, service: str, region: str, endpoint: str | None) -> Any:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    # Addresses that files or variables name are not believed: credentials go to AWS alone.
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "max_attempts": 3},
        ignore_configured_endpoint_urls=True,
    )
    try:
        return session.create_client(service, region_name=region, endpoint_url=endpoint, config=config)
    except BotoCoreError as error:  # a profile that is named and is not there
        raise Unavailable(
            f"The runner's own credentials for AWS cannot be read ({type(error).__name__}).",
            code="infra_cloud_no_credentials",
            hint=SOURCE,
        ) from None


def _asked(call: Callable[[], Any]) -> Any:
    """The answer. Raises `ProviderFailure` (`infra_cloud_refused`) and `Unavailable`."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

    try:
        return call()
    except NoCredentialsError:
        raise Unavailable(
            "The runner has no credentials of its own for AWS, which it takes the role on with.",
            code="infra_cloud_no_credentials",
            hint=SOURCE,
        ) from None
    except ClientError as error:
        raise _refused(error.response.get("Error", {}), error.operation_name) from None
    except HTTPClientError as error:
        raise Unavailable(
            f"AWS cannot be reached ({type(error).__name__}).",
            code="infra_cloud_unreachable",
            hint="Let the runner reach AWS, then run the job again.",
        ) from None
    except BotoCoreError as error:
        raise ProviderFailure(
            f"AWS gave no answer that can be read ({type(error).__name__}).", code="infra_cloud_refused"
        ) from None


def _refused(error: Mapping[str, Any], operation: str) -> Problem:
    code, message = str(error.get("Code") or "refused"), shown(str(error.get("Message") or ""), 300).strip(" .")
    return ProviderFailure(
        f"AWS refused {operation} ({shown(code, 60)}): {message or 'it gives no reason'}.",
        code="infra_cloud_refused",
        hint="Look at the trust policy of the role (the runner's principal, sts:ExternalId) and at its permissions.",
    )
