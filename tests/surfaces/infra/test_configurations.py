"""Specifications over the API: made, read flat, changed, compared, cloned, exported, deleted."""

from __future__ import annotations

import asyncio
import json

import pytest
import yaml
from sqlalchemy import select, text

from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs import specs, statuses
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states.model import State
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import events
from surfaces.infra.making import SPECS, ZONES, ledger, spec, zone
from surfaces.infra.test_zones import NOBODY, refused

GIT = {"kind": "git", "url": "https://git.example.com/team/stack.git", "commit": "a" * 40, "path": "aws"}
TOKEN = "ghp_veryprivate"
TEN = {
    "id", "project_name", "zone_id", "environment_stage", "status", "region", "cloud_provider",
    "estimated_monthly_cost", "created_at", "updated_at",
}  # fmt: skip
SECOND = {
    "id", "user_id", "zone_id", "cloud_identity_id", "project_name", "environment_stage", "region", "cloud_provider",
    "cloud_account_id", "terraform_version", "status", "estimated_monthly_cost", "created_at", "updated_at",
    "provision_network", "cidr_block", "network_id", "single_nat_gateway", "network_status", "cluster_version",
    "cluster_provider_config", "cluster_admins", "instance_types", "node_min_size", "node_max_size",
    "node_desired_size", "cluster_name", "cluster_endpoint", "cluster_status", "dns_enabled", "dns_domain_name",
    "dns_zone_id", "dns_managed_certificate", "dns_waf_enabled", "dns_provider_config", "dns_status",
    "apps_destination_repo", "has_database", "db_min_capacity", "db_max_capacity", "has_cache", "container_platform",
}  # fmt: skip
FIRST = {
    "vineyard_id", "aws_region", "aws_account_id", "create_vpc", "vpc_cidr", "selected_vpc_id", "vpc_status",
    "enable_karpenter", "eks_status", "enable_dns", "dns_main_domain", "dns_hosted_zone", "acm_certificate_enable",
    "waf_enabled", "cloudfront_waf_enabled", "application_waf_enabled", "env_template_repo",
    "env_template_repo_branch", "env_git_repo", "gitops_template_repo", "gitops_template_repo_branch",
    "gitops_destination_repo", "applications_template_repo", "applications_template_repo_branch",
    "applications_destination_repo", "create_rds", "enable_redis",
}  # fmt: skip


async def row(crew, uid):
    return await crew.db.read(lambda tx: tx.first(select(Spec).where(Spec.uid == uid)))


async def alter(crew, uid, **values):
    def verb(tx):
        found = tx.first(select(Spec).where(Spec.uid == uid))
        for name, value in values.items():
            setattr(found, name, value)

    await crew.db.write(verb)


async def state(crew, uid, resources):
    def verb(tx):
        found = tx.first(select(Spec).where(Spec.uid == uid))
        tx.add(
            State(
                uid=tx.ids.uid(), organization_id=found.organization_id, subject=f"spec:{uid}", version=1, serial=1,
                lineage="l", resources=resources, created_at=tx.now, updated_at=tx.now,
            )
        )  # fmt: skip

    await crew.db.write(verb)


async def job(crew, uid, job_type="PLAN", **more):
    """A job of a spec that has not ended: its row id."""

    def verb(tx):
        found = tx.first(select(Spec).where(Spec.uid == uid))
        made = InfraJob(
            uid=tx.ids.uid(), organization_id=found.organization_id, owner_id=1, spec_id=found.id, job_type=job_type,
            status="QUEUED", snapshot={}, execution_metadata={}, created_at=tx.now, updated_at=tx.now, **more,
        )  # fmt: skip
        return tx.add(made).id

    return await crew.db.write(verb)


async def identity(crew, provider="aws", account="123456789012", organization_id=1):
    def verb(tx):
        keys = {"aws": "account_id", "gcp": "project_id", "azure": "subscription_id"}
        made = CloudIdentity(
            uid=tx.ids.uid(), organization_id=organization_id, owner_id=1, provider=provider, name=provider,
            credentials={keys[provider]: account}, cached_resources={}, created_at=tx.now,
        )  # fmt: skip
        return tx.add(made).uid

    return await crew.db.write(verb)


