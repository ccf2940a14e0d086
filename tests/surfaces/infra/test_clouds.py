"""Cloud identities over the API: begun, connected, proved by a runner, used, disconnected."""

from __future__ import annotations

import asyncio
import json

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select, update

from quarterdeck.infra.clouds import federating, issuing, turning
from quarterdeck.infra.clouds.model import CloudIdentity, IssuerKey
from quarterdeck.infra.execution.clouds import azure, gcp
from quarterdeck.infra.execution.orders import GRACE_SECONDS, SECONDS
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import events
from quarterdeck.kernel.errors import Problem
from support.crew import Crew
from support.deck import running, signed_in
from support.other_clouds import AUDIENCE, CLIENT, EMAIL, PROJECT, SUBSCRIPTION, TENANT, Azure, Google, wif_config
from surfaces.infra.foreign_runner import ForeignRunner

CLI = "/api/cli"
IDENTITIES, AWS = f"{CLI}/cloud-identities", f"{CLI}/providers/aws"
ROLE = "arn:aws:iam::123456789012:role/quarterdeck"
FOUND = {"regions": [{"name": "eu-west-1"}], "networks": [{"id": "vpc-1", "subnets": [{"id": "s-1"}]}]}
PUBLIC = "https://deck.example.com"
ISSUER = f"{PUBLIC}{issuing.PATH}"


@pytest.fixture
async def public(tmp_path, database_address):
    """A server that clouds can reach."""
    async with running(tmp_path, database_address, public_url=PUBLIC) as deck:
        deck.client.headers["x-setup-token"] = deck.instance.setup_token.reveal()
        yield Crew(await signed_in(deck))


async def runner(crew, name="rack-7", **more):
    body = {"name": name, "mode": "self-hosted", **more}
    made = await crew.ok("POST", f"{CLI}/workers", body, status=201)
    return ForeignRunner(crew.deck.client, made["worker_id"], made["worker_token"])


async def begun(crew, provider="aws", **more):
    return await crew.ok("POST", f"{CLI}/providers/{provider}/init", more)


async def connected(crew, identity, role=ROLE):
    body = {"identity_id": identity, "credentials": {"role_arn": role}}
    return (await crew.ok("POST", f"{AWS}/connect", body))["job_id"]


async def verified(crew, machine):
    """An identity of AWS that a runner has proved."""
    identity = (await begun(crew))["identity_id"]
    job = await connected(crew, identity)
    assert (await machine.claim())["id"] == job
    await machine.status(job, "PROCESSING")
    await machine.status(job, "SUCCESS", metadata={"cached_resources": FOUND})
    return identity


async def refused(crew, status, method, path, body=None, **options):
    """In the envelope of the surface, and nothing has happened."""
    before = await crew.told()
    answer = await crew.send(method, path, body, **options)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() - {"hint"} == {"code", "error"}
    assert [one for one in (await crew.told())[len(before) :] if one["outcome"] == "success"] == []
    return answer.json()["error"]


async def row(crew, uid):
    return await crew.db.read(lambda tx: tx.first(select(CloudIdentity).where(CloudIdentity.uid == uid)))


async def listed(crew, **options):
    return (await crew.ok("GET", IDENTITIES, **options))["cloud_identities"]


