"""A second organization sees, changes and counts nothing of the first."""

from __future__ import annotations

from support.served import SOURCE, deployed, serve

PROCESS = {"kind": "process", "instance": "dep_x", "port": 4000, "host_port": 4000, "upstream": "127.0.0.1:4000"}
VARIABLE = {"key": "A", "value": "1", "kind": "plain-config", "exposure": "runtime"}


async def test_another_organization_finds_nothing_by_list_or_by_name(deck):
    server = await deck.server()
    project, environment = await deck.place()
    resource = await deck.resource((project, environment), source=SOURCE)
    deployment = await deployed(deck, resource, server)
    await serve(deck, deployment, PROCESS)
    await deck.do("environments.set-variable", VARIABLE, environmentId=environment)
    await deck.do("resources.secrets.create", {"key": "S", "value": "1"}, resourceId=resource)
    await deck.do("default-access-domain-policies.configure", {"scope": {"kind": "system"}, "mode": "disabled"})
    before = await snapshot(deck, resource)
    stranger = await deck.member("owner", "org_elsewhere")

    for key in ("projects", "environments", "servers", "resources", "deployments"):
        assert (await deck.do(f"{key}.list", token=stranger))["items"] == []
        assert await deck.do(f"{key}.count", token=stranger) == {"count": 0}
    for query in ({"projectId": project}, {"environmentId": environment}):
        assert (await deck.do("resources.list", token=stranger, query=query))["items"] == []
        assert await deck.do("resources.count", token=stranger, query=query) == {"count": 0}
    assert (await deck.do("default-access-domain-policies.list", token=stranger))["items"] == []
    assert (await deck.do("default-access-domain-policies.show", token=stranger))["policy"] is None

    placed = {"projectId": project, "environmentId": environment}
    policy = {"scope": {"kind": "deployment-target", "serverId": server}, "mode": "disabled"}
    acts = [
        ("projects.show", None, {"projectId": project}),
        ("projects.rename", {"name": "Taken"}, {"projectId": project}),
        ("projects.set-description", {"description": "x"}, {"projectId": project}),
        ("projects.archive", {}, {"projectId": project}),
        ("projects.restore", None, {"projectId": project}),
        ("projects.delete", {"confirmation": {"projectId": project}}, {"projectId": project}),
        ("projects.delete-check", None, {"projectId": project}),
        ("environments.create", {"projectId": project, "name": "x", "kind": "test"}, {}),
        ("environments.show", None, {"environmentId": environment}),
        ("environments.effective-precedence", None, {"environmentId": environment}),
        ("environments.set-variable", VARIABLE, {"environmentId": environment}),
        ("environments.unset-variable", {"exposure": "runtime"}, {"environmentId": environment, "key": "A"}),
        ("servers.show", None, {"serverId": server}),
        ("default-access-domain-policies.configure", policy, {}),
        ("resources.create", {**placed, "name": "x"}, {}),
        ("resources.show", None, {"resourceId": resource}),
        ("resources.archive", {}, {"resourceId": resource}),
        ("resources.delete", {"confirmation": {"resourceSlug": "web"}}, {"resourceId": resource}),
        ("resources.configure-source", {"source": SOURCE}, {"resourceId": resource}),
        ("resources.configure-runtime", {"runtimeProfile": {}}, {"resourceId": resource}),
        ("resources.configure-network", {"networkProfile": {"internalPort": 1}}, {"resourceId": resource}),
        ("resources.configure-access", {"accessProfile": {}}, {"resourceId": resource}),
        ("resources.configure-health", {"healthCheck": {}}, {"resourceId": resource}),
        ("resources.reset-health", None, {"resourceId": resource}),
        ("resources.set-variable", {"key": "A", "value": "1", "exposure": "runtime"}, {"resourceId": resource}),
        ("resources.unset-variable", {"exposure": "runtime"}, {"resourceId": resource, "key": "A"}),
        ("resources.secrets.list", None, {"resourceId": resource}),
        ("resources.secrets.create", {"key": "T", "value": "1"}, {"resourceId": resource}),
        ("resources.secrets.show", None, {"resourceId": resource, "key": "S"}),
        ("resources.secrets.rotate", {"value": "2"}, {"resourceId": resource, "key": "S"}),
        ("resources.secrets.delete", {}, {"resourceId": resource, "key": "S"}),
        ("resources.effective-config", None, {"resourceId": resource}),
        ("resources.health", None, {"resourceId": resource}),
        ("resources.runtime-logs", None, {"resourceId": resource}),
        ("resources.runtime-logs/stream", None, {"resourceId": resource}),
        ("resources.runtime.stop", {}, {"resourceId": resource}),
        ("resources.runtime.start", {}, {"resourceId": resource}),
        ("resources.runtime.restart", {}, {"resourceId": resource}),
        ("deployments.create", {**placed, "resourceId": resource, "serverId": server}, {}),
        ("deployments.show", None, {"deploymentId": deployment}),
        ("deployments.logs", None, {"deploymentId": deployment}),
        ("deployments.stream-events", None, {"deploymentId": deployment}),
        ("deployments.stream-events/stream", None, {"deploymentId": deployment}),
        ("deployments.recovery-readiness", None, {"deploymentId": deployment}),
        ("deployments.retry", {}, {"deploymentId": deployment}),
        ("deployments.redeploy", {}, {"resourceId": resource}),
        ("deployments.rollback", {"rollbackCandidateDeploymentId": deployment}, {"deploymentId": deployment}),
        ("deployments.cancel", {"confirm": deployment, "resourceId": resource}, {"deploymentId": deployment}),
    ]
    seen = []
    for key, body, named in acts:
        answer = await deck.request(key, body, token=stranger, **named)
        if answer.status_code != 404:
            seen.append((key, answer.status_code, answer.text[:200]))
    assert seen == []
    assert await snapshot(deck, resource) == before


async def test_a_place_of_another_organization_takes_nothing_of_mine(deck):
    stranger = await deck.member("owner", "org_elsewhere")
    theirs = await deck.place("Theirs", token=stranger)
    await deck.refused(
        404, "not_found", "resources.create", {"projectId": theirs[0], "environmentId": theirs[1], "name": "x"}
    )
    mine = await deck.place("Mine")
    mixed = {"projectId": mine[0], "environmentId": theirs[1], "name": "x"}
    await deck.refused(404, "not_found", "resources.create", mixed)
    # The same slug is free in each organization.
    assert await deck.project("Theirs")


async def snapshot(deck, resource):
    """What the first organization sees, without the times of reading."""
    found = [
        await deck.do("resources.show", resourceId=resource),
        await deck.do("resources.secrets.list", resourceId=resource),
        await deck.do("projects.list"),
        await deck.do("environments.list"),
        await deck.do("default-access-domain-policies.list"),
    ]
    for one in found:
        one.pop("generatedAt", None)
    return found