async def test_the_flat_form_has_the_keys_of_both_generations(crew):
    place = await zone(crew)
    made = await crew.once("infra-spec.created", "POST", SPECS, ledger(zone_id=place["id"]), status=201)
    flat = (await crew.ok("GET", f"{SPECS}/by-project-name/ledger"))["configuration"]
    assert flat.keys() >= SECOND | FIRST
    assert flat["cluster_admins"] is None, "published programs expect no list there"
    assert flat["cluster_admin_list"] == [{"username": "ops", "groups": ["system:masters"]}]
    by_name = (await crew.ok("GET", f"{SPECS}/ledger"))["configuration"]
    assert by_name["cluster_admins"] == flat["cluster_admin_list"]
    assert by_name | {"cluster_admins": None} == flat
    assert made["configuration"] == by_name == (await crew.ok("GET", f"{SPECS}/{flat['id']}"))["configuration"]
    assert (flat["zone_id"], flat["vineyard_id"], flat["status"]) == (place["id"], place["id"], "DRAFT")
    assert (flat["region"], flat["aws_region"], flat["cidr_block"], flat["vpc_cidr"]) == (
        "eu-west-1", "eu-west-1", "10.20.0.0/16", "10.20.0.0/16",
    )  # fmt: skip
    assert (flat["has_database"], flat["db_min_capacity"], flat["db_max_capacity"], flat["has_cache"]) == (
        True, 0.5, 4, False,
    )  # fmt: skip
    assert (flat["cloud_provider"], flat["provider"], flat["network_status"]) == ("", "aws", "PENDING")
    listed = (await crew.ok("GET", SPECS))["configurations"]
    assert listed[0].keys() >= TEN
    assert {name: listed[0][name] for name in TEN} == {name: flat[name] for name in TEN}


async def test_a_program_that_picked_no_zone_sends_an_empty_one(crew):
    assert (await spec(crew, zone_id="", cloud_identity_id=""))["zone_id"] is None


async def test_a_wrong_document_names_its_fields_and_keeps_nothing(crew):
    told = await refused(crew, 400, "POST", SPECS, ledger(region="nowhere", network={"cidr_block": "x"}, hello=1))
    for field in ("hello", "network.cidr_block"):
        assert f"{field}: " in told
    for body in ([], {}, {"project_name": 1}, {"project_name": "a"}, "x", 7):
        await refused(crew, 400, "POST", SPECS, body)
    for wrong in ({"zone_id": NOBODY}, {"cloud_identity_id": NOBODY}, {"zone_id": 7}, {"cloud_identity_id": {}}):
        assert next(iter(wrong)) in await refused(crew, 400, "POST", SPECS, ledger(**wrong))
    big = json.dumps(ledger(variables={"a": "x" * (1 << 20)})).encode()
    await refused(crew, 413, "POST", SPECS, content=big, headers={"content-type": "application/json"})
    await refused(crew, 400, "POST", SPECS, content=b'{"a": "\\u0000"}', headers={"content-type": "application/json"})
    digits = b'{"project_name": "a", "drift_minutes": ' + b"9" * 6000 + b"}"
    await refused(crew, 400, "POST", SPECS, content=digits, headers={"content-type": "application/json"})
    deep = b'{"variables": ' + b'{"a":' * 900 + b"1" + b"}" * 901
    await refused(crew, 400, "POST", SPECS, content=deep, headers={"content-type": "application/json"})
    assert (await crew.ok("GET", SPECS))["configurations"] == []