async def test_a_role_of_aws_is_verified_by_a_test_that_ran_and_by_nothing_else(crew):
    machine = await runner(crew)
    made = await crew.once("cloud-identity.begun", "POST", f"{AWS}/init", {})
    identity, external = made["identity_id"], made["external_id"]
    assert len(external) == 32
    assert await begun(crew) == made  # nothing piles up
    job = await connected(crew, identity)
    assert await listed(crew) == []
    told = {"identity_id": identity, "job_id": job}
    assert "QUEUED" in await refused(crew, 409, "POST", f"{AWS}/verify", told)
    claimed = await machine.claim()
    assert claimed["job_type"] == "CONNECTION_TEST"
    cloud = claimed["cloud"]
    assert (cloud["provider"], cloud["role_arn"], cloud["external_id"]) == ("aws", ROLE, external)
    assert (cloud["account_id"], cloud["wif_config"]) == ("123456789012", "")
    await machine.status(job, "PROCESSING")
    assert await listed(crew) == []
    await machine.status(job, "SUCCESS", metadata={"cached_resources": FOUND})
    answer = await crew.ok("POST", f"{AWS}/verify", told)
    assert (answer["success"], answer["verified"], answer["identity_id"]) == (True, True, identity)
    assert [(one["id"], one["label"]) for one in await listed(crew)] == [(identity, "AWS (123456789012)")]
    whole = (await crew.ok("GET", f"{IDENTITIES}/{identity}"))["cloud_identity"]
    assert whole["cached_resources"]["networks"] == FOUND["networks"]
    status = await crew.ok("GET", f"{AWS}/status")
    assert status == {
        "connected": True, "identityId": identity, "accountId": "123456789012", "roleArn": ROLE,
        "externalId": external, "projectId": None, "serviceAccountEmail": None, "tenantId": None, "clientId": None,
        "subscriptionId": None,
    }  # fmt: skip


async def test_a_test_that_failed_verifies_nothing_and_says_why(crew):
    machine = await runner(crew)
    identity = (await begun(crew))["identity_id"]
    job = await connected(crew, identity)
    await machine.claim()
    await machine.status(job, "FAILED", "AccessDenied: not authorized to perform sts:AssumeRole")
    said = await refused(crew, 409, "POST", f"{AWS}/verify", {"identity_id": identity, "job_id": job})
    assert "sts:AssumeRole" in said
    assert await listed(crew) == []
    assert (await crew.ok("GET", f"{AWS}/status"))["connected"] is False
    again = await connected(crew, identity)
    assert (await machine.claim())["id"] == again
    await machine.status(again, "SUCCESS", metadata={"cached_resources": FOUND})
    assert len(await listed(crew)) == 1


async def test_an_earlier_test_proves_nothing_of_what_was_connected_since(crew):
    machine = await runner(crew)
    identity = (await begun(crew))["identity_id"]
    first = await connected(crew, identity)
    await machine.claim()
    second = await connected(crew, identity, ROLE + "-2")
    assert (await crew.ok("GET", f"{CLI}/jobs/{first}"))["status"] == "CANCELLED"
    said = await machine.status(first, "SUCCESS", metadata={"cached_resources": FOUND})
    assert said["applied"] is False
    assert await listed(crew) == []
    await refused(crew, 404, "POST", f"{AWS}/verify", {"identity_id": identity, "job_id": first})
    claimed = await machine.claim()
    assert (claimed["id"], claimed["cloud"]["role_arn"]) == (second, ROLE + "-2")
    await machine.status(second, "SUCCESS", metadata={})
    assert len(await listed(crew)) == 1
    assert (await row(crew, identity)).cached_resources == {}


async def test_connecting_a_verified_identity_anew_takes_its_proof_away(crew):
    machine = await runner(crew)
    identity = await verified(crew, machine)
    await connected(crew, identity, ROLE + "-2")
    assert await listed(crew) == []
    found = await crew.ok("GET", IDENTITIES, params={"all": "true"})
    assert [(one["id"], one["verified"]) for one in found["cloud_identities"]] == [(identity, False)]


async def test_nothing_but_a_test_works_with_an_identity_that_is_not_verified(crew):
    machine = await runner(crew)
    identity = (await begun(crew))["identity_id"]
    await refused(crew, 409, "POST", f"{IDENTITIES}/{identity}/refresh")
    await connected(crew, identity)
    await refused(crew, 409, "POST", f"{IDENTITIES}/{identity}/refresh")
    body = {"name": "pool", "cloud_identity_id": identity, "region": "eu-west-1"}
    said = await refused(crew, 409, "POST", f"{CLI}/workers/deploy", body)
    assert "verified" in said
    assert (await machine.claim())["job_type"] == "CONNECTION_TEST"


