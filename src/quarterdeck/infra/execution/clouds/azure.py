"""Azure by a federated credential of an application: our token is the client assertion (RFC 7523)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from quarterdeck.infra.execution.clouds.bounds import MOST
from quarterdeck.infra.execution.clouds.calling import Caller
from quarterdeck.infra.execution.clouds.gcp import no_token, text
from quarterdeck.infra.execution.clouds.parts import gathered
from quarterdeck.infra.execution.lasting import Keeping
from quarterdeck.infra.execution.orders import Cloud, InfraOrder
from quarterdeck.kernel.errors import Invalid

LOGIN, MANAGEMENT = "login.microsoftonline.com", "management.azure.com"
HOSTS = frozenset({LOGIN, MANAGEMENT})
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
LOCATIONS, NETWORKS, ZONES = "2022-12-01", "2024-05-01", "2018-05-01"
"""Versions of the API by what is asked for."""
PAGES = 20
Transport = httpx.AsyncBaseTransport | None


@contextlib.asynccontextmanager
async def credentials(
    cloud: Cloud,
    transport: Transport = None,
    *,
    keeping: Keeping | None = None,  # noqa: ARG001 - the form of every cloud's
) -> AsyncIterator[Mapping[str, str]]:
    """Variables for Terraform's `azurerm` provider, which exchanges the assertion by itself, as often as it needs to:
    nothing has to be kept beside. That it can is tried here. Raises `Invalid`, `ProviderFailure` and `Unavailable`.
    """
    async with Caller("Azure", HOSTS, transport) as caller:
        await access_token(caller, cloud)
    yield {
        "ARM_USE_OIDC": "true",
        "ARM_USE_CLI": "false",
        "ARM_OIDC_TOKEN": cloud.subject_token,
        "ARM_TENANT_ID": cloud.tenant_id,
        "ARM_CLIENT_ID": cloud.client_id,
        "ARM_SUBSCRIPTION_ID": cloud.subscription_id,
    }


async def access_token(caller: Caller, cloud: Cloud) -> str:
    if not cloud.subject_token:
        raise no_token("Azure")
    for name, value in (
        ("tenant_id", cloud.tenant_id),
        ("client_id", cloud.client_id),
        ("subscription_id", cloud.subscription_id),
    ):
        if not UUID.fullmatch(value):
            raise Invalid(f"The {name} of the identity is no UUID.", code="infra_cloud_incomplete", field=name)
    answered = await caller.call(
        "POST",
        f"https://{LOGIN}/{cloud.tenant_id}/oauth2/v2.0/token",
        form={
            "grant_type": "client_credentials",
            "client_id": cloud.client_id,
            "scope": f"https://{MANAGEMENT}/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": cloud.subject_token,
        },
    )
    return text(caller, answered, "access_token")


async def discover(order: InfraOrder, transport: Transport = None) -> dict[str, Any]:
    """Locations, virtual networks with their subnets, and DNS zones of the subscription."""
    cloud = order.cloud or Cloud()
    async with Caller("Azure", HOSTS, transport) as caller:
        token = await access_token(caller, cloud)
        base = f"https://{MANAGEMENT}/subscriptions/{cloud.subscription_id}"

        async def regions() -> list[dict[str, Any]]:
            rows = await _values(caller, f"{base}/locations", LOCATIONS, token)
            physical = [row for row in rows if (row.get("metadata") or {}).get("regionType", "Physical") == "Physical"]
            return [{"name": row.get("name")} for row in physical]

        async def networks() -> list[dict[str, Any]]:
            address = f"{base}/providers/Microsoft.Network/virtualNetworks"
            return [_network(row) for row in await _values(caller, address, NETWORKS, token)]

        async def zones() -> list[dict[str, Any]]:
            address = f"{base}/providers/Microsoft.Network/dnszones"
            return [
                {
                    "id": row.get("id"),
                    "name": row.get("name"),
                    "private": _inside(row).get("zoneType") == "Private",
                }
                for row in await _values(caller, address, ZONES, token)
            ]

        return await gathered(order, {"regions": regions, "networks": networks, "dns_zones": zones})


def _network(row: dict[str, Any]) -> dict[str, Any]:
    inside = _inside(row)
    subnets = inside.get("subnets")
    return {
        "id": row.get("id"),
        "name": row.get("name"),
        "region": row.get("location"),
        "cidr": _first((inside.get("addressSpace") or {}).get("addressPrefixes")),
        "subnets": [
            {
                "id": one.get("id"),
                "name": one.get("name"),
                "cidr": _inside(one).get("addressPrefix") or _first(_inside(one).get("addressPrefixes")),
            }
            for one in (subnets if isinstance(subnets, list) else [])
            if isinstance(one, dict)
        ],
    }


def _inside(row: dict[str, Any]) -> dict[str, Any]:
    found = row.get("properties")
    return found if isinstance(found, dict) else {}


def _first(rows: Any) -> Any:
    return rows[0] if isinstance(rows, list) and rows else None


async def _values(caller: Caller, address: str, version: str, token: str) -> list[dict[str, Any]]:
    """The entries of a list, page by page: `nextLink` is a whole address, called only where it is Azure's own."""
    found: list[dict[str, Any]] = []
    where: str = address
    query: dict[str, str] | None = {"api-version": version}
    for _ in range(PAGES):
        page = await caller.call("GET", where, bearer=token, query=query)
        rows = page.get("value")
        found += [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        more = page.get("nextLink")
        if not isinstance(more, str) or not more or len(found) > MOST:
            break
        where, query = more, None  # an empty one would take that of the address away
    return found