async def test_validating_tells_everything_and_keeps_nothing(crew):
    body = ledger(region="nowhere!", zone_id=NOBODY, databases=[{"name": "a", "port": 0}])
    before = len(await crew.told())
    told = await crew.ok("POST", f"{SPECS}/validate", body)
    assert {one["field"] for one in told["errors"]} == {"region", "zone_id", "databases[0].port"}
    assert (told["valid"], told["document"], told["configuration_hash"]) == (False, None, None)
    good = await crew.ok("POST", f"{SPECS}/validate", ledger())
    assert (good["valid"], good["errors"]) == (True, [])
    assert good["document"]["cluster"]["node_desired_size"] == 3
    assert len(await crew.told()) == before
    assert (await crew.ok("GET", SPECS))["configurations"] == []
    assert (await spec(crew))["configuration_hash"] == good["configuration_hash"]


async def test_a_name_that_several_have_lists_their_ids(crew):
    ids = [(await spec(crew))["id"] for _ in range(3)]
    for path in (
        "by-project-name/ledger",
        "ledger",
        "ledger/versions",
        "ledger/export",
        "by-project-name/ledger/export",
    ):
        told = await refused(crew, 409, "GET", f"{SPECS}/{path}")
        assert all(one in told for one in ids), path
    await refused(crew, 409, "PUT", f"{SPECS}/ledger", ledger())
    await refused(crew, 409, "DELETE", f"{SPECS}/ledger")
    assert (await crew.ok("GET", f"{SPECS}/{ids[1]}"))["configuration"]["id"] == ids[1]


async def test_the_cloud_is_that_of_the_identity(crew):
    aws, gcp = await identity(crew), await identity(crew, "gcp", "acme-prod")
    made = await spec(crew, cloud_identity_id=aws)
    assert (made["cloud_provider"], made["cloud_account_id"], made["aws_account_id"]) == (
        "aws",
        "123456789012",
        "123456789012",
    )
    other = await spec(crew, cloud_identity_id=gcp, region="europe-west1", project_name="g")
    assert (other["provider"], other["cloud_account_id"], other["aws_account_id"]) == ("gcp", "acme-prod", None)
    assert other["document"]["module"]["name"] == "gcp"
    assert "provider" in await refused(crew, 400, "POST", SPECS, ledger(provider="aws", cloud_identity_id=gcp))
    theirs = await crew.db.write(_other_organization)
    foreign = await identity(crew, organization_id=theirs)
    assert "no such cloud identity" in await refused(crew, 400, "POST", SPECS, ledger(cloud_identity_id=foreign))


def _other_organization(tx):
    from quarterdeck.identity.model import Organization

    return tx.add(Organization(uid=tx.ids.uid(), ref="org_x", name="x", slug="org-x", created_at=tx.now)).id


async def test_a_change_is_a_new_version_and_the_same_again_none(crew):
    made = await spec(crew)
    path = f"{SPECS}/{made['id']}"
    body = ledger(comment="bigger", cluster=ledger()["cluster"] | {"node_max_size": 9}, version=1)
    changed = (await crew.once("infra-spec.changed", "PUT", path, body))["configuration"]
    assert (changed["version"], changed["node_max_size"]) == (2, 9)
    assert changed["configuration_hash"] != made["configuration_hash"]
    before = len(await crew.told())
    same = (await crew.ok("PUT", path, body | {"version": 2}))["configuration"]
    assert (same["version"], len(await crew.told())) == (2, before)
    page = await crew.ok("GET", f"{path}/versions")
    assert [(one["number"], one["comment"], one["current"]) for one in page["versions"]] == [
        (2, "bigger", True), (1, None, False),
    ]  # fmt: skip
    assert page["versions"][1]["configuration_hash"] == made["configuration_hash"]
    assert page["versions"][0]["user_id"] == made["user_id"]
    told = (await crew.told())[-1]
    assert json.loads(told["detail"])["changed"] == ["cluster.node_max_size"]
    first = await crew.ok("GET", f"{path}/versions", params={"limit": 1})
    assert (len(first["versions"]), first["next"]) == (1, 2)
    assert (await crew.ok("GET", f"{path}/versions", params={"before": 2}))["versions"][0]["number"] == 1
    said = await crew.db.read(lambda tx: events.read(tx, f"infra-spec:{made['id']}"))
    assert [one.type for one in said] == ["infra-spec-created", "infra-spec-changed"]