async def test_what_a_cloud_has_is_looked_at_again_when_somebody_asks_once_at_a_time(crew):
    machine = await runner(crew)
    identity = await verified(crew, machine)
    asked = await crew.ok("POST", f"{IDENTITIES}/{identity}/refresh")
    assert await crew.ok("POST", f"{IDENTITIES}/{identity}/refresh") == asked
    claimed = await machine.claim()
    assert (claimed["id"], claimed["job_type"]) == (asked["job_id"], "FETCH_RESOURCES")
    await machine.status(claimed["id"], "SUCCESS", metadata={"cached_resources": {"regions": ["us-east-1"]}})
    whole = (await crew.ok("GET", f"{IDENTITIES}/{identity}"))["cloud_identity"]
    assert whole["cached_resources"]["regions"] == [{"name": "us-east-1"}]


async def test_an_identity_is_not_disconnected_while_jobs_work_with_it(crew):
    machine = await runner(crew)
    identity = await verified(crew, machine)
    asked = await crew.ok("POST", f"{IDENTITIES}/{identity}/refresh")
    said = await refused(crew, 409, "POST", f"{AWS}/disconnect", {"identity_id": identity})
    assert asked["job_id"] in said
    body = {"identity_id": identity, "credentials": {"role_arn": ROLE + "-2"}}
    await refused(crew, 409, "POST", f"{AWS}/connect", body)
    await machine.claim()
    await machine.status(asked["job_id"], "FAILED", "no")
    assert await crew.once("cloud-identity.disconnected", "POST", f"{AWS}/disconnect", {"identity_id": identity}) == {
        "success": True
    }
    await refused(crew, 404, "GET", f"{IDENTITIES}/{identity}")
    assert (await crew.ok("GET", f"{AWS}/status"))["connected"] is False


async def test_an_identity_is_not_disconnected_while_what_a_spec_made_stands_by_it(crew):
    machine = await runner(crew)
    identity = await verified(crew, machine)
    body = {
        "project_name": "ledger", "environment_stage": "staging", "region": "eu-west-1", "terraform_version": "1.11.4",
        "provider": "aws", "cloud_identity_id": identity,
    }  # fmt: skip
    await crew.ok("POST", f"{CLI}/configurations", body, status=201)
    await crew.db.write(lambda tx: tx.execute(update(Spec).values(applied_hash="a" * 64)))
    said = await refused(crew, 409, "POST", f"{AWS}/disconnect", {"identity_id": identity})
    assert "ledger" in said
    await crew.db.write(lambda tx: tx.execute(update(Spec).values(applied_hash=None)))
    await crew.ok("POST", f"{AWS}/disconnect", {"identity_id": identity})


async def test_an_identity_is_not_disconnected_while_a_runner_does_its_jobs_alone(crew):
    machine = await runner(crew)
    identity = await verified(crew, machine)
    bound = await runner(crew, "pool-1", cloud_identity_id=identity)
    said = await refused(crew, 409, "POST", f"{AWS}/disconnect", {"identity_id": identity})
    assert "pool-1" in said
    await crew.ok("DELETE", f"{CLI}/workers/{bound.id}")
    await crew.ok("POST", f"{AWS}/disconnect", {"identity_id": identity})


async def test_a_test_that_is_run_once_more_proves_what_is_connected(crew):
    machine = await runner(crew)
    identity = (await begun(crew))["identity_id"]
    job = await connected(crew, identity)
    await machine.claim()
    await machine.status(job, "FAILED", "the network was down")
    again = (await crew.ok("POST", f"{CLI}/jobs/{job}/rerun", status=201))["job"]["id"]
    assert (await machine.claim())["id"] == again
    await machine.status(again, "SUCCESS", metadata={"cached_resources": FOUND})
    answer = await crew.ok("POST", f"{AWS}/verify", {"identity_id": identity, "job_id": again})
    assert answer["verified"] is True


