"""Configurations of Google's workload identity federation (`external_account`): what is believed of one.

Such a file may name where tokens are sent, and programs that are run for them. Here our own token is sent, to Google's
own addresses alone, so that nothing else of it counts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from quarterdeck.kernel.errors import Invalid

LONGEST = 20_000
TOKEN_URL = "https://sts.googleapis.com/v1/token"  # noqa: S105 - an address
JWT = "urn:ietf:params:oauth:token-type:jwt"
AUDIENCE = re.compile(
    r"//iam\.googleapis\.com/projects/(?P<number>\d{1,20})/locations/global/"
    r"workloadIdentityPools/[a-z0-9-]{1,64}/providers/[a-z0-9-]{1,64}"
)
FORM = "//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
ACCOUNT = re.compile(r"[a-z0-9-]{1,64}@(?P<project>[a-z0-9-]{1,63})\.iam\.gserviceaccount\.com")
IMPERSONATION = re.compile(
    r"https://iamcredentials\.googleapis\.com/v1/projects/-/serviceAccounts/"
    rf"(?P<email>{ACCOUNT.pattern}):generateAccessToken"
)
KNOWN = frozenset(
    {
        "type", "audience", "subject_token_type", "token_url", "token_info_url", "universe_domain", "credential_source",
        "service_account_impersonation_url", "service_account_impersonation", "quota_project_id",
        "workforce_pool_user_project", "client_id", "client_secret",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Federation:
    """`email` and `project` are of the service account that is taken on, "" where none is."""

    audience: str
    number: str
    email: str
    project: str
    file: str

    @property
    def impersonation_url(self) -> str:
        return (
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{self.email}:generateAccessToken"
            if self.email
            else ""
        )

    def document(self) -> dict[str, Any]:
        """The configuration with nothing in it but what was checked."""
        made: dict[str, Any] = {
            "type": "external_account",
            "audience": self.audience,
            "subject_token_type": JWT,
            "token_url": TOKEN_URL,
        }
        if self.email:
            made["service_account_impersonation_url"] = self.impersonation_url
        if self.file:
            made["credential_source"] = {"file": self.file}
        return made


def read(said: Any) -> Federation:
    """A configuration, as an object or as its text. Raises `Invalid` (`infra_wif_config_invalid`) for a field that is
    not believed.
    """
    document = _object(said)
    unknown = sorted(set(document) - KNOWN)
    if unknown:
        raise wrong(unknown[0][:60], "it is no field of such a file that is known here")
    if document.get("type") != "external_account":
        raise wrong("type", "it has to be external_account")
    audience = document.get("audience")
    named = AUDIENCE.fullmatch(audience) if isinstance(audience, str) else None
    if named is None:
        raise wrong("audience", f"it has to be {FORM}")
    if document.get("subject_token_type", JWT) not in {JWT, "urn:ietf:params:oauth:token-type:id_token"}:
        raise wrong("subject_token_type", f"it has to be {JWT}")
    if document.get("token_url", TOKEN_URL) != TOKEN_URL:
        raise wrong("token_url", f"it has to be {TOKEN_URL}")
    if document.get("universe_domain", "googleapis.com") != "googleapis.com":
        raise wrong("universe_domain", "it has to be googleapis.com")
    for name in ("client_secret", "workforce_pool_user_project"):
        if document.get(name):
            raise wrong(name, "it belongs to another kind of federation, of people")
    email, project = "", ""
    url = document.get("service_account_impersonation_url")
    if url:
        taken = IMPERSONATION.fullmatch(url) if isinstance(url, str) else None
        if taken is None:
            raise wrong(
                "service_account_impersonation_url",
                "it has to be an address of iamcredentials.googleapis.com that names a service account",
            )
        email, project = taken["email"], taken["project"]
    return Federation(str(audience), named["number"], email, project, _file(document.get("credential_source")))


def _object(said: Any) -> dict[str, Any]:
    if isinstance(said, str):
        if len(said) > LONGEST:
            raise wrong("wif_config", f"it has more than {LONGEST} characters")
        try:
            said = json.loads(said)
        except (ValueError, RecursionError):
            raise wrong("wif_config", "it is no JSON") from None
    if not isinstance(said, dict):
        raise wrong("wif_config", "it has to be the JSON object of a credential configuration file")
    return said


def _file(source: Any) -> str:
    """The only source of tokens that runs nothing and calls nobody: foreign runners read one where they are."""
    if source is None or source == {}:
        return ""
    if not isinstance(source, dict) or set(source) - {"file", "format"} or not isinstance(source.get("file"), str):
        raise wrong("credential_source", "only a file is taken: programs and addresses that give tokens are not asked")
    if source.get("format", {"type": "text"}) != {"type": "text"}:
        raise wrong("credential_source.format", "it has to be text")
    return str(source["file"])[:1000]


def wrong(field: str, why: str) -> Invalid:
    return Invalid(
        f"The configuration of the federation cannot be used: {field}: {why}.",
        code="infra_wif_config_invalid",
        hint="Make it with gcloud iam workload-identity-pools create-cred-config, for an OIDC provider.",
        field="credentials.wif_config",
    )
