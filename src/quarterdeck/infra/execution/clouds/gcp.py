"""Google Cloud by workload identity federation: our token for one of Google's (STS token exchange, RFC 8693), and that
for one of a service account (`generateAccessToken`).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import httpx

from quarterdeck.infra.execution.clouds import wif
from quarterdeck.infra.execution.clouds.bounds import MOST
from quarterdeck.infra.execution.clouds.calling import Caller
from quarterdeck.infra.execution.clouds.parts import gathered
from quarterdeck.infra.execution.lasting import Keeping
from quarterdeck.infra.execution.orders import Cloud, InfraOrder
from quarterdeck.kernel.errors import Invalid, Problem

HOSTS = frozenset(
    {"sts.googleapis.com", "iamcredentials.googleapis.com", "compute.googleapis.com", "dns.googleapis.com"}
)
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LIFE = "3600s"
PAGES = 20
Transport = httpx.AsyncBaseTransport | None


@contextlib.asynccontextmanager
async def credentials(
    cloud: Cloud, transport: Transport = None, *, keeping: Keeping | None = None
) -> AsyncIterator[Mapping[str, str]]:
    """Variables for Terraform's `google` provider: an access token for an hour; with a place to keep it, our own token
    and a configuration by which the provider exchanges it as often as it needs to. Raises `Invalid`, `ProviderFailure`
    and `Unavailable`.
    """
    async with Caller("Google Cloud", HOSTS, transport) as caller:
        token = await access_token(caller, cloud)
    if keeping is not None:
        ours = keeping.write("google-subject-token", cloud.subject_token)
        document = replace(wif.read(cloud.wif_config), file=str(ours)).document()
        where = str(keeping.write("google-credentials.json", json.dumps(document)))
        given = {"GOOGLE_CREDENTIALS": where, "GOOGLE_APPLICATION_CREDENTIALS": where}
    else:
        given = {"GOOGLE_OAUTH_ACCESS_TOKEN": token}
    yield {
        **given,
        **({"GOOGLE_PROJECT": cloud.project_id, "CLOUDSDK_CORE_PROJECT": cloud.project_id} if cloud.project_id else {}),
    }


async def access_token(caller: Caller, cloud: Cloud) -> str:
    if not cloud.subject_token:
        raise no_token("Google Cloud")
    federation = wif.read(cloud.wif_config)
    exchanged = await caller.call(
        "POST",
        wif.TOKEN_URL,
        form={
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "audience": federation.audience,
            "scope": SCOPE,
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token_type": wif.JWT,
            "subject_token": cloud.subject_token,
        },
    )
    token = text(caller, exchanged, "access_token")
    if not federation.email:
        return token
    taken = await caller.call(
        "POST", federation.impersonation_url, bearer=token, body={"scope": [SCOPE], "lifetime": LIFE}
    )
    return text(caller, taken, "accessToken")


async def discover(order: InfraOrder, transport: Transport = None) -> dict[str, Any]:
    """Regions, networks with their subnetworks, and managed zones of the project."""
    cloud = order.cloud or Cloud()
    if not cloud.project_id:
        raise Invalid(
            "Nothing says which project of Google Cloud is meant.",
            code="infra_cloud_incomplete",
            hint="Connect the identity again, with a service account or a project_id.",
        )
    async with Caller("Google Cloud", HOSTS, transport) as caller:
        token = await access_token(caller, cloud)
        compute = f"https://compute.googleapis.com/compute/v1/projects/{cloud.project_id}"

        async def regions() -> list[dict[str, Any]]:
            return [{"name": row.get("name")} for row in await _items(caller, f"{compute}/regions", token)]

        async def networks() -> list[dict[str, Any]]:
            rows = await _items(caller, f"{compute}/global/networks", token)
            found = {
                row.get("selfLink"): {
                    "id": row.get("name"),
                    "name": row.get("name"),
                    "cidr": row.get("IPv4Range"),
                }
                for row in rows
            }
            subnets: dict[Any, list[dict[str, Any]]] = {}
            for row in await _subnetworks(caller, f"{compute}/aggregated/subnetworks", token):
                subnets.setdefault(row.get("network"), []).append(
                    {
                        "id": row.get("name"),
                        "name": row.get("name"),
                        "zone": str(row.get("region", "")).rpartition("/")[2],
                        "cidr": row.get("ipCidrRange"),
                    }
                )
            return [{**network, "subnets": subnets.get(link, [])} for link, network in found.items()]

        async def zones() -> list[dict[str, Any]]:
            address = f"https://dns.googleapis.com/dns/v1/projects/{cloud.project_id}/managedZones"
            return [
                {
                    "id": row.get("name"),
                    "name": str(row.get("dnsName", "")).rstrip("."),
                    "private": row.get("visibility") == "private",
                }
                for row in await _items(caller, address, token, key="managedZones")
            ]

        return await gathered(order, {"regions": regions, "networks": networks, "dns_zones": zones})


async def _items(caller: Caller, address: str, token: str, key: str = "items") -> list[dict[str, Any]]:
    """The entries of a list, page by page."""
    found: list[dict[str, Any]] = []
    async for page in _pages(caller, address, token):
        rows = page.get(key)
        found += [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        if len(found) > MOST:
            break
    return found


async def _subnetworks(caller: Caller, address: str, token: str) -> list[dict[str, Any]]:
    """An aggregated list has its entries by region."""
    found: list[dict[str, Any]] = []
    async for page in _pages(caller, address, token):
        scopes = page.get("items")
        for scope in scopes.values() if isinstance(scopes, dict) else ():
            rows = scope.get("subnetworks") if isinstance(scope, dict) else None
            found += [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return found


async def _pages(caller: Caller, address: str, token: str) -> AsyncIterator[dict[str, Any]]:
    query = {"maxResults": "500"}
    for _ in range(PAGES):
        page = await caller.call("GET", address, bearer=token, query=query)
        yield page
        more = page.get("nextPageToken")
        if not isinstance(more, str) or not more:
            return
        query = {**query, "pageToken": more}


def text(caller: Caller, found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value or not value.isascii() or any(one.isspace() for one in value):
        raise caller.refused(f"answered without {key}")
    return value


def no_token(name: str) -> Problem:
    return Invalid(
        f"The order has no token that {name} could trust.",
        code="infra_cloud_incomplete",
        hint="Set the server's public address (QUARTERDECK_PUBLIC_URL, with https), and run the job again.",
    )
