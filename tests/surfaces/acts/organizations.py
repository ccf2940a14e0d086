"""Organizations, their members, deploy tokens and identity providers; the audit trail and how long things stay."""

from __future__ import annotations

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.logs import Line
from support.acts import Act, Stage, act
from surfaces.acts import making
from surfaces.acts.identity import whose
from surfaces.acts.making import soon


class PastAction(audit.Action):
    DONE = "act-sample.done"


@act("POST /api/organizations")
async def create(stage: Stage) -> Act:
    return Act(body={"name": stage.name("crew")})


@act("POST /api/organizations/{organizationId}/profile")
async def profile(stage: Stage) -> Act:
    return Act({"organizationId": await making.organization(stage)}, {"name": stage.name("crew")})


@act("DELETE /api/organizations/{organizationId}")
async def delete(stage: Stage) -> Act:
    ref = await making.organization(stage)
    return Act({"organizationId": ref}, {"confirmation": {"organizationId": ref}})


@act("POST /api/organizations/current-context/switch")
async def switch(stage: Stage) -> Act:
    ref = await making.organization(stage)
    return Act(body={"organizationId": ref}, by=await making.again(stage, stage.owner))


@act("POST /api/organizations/{organizationId}/invitations")
async def invite(stage: Stage) -> Act:
    body = {"email": f"{stage.name('guest')}@example.com", "role": "viewer"}
    return Act({"organizationId": stage.organization}, body)


async def asked_in(stage: Stage) -> Act:
    given = await invite(stage)
    path = f"/api/organizations/{stage.organization}/invitations"
    made = (await stage.ok("POST", path, given.body))["invitationId"]
    return Act({"organizationId": stage.organization, "invitationId": made})


act("POST /api/organizations/{organizationId}/invitations/{invitationId}/resend")(asked_in)
act("POST /api/organizations/{organizationId}/invitations/{invitationId}/revoke")(asked_in)


@act("POST /api/organizations/{organizationId}/members/{memberId}/role")
async def change_role(stage: Stage) -> Act:
    who = await stage.person()
    return Act({"organizationId": stage.organization, "memberId": who.ref}, {"role": "admin"}, known=whose(who))


@act("DELETE /api/organizations/{organizationId}/members/{memberId}")
async def remove(stage: Stage) -> Act:
    who = await stage.person()
    return Act({"organizationId": stage.organization, "memberId": who.ref}, {}, known=whose(who))


@act("POST /api/organizations/{organizationId}/owner-transfer")
async def transfer(stage: Stage) -> Act:
    former, later = await stage.person("organization:owner"), await stage.person("organization:admin")
    body = {"fromMemberId": former.ref, "toMemberId": later.ref}
    return Act({"organizationId": stage.organization}, body, by=former)


async def deploy_token(stage: Stage) -> Act:
    body = {
        "organizationId": stage.organization,
        "displayName": stage.name("ci"),
        "scope": {"workflowCommands": ["preview-cleanup"], "projectIds": [await making.project(stage)]},
    }
    return Act(body=body)


act("POST /api/deploy-tokens")(deploy_token)


async def made_token(stage: Stage) -> Act:
    given = await deploy_token(stage)
    made = (await stage.ok("POST", "/api/deploy-tokens", given.body))["tokenId"]
    body = {"organizationId": stage.organization, "confirmation": {"tokenId": made}}
    return Act({"tokenId": made}, body)


act("POST /api/deploy-tokens/{tokenId}/rotate")(made_token)
act("POST /api/deploy-tokens/{tokenId}/revoke")(made_token)


async def provider(stage: Stage) -> Act:
    body = {
        "slug": stage.name("idp"), "name": stage.name("login"), "issuer": "https://login.example.com",
        "clientId": "deck", "clientSecret": "client-secret", "defaultRoles": ["organization:viewer"],
    }  # fmt: skip
    return Act(body=body)


act("POST /api/identity-providers")(provider)


async def made_provider(stage: Stage) -> str:
    made: str = (await stage.ok("POST", "/api/identity-providers", (await provider(stage)).body))["id"]
    return made


@act("PATCH /api/identity-providers/{identityProviderId}")
async def change_provider(stage: Stage) -> Act:
    return Act({"identityProviderId": await made_provider(stage)}, {"name": stage.name("login")})