async def test_a_test_that_waits_for_a_runner_is_withdrawn_by_disconnecting(crew):
    identity = (await begun(crew))["identity_id"]
    job = await connected(crew, identity)
    await crew.ok("POST", f"{AWS}/disconnect", {"identity_id": identity})
    assert (await crew.ok("GET", f"{CLI}/jobs/{job}"))["status"] == "CANCELLED"


async def test_a_job_and_a_disconnection_at_the_same_moment_leave_no_job_without_its_identity(crew):
    machine = await runner(crew)
    identity = await verified(crew, machine)
    asked, gone = await asyncio.gather(
        crew.send("POST", f"{IDENTITIES}/{identity}/refresh"),
        crew.send("POST", f"{AWS}/disconnect", {"identity_id": identity}),
    )
    assert sorted([asked.status_code, gone.status_code]) in ([200, 404], [200, 409])
    jobs = await crew.db.read(lambda tx: list(tx.scalars(select(InfraJob).where(InfraJob.completed_at.is_(None)))))
    assert all(one.cloud_identity_id is not None for one in jobs)


@pytest.mark.parametrize(
    ("provider", "said", "field"),
    [
        ("aws", {}, "role_arn"),
        ("aws", {"role_arn": 5}, "role_arn"),
        ("aws", {"role_arn": "arn:aws:iam::12:role/x"}, "role_arn"),
        ("aws", {"role_arn": f"{ROLE}\n"}, None),
        ("aws", {"role_arn": f"{ROLE} x"}, "role_arn"),
        ("aws", {"role_arn": "arn:aws:iam::123456789012:user/x"}, "role_arn"),
        ("aws", {"role_arn": ROLE, "secret_access_key": "wJalrXUtnFEMI"}, "secret_access_key"),
        ("aws", {"role_arn": ROLE, "external_id": "mine"}, "external_id"),
    ],
)
async def test_credentials_that_are_none_or_are_keys_are_refused_by_their_field(crew, provider, said, field):
    identity = (await begun(crew))["identity_id"]
    body = {"identity_id": identity, "credentials": said}
    if field is None:  # surrounded by space, as it is copied
        await crew.ok("POST", f"{CLI}/providers/{provider}/connect", body)
        assert (await row(crew, identity)).credentials["role_arn"] == ROLE
        return
    told = await refused(crew, 400, "POST", f"{CLI}/providers/{provider}/connect", body)
    assert field in told
    assert "wJalrXUtnFEMI" not in told
    assert (await row(crew, identity)).credentials == {}


async def test_identities_of_another_organization_are_not_there(crew):
    machine = await runner(crew)
    identity = await verified(crew, machine)
    fresh = (await begun(crew))["identity_id"]
    _, stranger = await crew.person("eve", "organization:owner", organization="org_other")
    for method, path, body in (
        ("GET", f"{IDENTITIES}/{identity}", None),
        ("GET", f"{IDENTITIES}?before={identity}", None),
        ("POST", f"{IDENTITIES}/{identity}/refresh", None),
        ("POST", f"{AWS}/connect", {"identity_id": fresh, "credentials": {"role_arn": ROLE}}),
        ("POST", f"{AWS}/verify", {"identity_id": identity, "job_id": "x"}),
        ("POST", f"{AWS}/disconnect", {"identity_id": identity}),
    ):
        await refused(crew, 404, method, path, body, token=stranger)
    assert await listed(crew, token=stranger) == []
    assert (await crew.ok("GET", f"{AWS}/status", token=stranger))["identityId"] is None
    body = {"name": "pool", "cloud_identity_id": identity, "region": "eu-west-1"}
    await refused(crew, 403, "POST", f"{CLI}/workers/deploy", body, token=stranger)
    await refused(crew, 404, "POST", f"{CLI}/workers/deploy", {**body, "cloud_identity_id": "nobody"}, token=stranger)


