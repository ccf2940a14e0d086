"""Google Cloud and Azure as their reference pages describe them, as far as they are called; any other call fails.

Google: Security Token Service v1 `token`, IAM Service Account Credentials v1 `generateAccessToken`, Compute v1
`regions.list`, `networks.list`, `subnetworks.aggregatedList`, Cloud DNS v1 `managedZones.list`. Azure: the token
endpoint of Microsoft identity platform v2.0, Resource Manager's `Subscriptions - List Locations`, `Virtual Networks -
List All`, `Zones - List`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

PROJECT, NUMBER, POOL = "payments-1234", "987654321", "quarterdeck"
AUDIENCE = f"//iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/{POOL}/providers/quarterdeck"
EMAIL = f"deployer@{PROJECT}.iam.gserviceaccount.com"
IMPERSONATION = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
TENANT, CLIENT, SUBSCRIPTION = (
    "11111111-2222-3333-4444-555555555555",
    "66666666-7777-8888-9999-000000000000",
    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
)


def wif_config(**more: Any) -> dict[str, Any]:
    """As gcloud writes it for an OIDC provider."""
    return {
        "universe_domain": "googleapis.com",
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {"file": "/var/run/quarterdeck/token", "format": {"type": "text"}},
        "service_account_impersonation_url": IMPERSONATION,
        **more,
    }


Trust = Callable[[str], bool]


@dataclass
class Cloud(ABC):
    """`trusts` judges a token of ours; `calls` are the addresses that were called, in order."""

    trusts: Trust = lambda token: token == "ours"
    calls: list[str] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._heard)

    def _heard(self, request: httpx.Request) -> httpx.Response:
        place = f"{request.url.host}{request.url.path}"
        self.calls.append(f"{request.method} {place}")
        if place in self.forbidden:
            return self.denied(place)
        return self.answer(request, place)

    @abstractmethod
    def denied(self, place: str) -> httpx.Response:
        """As the cloud forbids a call."""

    @abstractmethod
    def answer(self, request: httpx.Request, place: str) -> httpx.Response:
        """As the cloud answers a call that it knows."""


def form(request: httpx.Request) -> dict[str, str]:
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    return {name: values[0] for name, values in parse_qs(request.content.decode(), strict_parsing=True).items()}


class Google(Cloud):
    def denied(self, place: str) -> httpx.Response:
        error = {"code": 403, "message": f"Permission denied on {place}", "status": "PERMISSION_DENIED"}
        return httpx.Response(403, json={"error": error})

    def answer(self, request: httpx.Request, place: str) -> httpx.Response:
        compute = f"compute.googleapis.com/compute/v1/projects/{PROJECT}"
        if (request.method, place) == ("POST", "sts.googleapis.com/v1/token"):
            return self._exchange(form(request))
        if (request.method, str(request.url)) == ("POST", IMPERSONATION):
            return self._impersonate(request)
        assert request.method == "GET", place
        assert request.headers["authorization"] == "Bearer of-the-account"
        link = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/global/networks/default"
        if place == f"{compute}/regions":
            if "pageToken" not in request.url.params:
                return httpx.Response(200, json={"items": [{"name": "europe-west1"}], "nextPageToken": "second"})
            assert request.url.params["pageToken"] == "second"
            return httpx.Response(200, json={"items": [{"name": "us-central1"}]})
        if place == f"{compute}/global/networks":
            return httpx.Response(200, json={"items": [{"name": "default", "selfLink": link}]})
        if place == f"{compute}/aggregated/subnetworks":
            row = {
                "name": "front",
                "network": link,
                "ipCidrRange": "10.1.0.0/20",
                "region": "https://x/regions/europe-west1",
            }
            items = {
                "regions/europe-west1": {"subnetworks": [row]},
                "regions/us-central1": {"warning": {"code": "NO_RESULTS_ON_PAGE"}},
            }
            return httpx.Response(200, json={"items": items})
        if place == f"dns.googleapis.com/dns/v1/projects/{PROJECT}/managedZones":
            zone = {"name": "example", "dnsName": "example.net.", "visibility": "private"}
            return httpx.Response(200, json={"managedZones": [zone]})
        raise AssertionError(f"Google has no {request.method} {request.url}")

    def _exchange(self, said: dict[str, str]) -> httpx.Response:
        assert said["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
        assert said["audience"] == AUDIENCE
        assert said["requested_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
        assert said["subject_token_type"] == "urn:ietf:params:oauth:token-type:jwt"
        assert said["scope"] == "https://www.googleapis.com/auth/cloud-platform"
        if not self.trusts(said["subject_token"]):
            told = {"error": "invalid_grant", "error_description": "The audience in ID Token does not match."}
            return httpx.Response(400, json=told)
        return httpx.Response(
            200,
            json={
                "access_token": "federated",
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer",
                "expires_in": 3600,
            },
        )

    def _impersonate(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer federated"
        said = json.loads(request.content)
        assert said == {"scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "3600s"}
        return httpx.Response(200, json={"accessToken": "of-the-account", "expireTime": "2030-01-01T00:00:00Z"})


class Azure(Cloud):
    elsewhere = ""

    def denied(self, place: str) -> httpx.Response:
        error = {"code": "AuthorizationFailed", "message": f"The client does not have authorization over {place}"}
        return httpx.Response(403, json={"error": error})

    def answer(self, request: httpx.Request, place: str) -> httpx.Response:
        if (request.method, place) == ("POST", f"login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"):
            return self._token(form(request))
        assert (request.method, request.url.host) == ("GET", "management.azure.com"), request.url
        assert request.headers["authorization"] == "Bearer arm"
        base = f"management.azure.com/subscriptions/{SUBSCRIPTION}"
        assert request.url.params["api-version"]
        if place == f"{base}/locations":
            rows = [
                {"name": "westeurope", "metadata": {"regionType": "Physical"}},
                {"name": "europe", "metadata": {"regionType": "Logical"}},
            ]
            return httpx.Response(200, json={"value": rows})
        if place == f"{base}/providers/Microsoft.Network/virtualNetworks":
            return self._networks(request, place)
        if place == f"{base}/providers/Microsoft.Network/dnszones":
            zone = {"id": "/zones/1", "name": "example.net", "properties": {"zoneType": "Public"}}
            return httpx.Response(200, json={"value": [zone]})
        raise AssertionError(f"Azure has no {request.method} {request.url}")

    def _networks(self, request: httpx.Request, place: str) -> httpx.Response:
        number = request.url.params.get("$skiptoken", "1")
        row = {
            "id": f"/vnets/{number}",
            "name": f"vnet-{number}",
            "location": "westeurope",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.2.0.0/16"]},
                "subnets": [{"id": "/s/1", "name": "front", "properties": {"addressPrefix": "10.2.1.0/24"}}],
            },
        }
        host = self.elsewhere or f"https://{place}"
        following = {"nextLink": f"{host}?api-version=2024-05-01&$skiptoken=2"} if number == "1" else {}
        return httpx.Response(200, json={"value": [row], **following})

    def _token(self, said: dict[str, str]) -> httpx.Response:
        assert said["grant_type"] == "client_credentials"
        assert said["client_id"] == CLIENT
        assert said["scope"] == "https://management.azure.com/.default"
        assert said["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        if not self.trusts(said["client_assertion"]):
            told = {
                "error": "invalid_client",
                "error_description": "AADSTS70021: No matching federated identity record",
            }
            return httpx.Response(401, json=told)
        return httpx.Response(200, json={"access_token": "arm", "token_type": "Bearer", "expires_in": 3599})