@act("DELETE /api/identity-providers/{identityProviderId}")
async def delete_provider(stage: Stage) -> Act:
    return Act({"identityProviderId": await made_provider(stage)})


# -- what is asked


@act("POST /api/capabilities/query")
async def capabilities(stage: Stage) -> Act:
    asked = {"operationKey": "projects.archive", "resourceRefs": {"projectId": await making.project(stage)}}
    return Act(body={"queries": [asked]})


@act("POST /api/entitlements/query")
async def entitlements(stage: Stage) -> Act:
    return Act(body={"queries": [{"capabilityKey": "builds", "organizationId": stage.organization}]})


@act("POST /api/usage-intents")
async def usage(stage: Stage) -> Act:
    body = {"idempotencyKey": stage.name("key"), "capabilityKey": "builds", "source": "meter"}
    return Act(body=body)


@act("POST /api/deployment-overlays")
async def overlay(stage: Stage) -> Act:
    return Act(body={"operationKey": "deployments.create", "source": "policy"})


@act("POST /api/route-surfaces")
async def surface(stage: Stage) -> Act:
    return Act(body={"operationKey": "deployments.create", "source": "policy", "surfaceKind": "public"})


# -- the trail


async def past(stage: Stage) -> str:
    """Something that happened to a thing, and is sealed; answers the thing."""
    thing = stage.name("thing")
    home = await making.home(stage)

    def verb(tx: Tx) -> None:
        audit.record(tx, PastAction.DONE, resource_type="thing", resource_id=thing, organization_id=home)

    await stage.write(verb)
    while await stage.write(audit.seal):
        pass
    return thing


@act("POST /api/audit-events/prune")
async def prune(stage: Stage) -> Act:
    return Act(body={"before": soon(stage), "aggregateId": await past(stage), "dryRun": False})


@act("POST /api/audit-events/archives")
async def archive(stage: Stage) -> Act:
    return Act(body={"reason": stage.name("reason"), "aggregateId": await past(stage)})


@act("POST /api/audit-events/archives/prune")
async def prune_archives(stage: Stage) -> Act:
    thing = await past(stage)
    await stage.ok("POST", "/api/audit-events/archives", {"reason": stage.name("reason"), "aggregateId": thing})
    return Act(body={"before": soon(stage), "aggregateId": thing, "dryRun": False})


async def hold(stage: Stage) -> Act:
    return Act(body={"reason": stage.name("reason"), "aggregateId": await past(stage)})


act("POST /api/audit-events/legal-holds")(hold)


@act("POST /api/audit-events/legal-holds/{holdId}/release")
async def release(stage: Stage) -> Act:
    made = await stage.ok("POST", "/api/audit-events/legal-holds", (await hold(stage)).body)
    return Act({"holdId": made["hold"]["holdId"]}, {"releaseReason": stage.name("reason")})


@act("POST /api/retention-defaults")
async def retention(stage: Stage) -> Act:
    body = {"category": "audit-rows", "retentionDays": 30, "scope": "organization"}
    return Act(body={**body, "policyId": stage.name("policy"), "organizationId": stage.organization})


@act("POST /api/retention-runs")
async def retention_run(_stage: Stage) -> Act:
    return Act(body={"categories": ["audit-rows"], "dryRun": False})


@act("POST /api/domain-events/prune")
async def prune_events(stage: Stage) -> Act:
    home, stream = await making.home(stage), f"sample:{stage.name()}"

    def verb(tx: Tx) -> None:
        for _ in range(2):
            events.append(tx, stream, "sample-made", {}, organization_id=home)

    await stage.write(verb)
    return Act(body={"before": soon(stage), "aggregateId": stream.partition(":")[2], "dryRun": False})


@act("POST /api/provider-job-logs/prune")
async def prune_provider_logs(stage: Stage) -> Act:
    ref = await making.server(stage)
    line = Line(stage.deck.instance.db.clock.now(), "application", "stdout", None, "info", "said")
    await stage.deck.instance.logs.store(f"server:{ref}", [line])
    return Act(body={"before": soon(stage), "serverId": ref, "dryRun": False})