async def test_an_identity_is_not_there_under_the_name_of_another_cloud(crew):
    identity = (await begun(crew))["identity_id"]
    body = {"identity_id": identity, "credentials": {}}
    await refused(crew, 404, "POST", f"{CLI}/providers/azure/connect", body)
    await refused(crew, 404, "POST", f"{CLI}/providers/hetzner/connect", body)
    await refused(crew, 404, "GET", f"{CLI}/providers/hetzner/status")
    await refused(crew, 400, "POST", f"{AWS}/connect", {"identity_id": "", "credentials": {}})
    await refused(crew, 400, "POST", f"{AWS}/connect", {"identity_id": identity, "credentials": "x"})


async def test_who_may_not_connect_sees_identities_without_their_external_ids(crew):
    machine = await runner(crew)
    identity = await verified(crew, machine)
    for role in ("viewer", "developer"):
        _, token = await crew.person(role, f"organization:{role}")
        assert [one["id"] for one in await listed(crew, token=token)] == [identity]
        status = await crew.ok("GET", f"{AWS}/status", token=token)
        assert (status["roleArn"], status["externalId"]) == (ROLE, None)
        await refused(crew, 403, "POST", f"{AWS}/init", {}, token=token)
        await refused(crew, 403, "POST", f"{AWS}/disconnect", {"identity_id": identity}, token=token)
        await refused(crew, 403, "POST", f"{IDENTITIES}/{identity}/refresh", token=token)


async def test_an_external_id_is_kept_sealed_and_stands_in_no_job_event_or_audit(crew):
    machine = await runner(crew)
    made = await begun(crew)
    job = await connected(crew, made["identity_id"])
    kept = await row(crew, made["identity_id"])
    assert made["external_id"] not in json.dumps(kept.credentials) + kept.sealed
    await machine.claim()
    await machine.status(job, "SUCCESS", metadata={"cached_resources": FOUND})
    assert made["external_id"] not in json.dumps(await crew.ok("GET", f"{CLI}/jobs/{job}"))
    assert made["external_id"] not in str(await crew.told())
    heard = await crew.db.read(events.read, f"cloud-identity:{made['identity_id']}")
    assert [one.type for one in heard] == [
        "cloud-identity-begun", "cloud-identity-connected", "cloud-identity-verified",
    ]  # fmt: skip
    assert ROLE in str(heard)
    assert made["external_id"] not in str(heard)


async def test_identities_are_listed_in_pages(crew):
    machine = await runner(crew)
    made = [await verified(crew, machine) for _ in range(3)]
    first = await crew.ok("GET", IDENTITIES, params={"limit": 2})
    assert [one["id"] for one in first["cloud_identities"]] == [made[2], made[1]]
    rest = await crew.ok("GET", IDENTITIES, params={"limit": 2, "before": first["next"]})
    assert ([one["id"] for one in rest["cloud_identities"]], rest["next"]) == ([made[0]], None)


async def test_without_a_public_address_google_and_azure_cannot_be_connected(crew):
    for provider in ("gcp", "azure"):
        said = await refused(crew, 409, "POST", f"{CLI}/providers/{provider}/init", {})
        assert "public" in said or "address" in said
    for path in (f"{issuing.PATH}/.well-known/openid-configuration", f"{issuing.PATH}/jwks"):
        await refused(crew, 404, "GET", path, token=None)


async def order_cloud(crew, job_uid):
    """What the order of a job says of its identity, as a runner is given it."""

    def verb(tx):
        job = tx.one(select(InfraJob).where(InfraJob.uid == job_uid), what="job")
        return federating.cloud(tx, job)

    return await crew.db.write(verb)