async def test_who_was_slower_is_told_and_loses_nothing(crew):
    made = await spec(crew)
    path = f"{SPECS}/{made['id']}"
    bodies = [ledger(version=1, databases=[{"name": f"base-{number}"}]) for number in range(5)]
    answers = await asyncio.gather(*(crew.send("PUT", path, body) for body in bodies))
    assert sorted(one.status_code for one in answers) == [200] + [409] * 4
    assert "at version 2, not 1" in next(one for one in answers if one.status_code == 409).text
    assert (await row(crew, made["id"])).version == 2
    assert (await crew.ok("PUT", path, bodies[0] | {"version": 2}))["configuration"]["version"] in {2, 3}


async def test_two_versions_are_compared_place_by_place(crew):
    made, (main,) = await spec(crew), ledger()["databases"]
    path = f"{SPECS}/{made['id']}"
    await crew.ok("PUT", path, ledger(region="us-east-1", databases=[main | {"port": 5433}, {"name": "b"}]))
    await crew.ok("PUT", path, ledger(region="us-east-1", databases=[{"name": "b"}]))
    found = await crew.ok("GET", f"{path}/diff", params={"from": 1, "to": 2})
    assert (found["from"], found["to"], found["same"]) == (1, 2, False)
    assert [(one["path"], one["kind"]) for one in found["changes"]] == [
        ("databases[main].port", "changed"), ("databases[b]", "added"), ("region", "changed"),
    ]  # fmt: skip
    assert found["changes"][2] | {"before": "eu-west-1", "after": "us-east-1"} == found["changes"][2]
    newest = await crew.ok("GET", f"{path}/diff")
    assert (newest["from"], newest["to"]) == (2, 3)
    assert [(one["path"], one["kind"]) for one in newest["changes"]] == [("databases[main]", "removed")]
    back = await crew.ok("GET", f"{path}/diff", params={"from": 2, "to": 1})
    assert [one["kind"] for one in back["changes"]] == ["changed", "removed", "changed"]
    assert (await crew.ok("GET", f"{path}/diff", params={"from": 2, "to": 2}))["same"] is True
    await refused(crew, 404, "GET", f"{path}/diff?from=1&to=9")
    for query in ("from=0", "from=x", "to=-1", "to=99999999999999999999"):
        await refused(crew, 400, "GET", f"{path}/diff?{query}")


async def test_what_a_change_does_not_speak_of_stays(crew):
    place, cloud = await zone(crew), await identity(crew)
    made = await spec(
        crew, zone_id=place["id"], cloud_identity_id=cloud, drift_minutes=30, module=GIT, module_token=TOKEN
    )
    assert (made["module_token_set"], made["drift_minutes"]) == (True, 30)
    assert made["drift_due_at"] is not None
    path = f"{SPECS}/{made['id']}"
    same = (await crew.ok("PUT", path, ledger(module=GIT)))["configuration"]
    assert same == made
    gone = {"zone_id": None, "cloud_identity_id": None, "drift_minutes": None, "module_token": None}
    bare = (await crew.once("infra-spec.changed", "PUT", path, ledger(module=GIT, **gone)))["configuration"]
    assert (bare["zone_id"], bare["cloud_identity_id"], bare["drift_minutes"]) == (None, None, None)
    assert (bare["module_token_set"], bare["drift_due_at"], bare["version"]) == (False, None, 2)


