"""Specifications, which programs call configurations (contract: infra §1.2, §4.2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.infra.specs.document import SCHEMA

Document = Annotated[dict[str, Any], Meta(title="SpecDocument", extra_json_schema=SCHEMA)]
"""The nested document; the flat keys of both generations of clients are understood as well."""
SpecStatus = Literal["DRAFT", "QUEUED", "PROVISIONING", "ACTIVE", "DESTROYING", "DESTROYED", "FAILED"]
SpecStage = Literal["development", "staging", "production"]
SpecPageSize = Annotated[int, Meta(ge=1, le=500)]
VersionNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]
ProjectName = Annotated[str, Meta(max_length=200)]


class ConfigurationsQuery(Struct, kw_only=True):
    """`before` is the id of the last one of the page before; `q` looks for words in name, region and provider."""

    limit: SpecPageSize = 500
    before: str | UnsetType = UNSET
    zone_id: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    environment_stage: str | UnsetType = UNSET
    q: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET


class ConfigurationSummary(Struct, kw_only=True):
    """`cloud_provider` is empty where no cloud identity is named; `provider` never is."""

    id: str
    project_name: str
    zone_id: str | None
    environment_stage: SpecStage
    status: SpecStatus
    region: str
    cloud_provider: str
    estimated_monthly_cost: float | None
    created_at: str
    updated_at: str
    provider: str
    version: int


class Configurations(Struct, kw_only=True):
    """`next` is what to ask for as `before`; null on the last page."""

    configurations: list[ConfigurationSummary]
    next: str | None


class FlatConfiguration(Struct, kw_only=True):
    """The columns by the names of both generations of clients, and the nested document beside them.

    `cluster_admins` is null where a program asks by project name, since published ones expect no list there;
    `cluster_admin_list` has it always. `module_token_set` says whether a token of the module's repository is kept.
    `resources` is how many the state holds.
    """

    id: str
    user_id: str
    zone_id: str | None
    vineyard_id: str | None
    zone_name: str | None
    cloud_identity_id: str | None
    drift_cloud_identity_id: str | None
    project_name: str
    environment_stage: SpecStage
    region: str
    aws_region: str
    provider: str
    cloud_provider: str
    cloud_account_id: str | None
    aws_account_id: str | None
    terraform_version: str
    container_platform: str
    status: SpecStatus
    estimated_monthly_cost: float | None
    created_at: str
    updated_at: str
    provision_network: bool
    create_vpc: bool
    cidr_block: str
    vpc_cidr: str
    network_id: str | None
    selected_vpc_id: str | None
    single_nat_gateway: bool
    network_status: str
    vpc_status: str
    cluster_version: str
    cluster_provider_config: dict[str, Any]
    cluster_admins: list[dict[str, Any]] | None
    cluster_admin_list: list[dict[str, Any]]
    instance_types: list[str]
    node_min_size: int
    node_max_size: int
    node_desired_size: int
    enable_karpenter: bool
    cluster_name: str | None
    cluster_endpoint: str | None
    cluster_status: str
    eks_status: str
    dns_enabled: bool
    enable_dns: bool
    dns_domain_name: str | None
    dns_main_domain: str | None
    dns_zone_id: str | None
    dns_hosted_zone: str | None
    dns_managed_certificate: bool
    acm_certificate_enable: bool
    dns_waf_enabled: bool
    waf_enabled: bool
    cloudfront_waf_enabled: bool
    application_waf_enabled: bool
    dns_provider_config: dict[str, Any]
    dns_status: str
    apps_destination_repo: str | None
    applications_destination_repo: str | None
    applications_template_repo: str | None
    applications_template_repo_branch: str | None
    env_template_repo: str | None
    env_template_repo_branch: str | None
    env_git_repo: str | None
    gitops_template_repo: str | None
    gitops_template_repo_branch: str | None
    gitops_destination_repo: str | None
    has_database: bool
    create_rds: bool
    db_min_capacity: float | None
    db_max_capacity: float | None
    has_cache: bool
    enable_redis: bool
    version: int
    configuration_hash: str
    applied_hash: str | None
    before_status: str | None
    document: dict[str, Any]
    module_token_set: bool
    drift_minutes: int | None
    drift_checked_at: str | None
    drift_due_at: str | None
    drift: dict[str, Any] | None
    orphan_risk: str | None
    outputs: dict[str, Any]
    components: dict[str, Any]
    resources: int


class OneConfiguration(Struct, kw_only=True):
    configuration: FlatConfiguration


class CloneBody(Struct, kw_only=True):
    """`zone_id` left out means that of the first, null none."""

    project_name: ProjectName | UnsetType | None = UNSET
    environment_stage: SpecStage | UnsetType | None = UNSET
    zone_id: str | UnsetType | None = UNSET


class DeleteQuery(Struct, kw_only=True):
    force: bool = False
    reason: Annotated[str, Meta(max_length=1000)] | UnsetType = UNSET


class FieldError(Struct, kw_only=True):
    field: str
    message: str


class Validated(Struct, kw_only=True):
    """`document` is canonical, with all defaults, and null where anything is wrong; so is its hash."""

    valid: bool
    errors: list[FieldError]
    document: dict[str, Any] | None
    configuration_hash: str | None


class ExportQuery(Struct, kw_only=True):
    format: Literal["yaml", "json", "legacy-yaml"] = "yaml"
    version: VersionNumber | UnsetType = UNSET


class LegacyExportQuery(Struct, kw_only=True):
    format: Literal["yaml", "json", "legacy-yaml"] = "legacy-yaml"


class Exported(Struct, kw_only=True):
    content: str
    filename: str
    format: str