async def trust(crew, subject, audience):
    """A cloud's judgement of a token: fetched keys, then the claims that its trust asks for."""
    said = await crew.ok("GET", f"{issuing.PATH}/.well-known/openid-configuration", token=None)
    assert said["issuer"] == ISSUER
    keys = await crew.ok("GET", said["jwks_uri"].removeprefix(PUBLIC), token=None)
    assert not {"d", "p", "q"} & {name for key in keys["keys"] for name in key}
    ring = KeySet.import_key_set(keys)
    now = int(crew.db.clock.now().timestamp())

    def trusts(token):
        claims = jwt.decode(token, ring, algorithms=["RS256"]).claims
        assert claims["exp"] - claims["iat"] == 600
        assert claims["iat"] <= now + 60
        return (claims["iss"], claims["sub"], claims["aud"]) == (ISSUER, subject, audience)

    return trusts


async def test_google_takes_a_token_that_this_server_signed_for_it_alone(public):
    crew = public
    made = await begun(crew, "gcp", name="Payments")
    assert (made["external_id"], made["issuer"]) == (None, ISSUER)
    body = {"identity_id": made["identity_id"], "credentials": {"wif_config": wif_config()}}
    job = (await crew.ok("POST", f"{CLI}/providers/gcp/connect", body))["job_id"]
    cloud = await order_cloud(crew, job)
    assert (cloud.project_id, cloud.service_account_email) == (PROJECT, EMAIL)
    google = Google(trusts=await trust(crew, made["subject"], AUDIENCE))
    async with gcp.credentials(cloud, google.transport()) as variables:
        assert variables["GOOGLE_OAUTH_ACCESS_TOKEN"] == "of-the-account"
    other = Google(trusts=await trust(crew, made["subject"], "//iam.googleapis.com/another"))
    with pytest.raises(Problem):
        async with gcp.credentials(cloud, other.transport()):
            raise AssertionError("taken up")
    status = await crew.ok("GET", f"{CLI}/providers/gcp/status")
    assert (status["connected"], status["projectId"], status["serviceAccountEmail"]) == (False, PROJECT, EMAIL)
    kept = json.dumps(await crew.ok("GET", f"{CLI}/jobs/{job}"))
    assert cloud.subject_token not in kept
    assert "external_account" not in kept


WHOLE = (SECONDS + GRACE_SECONDS + 1, 3 * 3600)


@pytest.mark.parametrize(
    ("job_type", "least", "most"),
    [("CONNECTION_TEST", 600, 600), ("FETCH_RESOURCES", 600, 600), ("PLAN", *WHOLE), ("DEPLOY", *WHOLE),
     ("DESTROY", *WHOLE)],
)  # fmt: skip
async def test_a_token_outlives_the_time_that_its_job_may_take(public, job_type, least, most):
    crew = public
    made = await begun(crew, "gcp")
    body = {"identity_id": made["identity_id"], "credentials": {"wif_config": wif_config()}}
    job = (await crew.ok("POST", f"{CLI}/providers/gcp/connect", body))["job_id"]

    def verb(tx):
        tx.execute(update(CloudIdentity).values(verified_at=tx.now))
        found = tx.one(select(InfraJob).where(InfraJob.uid == job), what="job")
        found.job_type = job_type
        return federating.cloud(tx, found)

    cloud = await crew.db.write(verb)
    claims = jwt.decode(
        cloud.subject_token, KeySet.import_key_set(await crew.db.read(issuing.keys)), algorithms=["RS256"]
    ).claims
    assert least <= claims["exp"] - claims["iat"] <= most
    assert claims["exp"] - claims["iat"] < turning.LONGEST_LIFE.total_seconds()


async def test_azure_takes_a_token_that_this_server_signed_for_it_alone(public):
    crew = public
    made = await begun(crew, "azure")
    assert made["audience"] == "api://AzureADTokenExchange"
    said = {"tenant_id": TENANT, "client_id": CLIENT.upper(), "subscription_id": SUBSCRIPTION}
    body = {"identity_id": made["identity_id"], "credentials": said}
    job = (await crew.ok("POST", f"{CLI}/providers/azure/connect", body))["job_id"]
    cloud = await order_cloud(crew, job)
    trusts = await trust(crew, made["subject"], made["audience"])
    async with azure.credentials(cloud, Azure(trusts=trusts).transport()) as variables:
        assert variables["ARM_OIDC_TOKEN"] == cloud.subject_token