async def test_a_token_is_kept_sealed_told_nowhere_and_only_for_its_host(crew):
    made = await spec(crew, module=GIT, module_token=TOKEN, comment="with a token")
    path = f"{SPECS}/{made['id']}"
    kept = await row(crew, made["id"])
    assert TOKEN not in kept.module_token
    opened = await crew.db.read(lambda tx: specs.token(tx, tx.get(Spec, kept.id)))
    assert opened.reveal() == TOKEN
    moved = GIT | {"path": "gcp", "url": "https://git.example.com/team/other.git"}
    assert (await crew.ok("PUT", path, ledger(module=moved)))["configuration"]["module_token_set"] is True
    away = GIT | {"url": "https://evil.example/team/stack.git"}
    assert (await crew.ok("PUT", path, ledger(module=away)))["configuration"]["module_token_set"] is False
    assert (await crew.ok("PUT", path, ledger(module=away, module_token=TOKEN)))["configuration"]["module_token_set"]
    assert (await crew.ok("PUT", path, ledger()))["configuration"]["module_token_set"] is False
    await crew.ok("PUT", path, ledger(module=GIT, module_token=TOKEN))
    cloned = await crew.ok("POST", f"{path}/clone", {"project_name": "copy"}, status=201)
    assert cloned["configuration"]["module_token_set"] is True
    for one in ("yaml", "json", "legacy-yaml"):
        await crew.ok("GET", f"{path}/export", params={"format": one})
    assert not any(TOKEN in one for one in crew.deck.heard)

    def rows(tx):
        names = ("infra_specs", "infra_spec_versions", "audit_events", "domain_events")
        return [str(one) for name in names for one in tx.execute(text(f"SELECT * FROM {name}"))]

    assert not any(TOKEN in one for one in await crew.db.read(rows))


async def test_a_clone_is_a_draft_of_its_own(crew):
    place, other = await zone(crew), await zone(crew, "orders")
    made = await spec(crew, zone_id=place["id"], drift_minutes=60)
    await alter(crew, made["id"], status="ACTIVE", outputs={"a": 1}, applied_hash="x")
    path = f"{SPECS}/{made['id']}/clone"
    body = {"project_name": "ledger-eu", "environment_stage": "production"}
    copy = (await crew.once("infra-spec.created", "POST", path, body, status=201))["configuration"]
    assert (copy["project_name"], copy["environment_stage"], copy["zone_id"]) == (
        "ledger-eu",
        "production",
        place["id"],
    )
    assert (copy["status"], copy["outputs"], copy["version"], copy["drift_minutes"]) == ("DRAFT", {}, 1, 60)
    same = {
        name: value for name, value in made["document"].items() if name not in {"project_name", "environment_stage"}
    }
    assert copy["document"] | same == copy["document"]
    there = await crew.ok("POST", path, {"project_name": "b", "zone_id": other["id"]}, status=201)
    nowhere = await crew.ok("POST", path, {"project_name": "c", "zone_id": None}, status=201)
    assert (there["configuration"]["zone_id"], nowhere["configuration"]["zone_id"]) == (other["id"], None)
    for wrong in ({}, {"project_name": ""}, {"project_name": "a b"}, {"project_name": "d", "environment_stage": "x"},
                  {"project_name": "d", "zone_id": NOBODY}):  # fmt: skip
        await refused(crew, 400, "POST", path, wrong)


@pytest.mark.parametrize("form", ["yaml", "json", "legacy-yaml"])
async def test_what_was_exported_is_imported_again_as_the_same_configuration(crew, form):
    place, cloud = await zone(crew), await identity(crew)
    made = await spec(
        crew, zone_id=place["id"], cloud_identity_id=cloud, drift_minutes=45, module=GIT, variables={"a": 3, "b": "no"},
        network={"allowed_cidr_blocks": ["10.9.0.0/16"], "provider_config": {"x": 0.25}},
        caches=[{"name": "c", "engine": "valkey"}], queues=[{"name": "q", "fifo": True}],
        nosql_tables=[{"name": "t", "hash_key": "id", "range_key": "at", "range_key_type": "N"}],
        topics=[{"name": "t", "subscriptions": [{"protocol": "https", "endpoint": "https://hooks.example.com"}]}],
        secrets=[{"name": "app/db"}], container_registries=[{"name": "acme/app"}],
        storage_buckets=[{"name": "assets", "cors_origins": ["*"]}],
    )  # fmt: skip
    by_id = await crew.ok("GET", f"{SPECS}/{made['id']}/export", params={"format": form})
    by_name = await crew.ok("GET", f"{SPECS}/by-project-name/ledger/export", params={"format": form})
    assert by_id == by_name
    ending = {"yaml": ".yaml", "json": ".json", "legacy-yaml": ".legacy.yaml"}[form]
    assert (by_id["filename"], by_id["format"]) == (f"ledger-staging{ending}", form)
    content = json.loads(by_id["content"]) if form == "json" else yaml.safe_load(by_id["content"])
    if form != "legacy-yaml":
        assert list(content)[:4] == ["project_name", "environment_stage", "region", "provider"]
        assert list(content["databases"][0])[:3] == ["name", "engine", "engine_version"]
    else:
        assert content["vpc_cidr"] == content["cidr_block"] == "10.0.0.0/16"
        assert content["create_rds"] is True
    again = (await crew.ok("POST", SPECS, content, status=201))["configuration"]
    assert again["id"] != made["id"]
    assert again["document"] == made["document"]
    assert again["configuration_hash"] == made["configuration_hash"]
    assert (again["zone_id"], again["drift_minutes"]) == (place["id"], 45)