async def test_the_key_is_one_whoever_asks_first_and_is_kept_sealed(public):
    crew = public
    await asyncio.gather(*(begun(crew, provider) for provider in ("gcp", "azure", "gcp", "azure")))
    rows = await crew.db.read(lambda tx: list(tx.scalars(select(IssuerKey))))
    assert len(rows) == 1
    assert "d" not in rows[0].public
    assert rows[0].sealed.startswith("v1.")


async def test_the_servers_own_worker_federates_to_nobody(public):
    crew = public
    made = await begun(crew, "gcp")
    body = {"identity_id": made["identity_id"], "credentials": {"wif_config": wif_config()}}
    job = (await crew.ok("POST", f"{CLI}/providers/gcp/connect", body))["job_id"]

    def verb(tx):
        return federating.cloud(tx, tx.one(select(InfraJob).where(InfraJob.uid == job), what="job"), own=True)

    with pytest.raises(Problem) as told:
        await crew.db.write(verb)
    assert told.value.code == "infra_needs_runner"


async def test_the_servers_own_credentials_take_roles_on_for_the_first_organization_alone(crew, monkeypatch):
    others = [part for part in crew.db.parts if not isinstance(part, federating.OwnCredentials)]
    assert len(others) == len(crew.db.parts) - 1, "the server was told"
    for name in federating.OWN:
        monkeypatch.setenv(name, "x")  # what counts is how the server was started
    _, stranger = await crew.person("eve", "organization:owner", organization="org_other")
    mine = (await begun(crew))["identity_id"]
    theirs = (await crew.ok("POST", f"{AWS}/init", {}, token=stranger))["identity_id"]

    async def elsewhere(uid):
        one = await row(crew, uid)
        return await crew.db.read(federating.elsewhere, one)

    monkeypatch.setattr(crew.db, "parts", tuple(others))
    assert (await elsewhere(mine), await elsewhere(theirs)) == (True, True)
    assert not federating.OwnCredentials.of({federating.OWN[0]: "x"}).aws
    started = federating.OwnCredentials.of(dict.fromkeys(federating.OWN, "x"))
    monkeypatch.setattr(crew.db, "parts", (*others, started))
    assert (await elsewhere(mine), await elsewhere(theirs)) == (False, True)


async def test_an_identity_is_bound_to_zones_over_the_api(crew):
    identity = await verified(crew, await runner(crew))
    identity = identity["id"] if isinstance(identity, dict) else identity
    zone = (await crew.ok("POST", f"{CLI}/zones", {"name": "production"}))["zone"]["id"]
    at = f"{IDENTITIES}/{identity}/zones"
    assert await crew.ok("GET", at) == {"zone_ids": [], "bound": False}
    assert await crew.ok("PUT", at, {"zone_ids": [zone]}) == {"zone_ids": [zone], "bound": True}
    assert await crew.ok("GET", at) == {"zone_ids": [zone], "bound": True}
    document = {"project_name": "ledger", "region": "eu-west-1", "cloud_identity_id": identity}
    refused = await crew.send("POST", f"{CLI}/configurations", document)
    assert (refused.status_code, refused.json()["code"]) == (409, "cloud_identity_not_here")
    await crew.ok("POST", f"{CLI}/configurations", {**document, "zone_id": zone}, status=201)
    refused = await crew.send("PUT", at, {"zone_ids": ["01890a5d-ac96-774b-bcce-b302099a8057"]})
    assert (refused.status_code, refused.json()["code"]) == (404, "zone_not_found")
    assert await crew.ok("PUT", at, {"zone_ids": []}) == {"zone_ids": [], "bound": False}