async def test_the_export_by_project_name_is_the_legacy_one_unless_asked_otherwise(crew):
    await spec(crew)
    told = await crew.ok("GET", f"{SPECS}/by-project-name/ledger/export")
    assert told.keys() == {"content", "filename", "format"}
    assert told["format"] == "legacy-yaml"
    await refused(crew, 400, "GET", f"{SPECS}/ledger/export?format=toml")
    await crew.ok("PUT", f"{SPECS}/ledger", ledger(region="us-east-1"))
    old = await crew.ok("GET", f"{SPECS}/ledger/export", params={"version": 1, "format": "json"})
    assert json.loads(old["content"])["region"] == "eu-west-1"
    flat = await crew.ok("GET", f"{SPECS}/ledger/export", params={"version": 1, "format": "legacy-yaml"})
    assert yaml.safe_load(flat["content"])["aws_region"] == "eu-west-1"
    await refused(crew, 404, "GET", f"{SPECS}/ledger/export?version=9")


async def test_a_spec_of_which_nothing_stands_is_deleted(crew):
    made = await spec(crew)
    await state(crew, made["id"], 0)
    assert await crew.once("infra-spec.deleted", "DELETE", f"{SPECS}/{made['id']}") == {"success": True}
    assert await refused(crew, 404, "GET", f"{SPECS}/{made['id']}") == "Configuration not found"
    await refused(crew, 404, "DELETE", f"{SPECS}/{made['id']}")


async def test_a_spec_whose_state_holds_resources_is_deleted_by_force_with_a_reason_alone(crew):
    made = await spec(crew)
    await state(crew, made["id"], 3)
    path = f"{SPECS}/{made['id']}"
    assert "holds 3 resources" in await refused(crew, 409, "DELETE", path)
    assert (await crew.ok("GET", path))["configuration"]["resources"] == 3
    _, dan = await crew.person("dan", "organization:developer")
    assert "infra:states.manage" in await refused(crew, 403, "DELETE", f"{path}?force=true&reason=x", token=dan)
    for query in ("force=true", "force=true&reason=", "force=true&reason=%20"):
        assert "reason" in await refused(crew, 400, "DELETE", f"{path}?{query}")
    await crew.once("infra-spec.deleted", "DELETE", f"{path}?force=true&reason=moved%20by%20hand")
    detail = json.loads((await crew.told())[-1]["detail"])
    assert (detail["resources"], detail["reason"], detail["forced"]) == (3, "moved by hand", True)
    left = await crew.db.read(lambda tx: tx.first(select(State).where(State.subject == f"spec:{made['id']}")))
    assert left.resources == 3, "the state is not lost with it"


async def test_what_may_be_left_over_stands_in_the_way_likewise(crew):
    made = await spec(crew)
    await alter(crew, made["id"], orphan_risk="A bucket may be left.")
    path = f"{SPECS}/{made['id']}"
    assert "A bucket may be left." in await refused(crew, 409, "DELETE", path)
    await crew.ok("DELETE", f"{path}?force=1&reason=looked")


@pytest.mark.parametrize("force", ["", "?force=true&reason=now"])
async def test_a_spec_with_a_job_that_lives_stays_also_by_force(crew, force):
    made = await spec(crew)
    job_id = await job(crew, made["id"])
    assert "1 jobs that have not ended" in await refused(crew, 409, "DELETE", f"{SPECS}/{made['id']}{force}")
    await crew.db.write(lambda tx: setattr(tx.get(InfraJob, job_id), "completed_at", tx.now))
    await crew.ok("DELETE", f"{SPECS}/{made['id']}{force}")
    left = await crew.db.read(lambda tx: tx.get(InfraJob, job_id))
    assert left.spec_id is None


async def test_a_spec_with_resources_stays_at_its_provider(crew):
    made = await spec(crew)
    await state(crew, made["id"], 2)
    body = ledger(provider="gcp", region="europe-west1")
    assert "cannot go to gcp" in await refused(crew, 409, "PUT", f"{SPECS}/ledger", body)
    assert (await crew.send("PUT", f"{SPECS}/ledger", body)).json()["code"] == "spec_provider_held"
    await crew.ok("PUT", f"{SPECS}/ledger", ledger(region="us-east-1"))
    kept = (await crew.ok("PUT", f"{SPECS}/ledger", ledger()))["configuration"]
    assert (kept["provider"], kept["id"]) == ("aws", made["id"])


async def test_a_provider_that_nobody_speaks_of_stays(crew):
    body = {"project_name": "here", "provider": "local"}
    await crew.ok("POST", SPECS, body, status=201)
    changed = await crew.ok("PUT", f"{SPECS}/here", {"project_name": "here", "environment_stage": "production"})
    assert (changed["configuration"]["provider"], changed["configuration"]["region"]) == ("local", "local")


async def test_lists_are_filtered_and_read_page_by_page(crew):
    place = await zone(crew)
    for number in range(5):
        more = {"zone_id": place["id"]} if number % 2 else {}
        await spec(crew, project_name=f"app_{number}", region="us-east-1" if number == 3 else "eu-west-1", **more)

    async def names(**params):
        return [one["project_name"] for one in (await crew.ok("GET", SPECS, params=params))["configurations"]]

    assert await names() == ["app_4", "app_3", "app_2", "app_1", "app_0"]
    assert await names(zone_id=place["id"]) == ["app_3", "app_1"]
    assert await names(q="us-EAST") == ["app_3"]
    assert await names(q="p_4") == ["app_4"]
    assert await names(q="%") == []
    assert await names(status="ACTIVE") == []
    assert await names(status="NONSENSE") == []
    assert await names(environment_stage="staging", limit=1) == ["app_4"]
    seen, before = [], None
    while True:
        page = await crew.ok("GET", SPECS, params={"limit": 2, **({"before": before} if before else {})})
        seen += [one["project_name"] for one in page["configurations"]]
        before = page["next"]
        if before is None:
            break
    assert seen == ["app_4", "app_3", "app_2", "app_1", "app_0"]
    for query in ("limit=0", "limit=501", "limit=x"):
        await refused(crew, 400, "GET", f"{SPECS}?{query}")
    await refused(crew, 404, "GET", f"{SPECS}?before={NOBODY}")


async def test_another_organization_finds_nothing(crew):
    made = await spec(crew)
    _, bea = await crew.person("bea", "organization:owner", organization="org_other")
    assert (await crew.ok("GET", SPECS, token=bea))["configurations"] == []
    for name in (made["id"], "ledger", NOBODY, "nobody", "1", "\u00e9", "x" * 300):
        for method, path, body in (
            ("GET", "", None), ("PUT", "", ledger()), ("DELETE", "", None), ("GET", "/versions", None),
            ("GET", "/diff", None), ("GET", "/export", None), ("POST", "/clone", {"project_name": "mine"}),
        ):  # fmt: skip
            error = await refused(crew, 404, method, f"{SPECS}/{name}{path}", body, token=bea)
            assert error == "Configuration not found"
    await refused(crew, 404, "GET", f"{SPECS}/by-project-name/ledger", token=bea)
    theirs = await spec(crew, token=bea)
    assert theirs["id"] != made["id"]
    assert (await crew.ok("GET", f"{SPECS}/ledger"))["configuration"]["id"] == made["id"]


async def test_the_status_of_a_spec_follows_its_jobs(crew):
    made = await spec(crew)
    await alter(crew, made["id"], status="ACTIVE")

    async def apply(event, **more):
        def verb(tx):
            found = tx.first(select(Spec).where(Spec.uid == made["id"]))
            statuses.apply(tx, found, event, **more)

        await crew.db.write(verb)
        return (await crew.ok("GET", f"{SPECS}/ledger"))["configuration"]["status"]

    first, second = await job(crew, made["id"]), await job(crew, made["id"])
    assert await apply("plan-asked") == "QUEUED"
    assert await apply("plan-asked") == "QUEUED"
    assert await apply("plan-ended", job_id=first) == "QUEUED", "the other plan is not over"
    ended = lambda tx: setattr(tx.get(InfraJob, first), "completed_at", tx.now)  # noqa: E731
    await crew.db.write(ended)
    assert await apply("withdrawn", job_id=second) == "ACTIVE"
    await crew.db.write(lambda tx: setattr(tx.get(InfraJob, second), "completed_at", tx.now))
    deploy, destroy = await job(crew, made["id"], "DEPLOY"), await job(crew, made["id"], "DESTROY")
    assert await apply("deploy-asked") == "QUEUED"
    assert await apply("deploy-began") == "PROVISIONING"
    assert await apply("destroy-asked") == "PROVISIONING"
    assert await apply("deploy-done", job_id=deploy, applied_hash="h1") == "DESTROYING"
    await crew.db.write(lambda tx: setattr(tx.get(InfraJob, deploy), "completed_at", tx.now))
    kept = await row(crew, made["id"])
    assert (kept.before_status, kept.applied_hash, kept.orphan_risk) == ("ACTIVE", "h1", None)
    assert await apply("interrupted", job_id=destroy, reason="cut off") == "FAILED"
    assert (await row(crew, made["id"])).orphan_risk == "cut off"
    assert await apply("destroy-done", job_id=destroy) == "DESTROYED"
    kept = await row(crew, made["id"])
    assert (kept.orphan_risk, kept.applied_hash, kept.outputs) == (None, None, {})
    said = await crew.db.read(lambda tx: events.read(tx, f"infra-spec:{made['id']}"))
    moves = [(one.data["from"], one.data["to"]) for one in said if one.type == "infra-spec-status-changed"]
    assert moves == [
        ("ACTIVE", "QUEUED"), ("QUEUED", "ACTIVE"), ("ACTIVE", "QUEUED"), ("QUEUED", "PROVISIONING"),
        ("PROVISIONING", "DESTROYING"), ("DESTROYING", "FAILED"), ("FAILED", "DESTROYED"),
    ]  # fmt: skip


async def test_a_look_for_drift_keeps_no_spec_busy(crew):
    made = await spec(crew)
    await job(crew, made["id"], read_only=True)
    mine = await job(crew, made["id"])

    def verb(tx):
        found = tx.first(select(Spec).where(Spec.uid == made["id"]))
        statuses.apply(tx, found, "plan-asked")
        statuses.apply(tx, found, "plan-ended", job_id=mine)
        return found.status

    assert await crew.db.write(verb) == "DRAFT"


async def test_names_that_addresses_have_another_meaning_for_are_refused(crew):
    for name in ("validate", "by-project-name", NOBODY):
        assert "project_name" in await refused(crew, 400, "POST", SPECS, ledger(project_name=name))
    assert (await crew.send("GET", f"{ZONES}/validate")).status_code == 404
