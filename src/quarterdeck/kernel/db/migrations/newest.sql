CREATE TABLE access_facts (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	key_hash VARCHAR(64), 
	payload_hash VARCHAR(64) NOT NULL, 
	tenant VARCHAR(200) NOT NULL, 
	account VARCHAR(200), 
	capability VARCHAR(200), 
	operation VARCHAR(200), 
	source VARCHAR(200) NOT NULL, 
	surface VARCHAR(200), 
	body JSON NOT NULL, 
	at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_access_facts PRIMARY KEY (id), 
	CONSTRAINT uq_access_facts_ref UNIQUE (ref), 
	CONSTRAINT uq_access_facts_uid UNIQUE (uid)
);
--
CREATE TABLE access_grants (
	user_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	role VARCHAR(80) NOT NULL, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, scope VARCHAR(1000) DEFAULT '' NOT NULL, granted_by INTEGER, 
	CONSTRAINT pk_access_grants PRIMARY KEY (id), 
	CONSTRAINT uq_access_grants_uid UNIQUE (uid)
);
--
CREATE TABLE access_object_rules (
	organization_id INTEGER NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	ref VARCHAR(200) NOT NULL, 
	role VARCHAR(80) NOT NULL, 
	permission VARCHAR(120) NOT NULL, 
	allows BOOLEAN NOT NULL, 
	created_by INTEGER, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_access_object_rules PRIMARY KEY (id), 
	CONSTRAINT uq_access_object_rules_uid UNIQUE (uid)
);
--
CREATE TABLE access_permissions (
	id INTEGER NOT NULL, 
	"key" VARCHAR(120) NOT NULL, 
	CONSTRAINT pk_access_permissions PRIMARY KEY (id), 
	CONSTRAINT uq_access_permissions_key UNIQUE ("key")
);
--
CREATE TABLE access_role_permissions (
	role_id INTEGER NOT NULL, 
	permission VARCHAR(120) NOT NULL, 
	CONSTRAINT pk_access_role_permissions PRIMARY KEY (role_id, permission), 
	CONSTRAINT fk_access_role_permissions_role_id FOREIGN KEY(role_id) REFERENCES access_roles (id)
);
--
CREATE TABLE access_roles (
	"key" VARCHAR(80) NOT NULL, 
	family VARCHAR(20) NOT NULL, 
	organization_id INTEGER, 
	name VARCHAR(100) NOT NULL, 
	description TEXT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	edited_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_access_roles PRIMARY KEY (id), 
	CONSTRAINT uq_access_roles_key UNIQUE ("key"), 
	CONSTRAINT uq_access_roles_uid UNIQUE (uid)
);
--
CREATE TABLE access_versions (
	id INTEGER NOT NULL, 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_access_versions PRIMARY KEY (id)
);
--
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
--
INSERT INTO "alembic_version" VALUES('0040');
--
CREATE TABLE audit_archives (
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	ref VARCHAR(16) NOT NULL, 
	organization_id BIGINT, 
	aggregate_id VARCHAR(200), 
	action VARCHAR(96), 
	from_at BIGINT, 
	to_at BIGINT, 
	reason TEXT NOT NULL, 
	item_count INTEGER NOT NULL, 
	truncated BOOLEAN NOT NULL, 
	content TEXT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	retains BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_audit_archives PRIMARY KEY (id), 
	CONSTRAINT uq_audit_archives_ref UNIQUE (ref), 
	CONSTRAINT uq_audit_archives_uid UNIQUE (uid)
);
--
CREATE TABLE audit_events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	uid VARCHAR(36) NOT NULL, 
	ref VARCHAR(16) NOT NULL, 
	organization_id BIGINT, 
	at BIGINT NOT NULL, 
	actor_kind VARCHAR(16) NOT NULL, 
	actor_id BIGINT NOT NULL, 
	actor_label VARCHAR(200) NOT NULL, 
	action VARCHAR(96) NOT NULL, 
	resource_type VARCHAR(64) NOT NULL, 
	resource_id VARCHAR(200) NOT NULL, 
	aggregate_id VARCHAR(200) NOT NULL, 
	outcome VARCHAR(8) NOT NULL, 
	request_id VARCHAR(64) NOT NULL, 
	correlation_id VARCHAR(64) NOT NULL, 
	address VARCHAR(64), 
	detail TEXT NOT NULL, 
	CONSTRAINT uq_audit_events_ref UNIQUE (ref), 
	CONSTRAINT uq_audit_events_uid UNIQUE (uid)
);
--
CREATE TABLE audit_holds (
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	ref VARCHAR(16) NOT NULL, 
	organization_id BIGINT, 
	aggregate_id VARCHAR(200), 
	reason TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	released_at BIGINT, action VARCHAR(96), from_at BIGINT, to_at BIGINT, requested_by VARCHAR(200), released_by VARCHAR(200), release_reason TEXT, 
	CONSTRAINT pk_audit_holds PRIMARY KEY (id), 
	CONSTRAINT uq_audit_holds_ref UNIQUE (ref), 
	CONSTRAINT uq_audit_holds_uid UNIQUE (uid)
);
--
CREATE TABLE audit_retained (
	event_id BIGINT NOT NULL, 
	archive_id INTEGER NOT NULL, 
	CONSTRAINT pk_audit_retained PRIMARY KEY (event_id, archive_id), 
	CONSTRAINT fk_audit_retained_archive_id FOREIGN KEY(archive_id) REFERENCES audit_archives (id) ON DELETE CASCADE
);
--
CREATE TABLE audit_seals (
	organization_id BIGINT NOT NULL, 
	position BIGINT NOT NULL, 
	event_id BIGINT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_audit_seals PRIMARY KEY (organization_id, position), 
	CONSTRAINT uq_audit_seals_event_id UNIQUE (event_id)
);
--
CREATE TABLE audit_tallies (
	organization_id BIGINT NOT NULL, 
	action VARCHAR(96) NOT NULL, 
	actor_kind VARCHAR(16) NOT NULL, 
	actor_id BIGINT NOT NULL, 
	actor_label VARCHAR(200) NOT NULL, 
	count BIGINT NOT NULL, 
	CONSTRAINT pk_audit_tallies PRIMARY KEY (organization_id, action, actor_kind, actor_id, actor_label)
);
--
CREATE TABLE audit_tombstones (
	event_id BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	pruned_at BIGINT NOT NULL, 
	CONSTRAINT pk_audit_tombstones PRIMARY KEY (event_id)
);
--
CREATE TABLE audit_unsealed (
	event_id INTEGER NOT NULL, 
	CONSTRAINT pk_audit_unsealed PRIMARY KEY (event_id)
);
--
CREATE TABLE broker_agents (
	worker_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	secret_hash VARCHAR(64), 
	earlier_secret_hash VARCHAR(64), 
	earlier_until BIGINT, 
	scope JSON NOT NULL, 
	public_key VARCHAR(44), 
	public_key_algorithm VARCHAR(20), 
	public_key_set_at BIGINT, 
	reported JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	revoked_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_agents PRIMARY KEY (id), 
	CONSTRAINT fk_broker_agents_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_broker_agents_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id) ON DELETE CASCADE, 
	CONSTRAINT uq_broker_agents_uid UNIQUE (uid), 
	CONSTRAINT uq_broker_agents_worker_id UNIQUE (worker_id)
);
--
CREATE TABLE broker_app_mappings (
	organization_id INTEGER NOT NULL, 
	secret_id INTEGER, 
	connection_id INTEGER, 
	endpoint_id INTEGER NOT NULL, 
	application_name VARCHAR(300) NOT NULL, 
	application_namespace VARCHAR(300), 
	project_name VARCHAR(300), 
	cluster_name VARCHAR(300), 
	enabled BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	deleted_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_app_mappings PRIMARY KEY (id), 
	CONSTRAINT one_scope CHECK ((secret_id IS NULL) <> (connection_id IS NULL)), 
	CONSTRAINT fk_broker_app_mappings_connection_id FOREIGN KEY(connection_id) REFERENCES broker_connections (id) ON DELETE CASCADE, 
	CONSTRAINT fk_broker_app_mappings_endpoint_id FOREIGN KEY(endpoint_id) REFERENCES broker_argocd_endpoints (id) ON DELETE CASCADE, 
	CONSTRAINT fk_broker_app_mappings_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_broker_app_mappings_secret_id FOREIGN KEY(secret_id) REFERENCES broker_secrets (id) ON DELETE CASCADE, 
	CONSTRAINT uq_broker_app_mappings_uid UNIQUE (uid)
);
--
CREATE TABLE broker_argocd_endpoints (
	organization_id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	environment_id INTEGER, 
	base_url VARCHAR(1000) NOT NULL, 
	token TEXT NOT NULL, 
	kms_key_id VARCHAR(200) NOT NULL, 
	tls_ca_pem TEXT, 
	tls_server_name VARCHAR(300), 
	enabled BOOLEAN NOT NULL, 
	last_health_at BIGINT, 
	health_error VARCHAR(1000), 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	deleted_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_argocd_endpoints PRIMARY KEY (id), 
	CONSTRAINT fk_broker_argocd_endpoints_environment_id FOREIGN KEY(environment_id) REFERENCES workspace_environments (id) ON DELETE SET NULL, 
	CONSTRAINT fk_broker_argocd_endpoints_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_broker_argocd_endpoints_uid UNIQUE (uid)
);
--
CREATE TABLE broker_connections (
	organization_id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	provider_type VARCHAR(40) NOT NULL, 
	config JSON NOT NULL, 
	credential TEXT, 
	project_id INTEGER, 
	environment_name VARCHAR(200), 
	agent_scope JSON NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	discover_seconds INTEGER NOT NULL, 
	discovered_at BIGINT, 
	checked_at BIGINT, 
	health_error VARCHAR(1000), 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	deleted_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_connections PRIMARY KEY (id), 
	CONSTRAINT fk_broker_connections_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_broker_connections_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id) ON DELETE CASCADE, 
	CONSTRAINT uq_broker_connections_uid UNIQUE (uid)
);
--
CREATE TABLE broker_data_keys (
	worker_id INTEGER, 
	job_id BIGINT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	used_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_data_keys PRIMARY KEY (id), 
	CONSTRAINT fk_broker_data_keys_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id) ON DELETE CASCADE, 
	CONSTRAINT uq_broker_data_keys_uid UNIQUE (uid)
);
--
CREATE TABLE broker_jobs (
	organization_id INTEGER NOT NULL, 
	job_type VARCHAR(20) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	request_id INTEGER, 
	connection_id INTEGER, 
	agent_scope JSON NOT NULL, 
	payload JSON NOT NULL, 
	correlation_uid VARCHAR(36) NOT NULL, 
	ledger_id BIGINT, 
	worker_id INTEGER, 
	worker_name VARCHAR(200), 
	attempts INTEGER NOT NULL, 
	error_code VARCHAR(120), 
	error_message TEXT, 
	created_at BIGINT NOT NULL, 
	claimed_at BIGINT, 
	completed_at BIGINT, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_jobs PRIMARY KEY (id), 
	CONSTRAINT fk_broker_jobs_connection_id FOREIGN KEY(connection_id) REFERENCES broker_connections (id) ON DELETE SET NULL, 
	CONSTRAINT fk_broker_jobs_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_broker_jobs_request_id FOREIGN KEY(request_id) REFERENCES broker_requests (id) ON DELETE SET NULL, 
	CONSTRAINT fk_broker_jobs_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id) ON DELETE SET NULL, 
	CONSTRAINT uq_broker_jobs_uid UNIQUE (uid)
);
--
CREATE TABLE broker_observations (
	request_id INTEGER NOT NULL, 
	mapping_id INTEGER NOT NULL, 
	application_name VARCHAR(300) NOT NULL, 
	application_namespace VARCHAR(300), 
	state VARCHAR(20) NOT NULL, 
	"before" JSON NOT NULL, 
	observed JSON NOT NULL, 
	polls INTEGER NOT NULL, 
	last_error VARCHAR(1000), 
	executed_at BIGINT NOT NULL, 
	timeout_at BIGINT NOT NULL, 
	last_polled_at BIGINT, 
	terminal_at BIGINT, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_observations PRIMARY KEY (id), 
	CONSTRAINT fk_broker_observations_mapping_id FOREIGN KEY(mapping_id) REFERENCES broker_app_mappings (id) ON DELETE CASCADE, 
	CONSTRAINT fk_broker_observations_request_id FOREIGN KEY(request_id) REFERENCES broker_requests (id) ON DELETE CASCADE, 
	CONSTRAINT uq_broker_observations_request_id_mapping_id UNIQUE (request_id, mapping_id), 
	CONSTRAINT uq_broker_observations_uid UNIQUE (uid)
);
--
CREATE TABLE broker_policies (
	organization_id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	selector JSON NOT NULL, 
	workflow_id INTEGER NOT NULL, 
	project_id INTEGER, 
	priority INTEGER NOT NULL, 
	direct_reveal BOOLEAN NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	is_system BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_policies PRIMARY KEY (id), 
	CONSTRAINT fk_broker_policies_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_broker_policies_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id) ON DELETE CASCADE, 
	CONSTRAINT fk_broker_policies_workflow_id FOREIGN KEY(workflow_id) REFERENCES broker_workflows (id), 
	CONSTRAINT uq_broker_policies_uid UNIQUE (uid)
);
--
CREATE TABLE broker_projects (
	organization_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	owner_team_id VARCHAR(36), 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_projects PRIMARY KEY (id), 
	CONSTRAINT fk_broker_projects_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_broker_projects_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id) ON DELETE CASCADE, 
	CONSTRAINT uq_broker_projects_project_id UNIQUE (project_id), 
	CONSTRAINT uq_broker_projects_uid UNIQUE (uid)
);
--
CREATE TABLE broker_requests (
	organization_id INTEGER NOT NULL, 
	requester_id BIGINT NOT NULL, 
	on_behalf VARCHAR(80), 
	kind VARCHAR(20) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	justification TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	workflow_id INTEGER NOT NULL, 
	explanation JSON NOT NULL, 
	connection_id INTEGER, 
	provider_type VARCHAR(40) NOT NULL, 
	provider_config JSON NOT NULL, 
	secret_ref VARCHAR(1000) NOT NULL, 
	keys JSON NOT NULL, 
	project_id INTEGER, 
	environment_id INTEGER, 
	environment_name VARCHAR(200), 
	production BOOLEAN NOT NULL, 
	recipient_key VARCHAR(44), 
	rotation JSON, 
	granted_by_id BIGINT, 
	granted_until BIGINT, 
	break_glass BOOLEAN NOT NULL, 
	reviewed_by_id BIGINT, 
	reviewed_at BIGINT, 
	review_comment VARCHAR(2000), 
	job_id BIGINT, 
	reject_reason VARCHAR(2000), 
	error_code VARCHAR(120), 
	error_message TEXT, 
	expires_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	approved_at BIGINT, 
	ended_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_requests PRIMARY KEY (id), 
	CONSTRAINT fk_broker_requests_connection_id FOREIGN KEY(connection_id) REFERENCES broker_connections (id), 
	CONSTRAINT fk_broker_requests_environment_id FOREIGN KEY(environment_id) REFERENCES workspace_environments (id) ON DELETE SET NULL, 
	CONSTRAINT fk_broker_requests_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_broker_requests_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id) ON DELETE SET NULL, 
	CONSTRAINT fk_broker_requests_workflow_id FOREIGN KEY(workflow_id) REFERENCES broker_workflows (id), 
	CONSTRAINT uq_broker_requests_job_id UNIQUE (job_id), 
	CONSTRAINT uq_broker_requests_uid UNIQUE (uid)
);
--
CREATE TABLE broker_rule_sets (
	organization_id INTEGER NOT NULL, 
	version VARCHAR(36) NOT NULL, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_rule_sets PRIMARY KEY (id), 
	CONSTRAINT fk_broker_rule_sets_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_broker_rule_sets_organization_id UNIQUE (organization_id), 
	CONSTRAINT uq_broker_rule_sets_uid UNIQUE (uid)
);
--
CREATE TABLE broker_secret_labels (
	secret_id INTEGER NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	value VARCHAR(500) NOT NULL, 
	CONSTRAINT pk_broker_secret_labels PRIMARY KEY (secret_id, "key"), 
	CONSTRAINT fk_broker_secret_labels_secret_id FOREIGN KEY(secret_id) REFERENCES broker_secrets (id) ON DELETE CASCADE
);
--
CREATE TABLE broker_secrets (
	organization_id INTEGER NOT NULL, 
	cluster_name VARCHAR(200) NOT NULL, 
	provider_type VARCHAR(40) NOT NULL, 
	secret_ref VARCHAR(1000) NOT NULL, 
	provider_config JSON NOT NULL, 
	labels JSON NOT NULL, 
	version VARCHAR(200), 
	checksum VARCHAR(200), 
	created_at_source BIGINT, 
	updated_at_source BIGINT, 
	status VARCHAR(10) NOT NULL, 
	first_seen_at BIGINT NOT NULL, 
	last_seen_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_secrets PRIMARY KEY (id), 
	CONSTRAINT fk_broker_secrets_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_broker_secrets_uid UNIQUE (uid)
);
--
CREATE TABLE broker_votes (
	request_id INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	approver_id BIGINT NOT NULL, 
	decision VARCHAR(10) NOT NULL, 
	comment VARCHAR(2000), 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_votes PRIMARY KEY (id), 
	CONSTRAINT fk_broker_votes_request_id FOREIGN KEY(request_id) REFERENCES broker_requests (id) ON DELETE CASCADE, 
	CONSTRAINT uq_broker_votes_request_id_revision_approver_id UNIQUE (request_id, revision, approver_id), 
	CONSTRAINT uq_broker_votes_uid UNIQUE (uid)
);
--
CREATE TABLE broker_workflows (
	organization_id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	description VARCHAR(2000), 
	min_approvers INTEGER NOT NULL, 
	approver_role_uid VARCHAR(36), 
	steps JSON NOT NULL, 
	wrap_ttl_created_seconds INTEGER NOT NULL, 
	wrap_ttl_approved_seconds INTEGER NOT NULL, 
	wrap_ttl_claimed_seconds INTEGER NOT NULL, 
	request_ttl_seconds INTEGER NOT NULL, 
	grant_seconds INTEGER NOT NULL, 
	require_justification BOOLEAN NOT NULL, 
	allow_self_approval BOOLEAN NOT NULL, 
	break_glass BOOLEAN NOT NULL, 
	notification_channels JSON NOT NULL, 
	is_default BOOLEAN NOT NULL, 
	is_system BOOLEAN NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_workflows PRIMARY KEY (id), 
	CONSTRAINT fk_broker_workflows_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_broker_workflows_organization_id_name UNIQUE (organization_id, name), 
	CONSTRAINT uq_broker_workflows_uid UNIQUE (uid)
);
--
CREATE TABLE broker_wraps (
	request_id INTEGER NOT NULL, 
	direction VARCHAR(3) NOT NULL, 
	key_name VARCHAR(400) NOT NULL, 
	sealed TEXT, 
	recipient BOOLEAN NOT NULL, 
	byte_length INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	consumed_at BIGINT, 
	consumed_by_agent_id BIGINT, 
	consumed_by_user_id BIGINT, 
	blanked_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_broker_wraps PRIMARY KEY (id), 
	CONSTRAINT consumed_by_one CHECK ((consumed_at IS NULL AND consumed_by_agent_id IS NULL AND consumed_by_user_id IS NULL) OR (consumed_at IS NOT NULL AND (consumed_by_agent_id IS NULL) <> (consumed_by_user_id IS NULL))), 
	CONSTRAINT fk_broker_wraps_request_id FOREIGN KEY(request_id) REFERENCES broker_requests (id) ON DELETE CASCADE, 
	CONSTRAINT uq_broker_wraps_uid UNIQUE (uid)
);
--
CREATE TABLE deploy_deployments (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	environment_id INTEGER NOT NULL, 
	resource_id INTEGER NOT NULL, 
	server_id INTEGER NOT NULL, 
	destination_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	"trigger" VARCHAR(10) NOT NULL, 
	source_deployment_id INTEGER, 
	candidate_id INTEGER, 
	supersedes_id INTEGER, 
	superseded_by_id INTEGER, 
	requested_by VARCHAR(200) NOT NULL, 
	snapshot JSON NOT NULL, 
	snapshot_ref VARCHAR(40) NOT NULL, 
	variables TEXT NOT NULL, 
	plan_ref VARCHAR(40) NOT NULL, 
	"plan" JSON, 
	"commit" VARCHAR(64), 
	commit_message VARCHAR(500), 
	artifact JSON, 
	artifact_retained BOOLEAN NOT NULL, 
	route JSON, 
	runtime JSON, 
	error_code VARCHAR(100), 
	error_message TEXT, 
	error_hint TEXT, 
	error_phase VARCHAR(20), 
	job_id INTEGER, 
	created_at BIGINT NOT NULL, 
	started_at BIGINT, 
	finished_at BIGINT, 
	archived_at BIGINT, 
	retired_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, next_try_at BIGINT, 
	CONSTRAINT pk_deploy_deployments PRIMARY KEY (id), 
	CONSTRAINT fk_deploy_deployments_destination_id FOREIGN KEY(destination_id) REFERENCES fleet_destinations (id), 
	CONSTRAINT fk_deploy_deployments_environment_id FOREIGN KEY(environment_id) REFERENCES workspace_environments (id), 
	CONSTRAINT fk_deploy_deployments_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_deploy_deployments_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id), 
	CONSTRAINT fk_deploy_deployments_resource_id FOREIGN KEY(resource_id) REFERENCES deploy_resources (id), 
	CONSTRAINT fk_deploy_deployments_server_id FOREIGN KEY(server_id) REFERENCES fleet_servers (id), 
	CONSTRAINT uq_deploy_deployments_ref UNIQUE (ref), 
	CONSTRAINT uq_deploy_deployments_uid UNIQUE (uid)
);
--
CREATE TABLE deploy_log_archives (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	resource_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	server_id INTEGER, 
	deployment_ref VARCHAR(40), 
	service VARCHAR(100), 
	runtime_kind VARCHAR(40), 
	reason VARCHAR(280), 
	captured_at BIGINT NOT NULL, 
	line_count INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_deploy_log_archives PRIMARY KEY (id), 
	CONSTRAINT fk_deploy_log_archives_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_deploy_log_archives_resource_id FOREIGN KEY(resource_id) REFERENCES deploy_resources (id), 
	CONSTRAINT uq_deploy_log_archives_ref UNIQUE (ref), 
	CONSTRAINT uq_deploy_log_archives_uid UNIQUE (uid)
);
--
CREATE TABLE deploy_observations (
	resource_id INTEGER NOT NULL, 
	deployment_id INTEGER NOT NULL, 
	lifecycle VARCHAR(16) NOT NULL, 
	message TEXT, 
	restarts INTEGER NOT NULL, 
	observed_at BIGINT NOT NULL, 
	changed_at BIGINT NOT NULL, services JSON, 
	CONSTRAINT pk_deploy_observations PRIMARY KEY (resource_id), 
	CONSTRAINT fk_deploy_observations_resource_id FOREIGN KEY(resource_id) REFERENCES deploy_resources (id)
);
--
CREATE TABLE deploy_phases (
	deployment_id INTEGER NOT NULL, 
	phase VARCHAR(20) NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	detail VARCHAR(300), 
	attempts INTEGER NOT NULL, 
	started_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_deploy_phases PRIMARY KEY (id), 
	CONSTRAINT fk_deploy_phases_deployment_id FOREIGN KEY(deployment_id) REFERENCES deploy_deployments (id), 
	CONSTRAINT uq_deploy_phases_uid UNIQUE (uid)
);
--
CREATE TABLE deploy_resources (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	environment_id INTEGER NOT NULL, 
	destination_id INTEGER, 
	name VARCHAR(200) NOT NULL, 
	slug VARCHAR(100) NOT NULL, 
	live_slug VARCHAR(100), 
	kind VARCHAR(20) NOT NULL, 
	description TEXT, 
	services JSON NOT NULL, 
	source JSON, 
	source_fingerprint VARCHAR(20), 
	source_credential TEXT, 
	runtime JSON, 
	network JSON, 
	access JSON, 
	health JSON, 
	lifecycle VARCHAR(20) NOT NULL, 
	archived_at BIGINT, 
	deleted_at BIGINT, 
	created_at BIGINT NOT NULL, 
	version INTEGER NOT NULL, 
	deployment_count INTEGER NOT NULL, 
	latest_id INTEGER, 
	serving_id INTEGER, 
	wanted VARCHAR(10) NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_deploy_resources PRIMARY KEY (id), 
	CONSTRAINT fk_deploy_resources_destination_id FOREIGN KEY(destination_id) REFERENCES fleet_destinations (id), 
	CONSTRAINT fk_deploy_resources_environment_id FOREIGN KEY(environment_id) REFERENCES workspace_environments (id), 
	CONSTRAINT fk_deploy_resources_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_deploy_resources_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id), 
	CONSTRAINT uq_deploy_resources_ref UNIQUE (ref), 
	CONSTRAINT uq_deploy_resources_uid UNIQUE (uid)
);
--
CREATE TABLE deploy_runtime_controls (
	ref VARCHAR(40) NOT NULL, 
	resource_id INTEGER NOT NULL, 
	deployment_id INTEGER, 
	operation VARCHAR(10) NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	runtime_state VARCHAR(12) NOT NULL, 
	reason VARCHAR(280), 
	blocked_reason VARCHAR(60), 
	error_code VARCHAR(100), 
	phases JSON NOT NULL, 
	idempotency_key VARCHAR(200), 
	job_id INTEGER, 
	started_at BIGINT NOT NULL, 
	completed_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_deploy_runtime_controls PRIMARY KEY (id), 
	CONSTRAINT fk_deploy_runtime_controls_resource_id FOREIGN KEY(resource_id) REFERENCES deploy_resources (id), 
	CONSTRAINT uq_deploy_runtime_controls_ref UNIQUE (ref), 
	CONSTRAINT uq_deploy_runtime_controls_uid UNIQUE (uid)
);
--
CREATE TABLE domain_events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	stream VARCHAR(200) NOT NULL, 
	sequence BIGINT NOT NULL, 
	cursor VARCHAR(32) NOT NULL, 
	type VARCHAR(96) NOT NULL, 
	data TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	organization_id BIGINT, 
	correlation_id VARCHAR(64) NOT NULL, 
	"transaction" BIGINT NOT NULL, 
	CONSTRAINT uq_domain_events_cursor UNIQUE (cursor), 
	CONSTRAINT uq_domain_events_stream_sequence UNIQUE (stream, sequence)
);
--
CREATE TABLE event_streams (
	stream VARCHAR(200) NOT NULL, 
	organization_id BIGINT, 
	head BIGINT NOT NULL, 
	watermark BIGINT NOT NULL, 
	CONSTRAINT pk_event_streams PRIMARY KEY (stream)
);
--
CREATE TABLE event_subscribers (
	name VARCHAR(96) NOT NULL, 
	"transaction" BIGINT NOT NULL, 
	event_id BIGINT NOT NULL, 
	failures INTEGER NOT NULL, 
	last_error VARCHAR(200), 
	retry_at BIGINT, 
	CONSTRAINT pk_event_subscribers PRIMARY KEY (name)
);
--
CREATE TABLE fleet_access_policies (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	server_id INTEGER NOT NULL, 
	mode VARCHAR(20) NOT NULL, 
	provider VARCHAR(60), 
	template VARCHAR(255), 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_fleet_access_policies PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_access_policies_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_fleet_access_policies_ref UNIQUE (ref), 
	CONSTRAINT uq_fleet_access_policies_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_channel_tokens (
	hash VARCHAR(64) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	subject VARCHAR(120) NOT NULL, 
	mode VARCHAR(10) NOT NULL, 
	user_id BIGINT, 
	worker_id BIGINT, 
	attempt INTEGER, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	used_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, fence BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_fleet_channel_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_channel_tokens_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_fleet_channel_tokens_hash UNIQUE (hash), 
	CONSTRAINT uq_fleet_channel_tokens_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_destinations (
	ref VARCHAR(40) NOT NULL, 
	server_id INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_fleet_destinations PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_destinations_server_id FOREIGN KEY(server_id) REFERENCES fleet_servers (id), 
	CONSTRAINT uq_fleet_destinations_ref UNIQUE (ref), 
	CONSTRAINT uq_fleet_destinations_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_host_keys (
	server_id INTEGER NOT NULL, 
	algorithm VARCHAR(40), 
	fingerprint VARCHAR(80) NOT NULL, 
	pinned_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_fleet_host_keys PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_host_keys_server_id FOREIGN KEY(server_id) REFERENCES fleet_servers (id), 
	CONSTRAINT uq_fleet_host_keys_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_proxy_attempts (
	ref VARCHAR(40) NOT NULL, 
	server_id INTEGER NOT NULL, 
	reason VARCHAR(20) NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	error_code VARCHAR(100), 
	error_message TEXT, 
	job_id INTEGER, 
	started_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_fleet_proxy_attempts PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_proxy_attempts_server_id FOREIGN KEY(server_id) REFERENCES fleet_servers (id), 
	CONSTRAINT uq_fleet_proxy_attempts_ref UNIQUE (ref), 
	CONSTRAINT uq_fleet_proxy_attempts_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_prune_policies (
	ref VARCHAR(80) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	version VARCHAR(40) NOT NULL, 
	scope VARCHAR(20) NOT NULL, 
	server VARCHAR(40) NOT NULL, 
	retention_days INTEGER NOT NULL, 
	destructive BOOLEAN NOT NULL, 
	categories JSON NOT NULL, 
	retry_on_failure BOOLEAN NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_fleet_prune_policies PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_prune_policies_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_fleet_prune_policies_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_server_credentials (
	server_id INTEGER NOT NULL, 
	kind VARCHAR(30) NOT NULL, 
	credential_id INTEGER, 
	username VARCHAR(64), 
	public_key TEXT, 
	private_key TEXT, 
	configured_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_fleet_server_credentials PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_server_credentials_credential_id FOREIGN KEY(credential_id) REFERENCES fleet_ssh_credentials (id), 
	CONSTRAINT fk_fleet_server_credentials_server_id FOREIGN KEY(server_id) REFERENCES fleet_servers (id), 
	CONSTRAINT uq_fleet_server_credentials_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_servers (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	port INTEGER NOT NULL, 
	provider VARCHAR(40) NOT NULL, 
	target_kind VARCHAR(40) NOT NULL, 
	lifecycle VARCHAR(20) NOT NULL, 
	deactivated_at BIGINT, 
	deactivation_reason VARCHAR(280), 
	proxy_kind VARCHAR(20) NOT NULL, 
	proxy_status VARCHAR(20) NOT NULL, 
	proxy_attempted_at BIGINT, 
	proxy_succeeded_at BIGINT, 
	proxy_error_code VARCHAR(100), 
	proxy_error_message TEXT, 
	edge_http_port INTEGER, 
	edge_https_port INTEGER, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, uninstalling_at BIGINT, engine_use VARCHAR(20), engine_decided_at BIGINT, engine_reason VARCHAR(280), engine_job_id INTEGER, 
	CONSTRAINT pk_fleet_servers PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_servers_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_fleet_servers_ref UNIQUE (ref), 
	CONSTRAINT uq_fleet_servers_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_sightings (
	server_id INTEGER NOT NULL, 
	looked_at BIGINT NOT NULL, 
	reached_at BIGINT, 
	code VARCHAR(100), 
	message TEXT, 
	failed JSON, 
	engine VARCHAR(100), 
	disk_free INTEGER, 
	disk_mount VARCHAR(255), 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, missed_at BIGINT, disk_size INTEGER, 
	CONSTRAINT pk_fleet_sightings PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_sightings_server_id FOREIGN KEY(server_id) REFERENCES fleet_servers (id), 
	CONSTRAINT uq_fleet_sightings_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_ssh_credentials (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	username VARCHAR(64), 
	public_key TEXT NOT NULL, 
	private_key TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	rotated_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_fleet_ssh_credentials PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_ssh_credentials_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_fleet_ssh_credentials_ref UNIQUE (ref), 
	CONSTRAINT uq_fleet_ssh_credentials_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_terminals (
	organization_id INTEGER NOT NULL, 
	subject VARCHAR(120) NOT NULL, 
	attempt INTEGER NOT NULL, 
	worker_id INTEGER, 
	process VARCHAR(80) NOT NULL, 
	columns INTEGER NOT NULL, 
	rows INTEGER NOT NULL, 
	opened_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	exit_code INTEGER, 
	reason VARCHAR(40), 
	size BIGINT NOT NULL, 
	truncated BOOLEAN NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, fence BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_fleet_terminals PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_terminals_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_fleet_terminals_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id), 
	CONSTRAINT uq_fleet_terminals_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_worker_tokens (
	organization_id INTEGER NOT NULL, 
	label VARCHAR(200), 
	secret_hash VARCHAR(64) NOT NULL, 
	capabilities JSON NOT NULL, 
	created_by BIGINT, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	used_at BIGINT, 
	worker_id INTEGER, 
	revoked_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_fleet_worker_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_worker_tokens_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_fleet_worker_tokens_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id), 
	CONSTRAINT uq_fleet_worker_tokens_uid UNIQUE (uid)
);
--
CREATE TABLE fleet_workers (
	organization_id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	recovery_hash VARCHAR(64) NOT NULL, 
	capabilities JSON NOT NULL, 
	offered JSON NOT NULL, 
	fingerprint VARCHAR(80), 
	version VARCHAR(40), 
	boot_id VARCHAR(40), 
	slots INTEGER NOT NULL, 
	used_slots INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	first_seen_at BIGINT, 
	last_seen_at BIGINT, 
	drain_requested_at BIGINT, 
	revoked_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, generation INTEGER DEFAULT '1' NOT NULL, proven_at BIGINT, max_slots INTEGER, hardware JSON DEFAULT '{}' NOT NULL, agents JSON DEFAULT '[]' NOT NULL, projects JSON DEFAULT '[]' NOT NULL, trouble JSON DEFAULT '{}' NOT NULL, ailing JSON DEFAULT '[]' NOT NULL, cpu_percent DOUBLE, mem_percent DOUBLE, disk_percent DOUBLE, load1 DOUBLE, drain_reason VARCHAR(300), offline_told_at BIGINT, earlier_recovery_hash VARCHAR(64), recovered_at BIGINT, left_at BIGINT, 
	CONSTRAINT pk_fleet_workers PRIMARY KEY (id), 
	CONSTRAINT fk_fleet_workers_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_fleet_workers_credential_hash UNIQUE (recovery_hash), 
	CONSTRAINT uq_fleet_workers_uid UNIQUE (uid)
);
--
CREATE TABLE identity_deploy_tokens (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	suffix VARCHAR(8) NOT NULL, 
	scope JSON NOT NULL, 
	created_by INTEGER, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	rotated_at BIGINT, 
	last_used_at BIGINT, 
	revoked_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_identity_deploy_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_identity_deploy_tokens_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_identity_deploy_tokens_hash UNIQUE (hash), 
	CONSTRAINT uq_identity_deploy_tokens_ref UNIQUE (ref), 
	CONSTRAINT uq_identity_deploy_tokens_uid UNIQUE (uid)
);
--
CREATE TABLE identity_device_logins (
	hash VARCHAR(64) NOT NULL, 
	user_id INTEGER, 
	organization_id INTEGER, 
	session_id INTEGER, 
	address VARCHAR(100), 
	user_agent VARCHAR(300), 
	asked_at BIGINT, 
	approved_at BIGINT, 
	ended_at BIGINT, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_identity_device_logins PRIMARY KEY (hash), 
	CONSTRAINT fk_identity_device_logins_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_identity_device_logins_user_id FOREIGN KEY(user_id) REFERENCES identity_users (id)
);
--
CREATE TABLE identity_external_accounts (
	user_id INTEGER NOT NULL, 
	issuer VARCHAR(500) NOT NULL, 
	subject VARCHAR(255) NOT NULL, 
	created_at BIGINT NOT NULL, 
	last_sign_in_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_identity_external_accounts PRIMARY KEY (id), 
	CONSTRAINT fk_identity_external_accounts_user_id FOREIGN KEY(user_id) REFERENCES identity_users (id), 
	CONSTRAINT uq_identity_external_accounts_uid UNIQUE (uid)
);
--
CREATE TABLE identity_invitations (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	email VARCHAR(320) NOT NULL, 
	roles JSON NOT NULL, 
	invited_by INTEGER, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	accepted_at BIGINT, 
	revoked_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_identity_invitations PRIMARY KEY (id), 
	CONSTRAINT fk_identity_invitations_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_identity_invitations_user_id FOREIGN KEY(user_id) REFERENCES identity_users (id), 
	CONSTRAINT uq_identity_invitations_ref UNIQUE (ref), 
	CONSTRAINT uq_identity_invitations_uid UNIQUE (uid)
);
--
CREATE TABLE identity_links (
	hash VARCHAR(64) NOT NULL, 
	purpose VARCHAR(20) NOT NULL, 
	user_id INTEGER NOT NULL, 
	expires_at BIGINT NOT NULL, 
	used_at BIGINT, invitation_id INTEGER, email VARCHAR(320), asked_by INTEGER, asked_in INTEGER, 
	CONSTRAINT pk_identity_links PRIMARY KEY (hash), 
	CONSTRAINT fk_identity_links_user_id FOREIGN KEY(user_id) REFERENCES identity_users (id)
);
--
CREATE TABLE identity_oidc_notices (
	hash VARCHAR(64) NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_identity_oidc_notices PRIMARY KEY (hash)
);
--
CREATE TABLE identity_oidc_providers (
	slug VARCHAR(60) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	issuer VARCHAR(500) NOT NULL, 
	client_id VARCHAR(255) NOT NULL, 
	client_secret TEXT, 
	scopes JSON NOT NULL, 
	groups_claim VARCHAR(100) NOT NULL, 
	group_roles JSON NOT NULL, 
	default_roles JSON NOT NULL, 
	email_domains JSON NOT NULL, 
	links_by_email BOOLEAN NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_identity_oidc_providers PRIMARY KEY (id), 
	CONSTRAINT fk_identity_oidc_providers_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_identity_oidc_providers_slug UNIQUE (slug), 
	CONSTRAINT uq_identity_oidc_providers_uid UNIQUE (uid)
);
--
CREATE TABLE identity_oidc_requests (
	hash VARCHAR(64) NOT NULL, 
	provider_id INTEGER NOT NULL, 
	browser VARCHAR(64) NOT NULL, 
	nonce VARCHAR(64) NOT NULL, 
	verifier TEXT NOT NULL, 
	address VARCHAR(1000) NOT NULL, 
	user_id INTEGER, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_identity_oidc_requests PRIMARY KEY (hash), 
	CONSTRAINT fk_identity_oidc_requests_provider_id FOREIGN KEY(provider_id) REFERENCES identity_oidc_providers (id), 
	CONSTRAINT fk_identity_oidc_requests_user_id FOREIGN KEY(user_id) REFERENCES identity_users (id)
);
--
CREATE TABLE identity_organizations (
	ref VARCHAR(40) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	slug VARCHAR(100) NOT NULL, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, logo_url VARCHAR(2000), updated_at BIGINT, deleted_at BIGINT, 
	CONSTRAINT pk_identity_organizations PRIMARY KEY (id), 
	CONSTRAINT uq_identity_organizations_ref UNIQUE (ref), 
	CONSTRAINT uq_identity_organizations_slug UNIQUE (slug), 
	CONSTRAINT uq_identity_organizations_uid UNIQUE (uid)
);
--
CREATE TABLE identity_personal_tokens (
	user_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	label VARCHAR(200) NOT NULL, 
	prefix VARCHAR(20) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	scopes JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	last_used_at BIGINT, 
	revoked_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_identity_personal_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_identity_personal_tokens_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_identity_personal_tokens_user_id FOREIGN KEY(user_id) REFERENCES identity_users (id), 
	CONSTRAINT uq_identity_personal_tokens_hash UNIQUE (hash), 
	CONSTRAINT uq_identity_personal_tokens_uid UNIQUE (uid)
);
--
CREATE TABLE identity_recovery_codes (
	user_id INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	used_at BIGINT, 
	CONSTRAINT pk_identity_recovery_codes PRIMARY KEY (user_id, hash), 
	CONSTRAINT fk_identity_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES identity_users (id)
);
--
CREATE TABLE identity_session_tokens (
	hash VARCHAR(64) NOT NULL, 
	session_id INTEGER NOT NULL, 
	kind VARCHAR(10) NOT NULL, 
	expires_at BIGINT NOT NULL, 
	used_at BIGINT, 
	CONSTRAINT pk_identity_session_tokens PRIMARY KEY (hash), 
	CONSTRAINT fk_identity_session_tokens_session_id FOREIGN KEY(session_id) REFERENCES identity_sessions (id)
);
--
CREATE TABLE identity_sessions (
	user_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	client_kind VARCHAR(20) NOT NULL, 
	address VARCHAR(100), 
	user_agent VARCHAR(300), 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	revoked_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, external_account_id INTEGER, external_session VARCHAR(255), 
	CONSTRAINT pk_identity_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_identity_sessions_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_identity_sessions_user_id FOREIGN KEY(user_id) REFERENCES identity_users (id), 
	CONSTRAINT uq_identity_sessions_uid UNIQUE (uid)
);
--
CREATE TABLE identity_users (
	username VARCHAR(100) NOT NULL, 
	email VARCHAR(320), 
	display_name VARCHAR(200) NOT NULL, 
	avatar_url VARCHAR(2000), 
	password_hash VARCHAR(200), 
	email_verified BOOLEAN NOT NULL, 
	active BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	last_sign_in_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, joined_at BIGINT, totp_secret TEXT, totp_enabled_at BIGINT, totp_last_step INTEGER, preferences JSON, 
	CONSTRAINT pk_identity_users PRIMARY KEY (id), 
	CONSTRAINT uq_identity_users_uid UNIQUE (uid)
);
--
CREATE TABLE infra_approvals (
	job_id INTEGER NOT NULL, 
	user_id BIGINT NOT NULL, 
	decision VARCHAR(10) NOT NULL, 
	comment VARCHAR(2000), 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_infra_approvals PRIMARY KEY (id), 
	CONSTRAINT fk_infra_approvals_job_id FOREIGN KEY(job_id) REFERENCES infra_jobs (id) ON DELETE CASCADE, 
	CONSTRAINT uq_infra_approvals_job_id_user_id UNIQUE (job_id, user_id), 
	CONSTRAINT uq_infra_approvals_uid UNIQUE (uid)
);
--
CREATE TABLE infra_cloud_identities (
	organization_id INTEGER NOT NULL, 
	owner_id BIGINT NOT NULL, 
	provider VARCHAR(20) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	credentials JSON NOT NULL, 
	sealed TEXT, 
	cached_resources JSON NOT NULL, 
	cached_at BIGINT, 
	verified_at BIGINT, 
	check_job_id BIGINT, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, zones JSON, 
	CONSTRAINT pk_infra_cloud_identities PRIMARY KEY (id), 
	CONSTRAINT fk_infra_cloud_identities_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_infra_cloud_identities_uid UNIQUE (uid)
);
--
CREATE TABLE infra_default_runners (
	user_id BIGINT NOT NULL, 
	organization_id INTEGER NOT NULL, 
	worker_id INTEGER NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_infra_default_runners PRIMARY KEY (id), 
	CONSTRAINT fk_infra_default_runners_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_infra_default_runners_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id) ON DELETE CASCADE, 
	CONSTRAINT uq_infra_default_runners_uid UNIQUE (uid), 
	CONSTRAINT uq_infra_default_runners_user_id_organization_id UNIQUE (user_id, organization_id)
);
--
CREATE TABLE infra_issuer_keys (
	public JSON NOT NULL, 
	sealed TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_infra_issuer_keys PRIMARY KEY (id), 
	CONSTRAINT uq_infra_issuer_keys_uid UNIQUE (uid)
);
--
CREATE TABLE infra_jobs (
	organization_id INTEGER NOT NULL, 
	owner_id BIGINT NOT NULL, 
	zone_id INTEGER, 
	spec_id INTEGER, 
	cloud_identity_id INTEGER, 
	job_type VARCHAR(20) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	snapshot JSON NOT NULL, 
	configuration_hash VARCHAR(64), 
	worker_id INTEGER, 
	worker_name VARCHAR(200), 
	assigned_worker_id INTEGER, 
	plan_job_id INTEGER, 
	rerun_of_id BIGINT, 
	ledger_id BIGINT, 
	read_only BOOLEAN NOT NULL, 
	attempts INTEGER NOT NULL, 
	stage VARCHAR(40), 
	execution_metadata JSON NOT NULL, 
	error_code VARCHAR(120), 
	error_message TEXT, 
	orphan_risk BOOLEAN NOT NULL, 
	credential_hash VARCHAR(64), 
	created_at BIGINT NOT NULL, 
	claimed_at BIGINT, 
	started_at BIGINT, 
	told_at BIGINT, 
	completed_at BIGINT, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, on_server BOOLEAN DEFAULT 0 NOT NULL, identity_print VARCHAR(64), state_serial BIGINT, state_lineage VARCHAR(100), asked_approvals INTEGER DEFAULT 0 NOT NULL, subject_worker_id BIGINT, downloads JSON DEFAULT '{}' NOT NULL, 
	CONSTRAINT pk_infra_jobs PRIMARY KEY (id), 
	CONSTRAINT fk_infra_jobs_assigned_worker_id FOREIGN KEY(assigned_worker_id) REFERENCES fleet_workers (id) ON DELETE SET NULL, 
	CONSTRAINT fk_infra_jobs_cloud_identity_id FOREIGN KEY(cloud_identity_id) REFERENCES infra_cloud_identities (id) ON DELETE SET NULL, 
	CONSTRAINT fk_infra_jobs_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_infra_jobs_plan_job_id FOREIGN KEY(plan_job_id) REFERENCES infra_jobs (id) ON DELETE SET NULL, 
	CONSTRAINT fk_infra_jobs_spec_id FOREIGN KEY(spec_id) REFERENCES infra_specs (id) ON DELETE SET NULL, 
	CONSTRAINT fk_infra_jobs_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id) ON DELETE SET NULL, 
	CONSTRAINT fk_infra_jobs_zone_id FOREIGN KEY(zone_id) REFERENCES infra_zones (id) ON DELETE SET NULL, 
	CONSTRAINT uq_infra_jobs_uid UNIQUE (uid)
);
--
CREATE TABLE infra_plans (
	job_id INTEGER NOT NULL, 
	spec_id INTEGER, 
	summary JSON NOT NULL, 
	changes JSON NOT NULL, 
	drift JSON NOT NULL, 
	cost JSON, 
	artefact_key VARCHAR(200), 
	artefact_sha256 VARCHAR(64), 
	artefact_size BIGINT, 
	fence BIGINT, 
	state_serial BIGINT, 
	state_lineage VARCHAR(100), 
	applied_by_id BIGINT, 
	applied_at BIGINT, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, reviewed VARCHAR(80), 
	CONSTRAINT pk_infra_plans PRIMARY KEY (id), 
	CONSTRAINT fk_infra_plans_job_id FOREIGN KEY(job_id) REFERENCES infra_jobs (id) ON DELETE CASCADE, 
	CONSTRAINT fk_infra_plans_spec_id FOREIGN KEY(spec_id) REFERENCES infra_specs (id) ON DELETE CASCADE, 
	CONSTRAINT uq_infra_plans_job_id UNIQUE (job_id), 
	CONSTRAINT uq_infra_plans_uid UNIQUE (uid)
);
--
CREATE TABLE infra_releases (
	version VARCHAR(100) NOT NULL, 
	release_notes TEXT, 
	github_release_url VARCHAR(1000), 
	commit_sha VARCHAR(64), 
	is_breaking BOOLEAN NOT NULL, 
	released_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_infra_releases PRIMARY KEY (id), 
	CONSTRAINT uq_infra_releases_uid UNIQUE (uid), 
	CONSTRAINT uq_infra_releases_version UNIQUE (version)
);
--
CREATE TABLE infra_runners (
	worker_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	owner_id BIGINT, 
	mode VARCHAR(20) NOT NULL, 
	token_hash VARCHAR(64), 
	cloud_identity_id INTEGER, 
	release_id INTEGER, 
	pending_token_hash VARCHAR(64), 
	pending_job_id BIGINT, 
	runner_metadata JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_infra_runners PRIMARY KEY (id), 
	CONSTRAINT fk_infra_runners_cloud_identity_id FOREIGN KEY(cloud_identity_id) REFERENCES infra_cloud_identities (id) ON DELETE SET NULL, 
	CONSTRAINT fk_infra_runners_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_infra_runners_release_id FOREIGN KEY(release_id) REFERENCES infra_releases (id) ON DELETE SET NULL, 
	CONSTRAINT fk_infra_runners_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id) ON DELETE CASCADE, 
	CONSTRAINT uq_infra_runners_uid UNIQUE (uid), 
	CONSTRAINT uq_infra_runners_worker_id UNIQUE (worker_id)
);
--
CREATE TABLE infra_spec_versions (
	spec_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	document JSON NOT NULL, 
	configuration_hash VARCHAR(64) NOT NULL, 
	author_id BIGINT NOT NULL, 
	comment VARCHAR(500), 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_infra_spec_versions PRIMARY KEY (id), 
	CONSTRAINT fk_infra_spec_versions_spec_id FOREIGN KEY(spec_id) REFERENCES infra_specs (id) ON DELETE CASCADE, 
	CONSTRAINT uq_infra_spec_versions_spec_id_number UNIQUE (spec_id, number), 
	CONSTRAINT uq_infra_spec_versions_uid UNIQUE (uid)
);
--
CREATE TABLE infra_specs (
	organization_id INTEGER NOT NULL, 
	zone_id INTEGER, 
	owner_id BIGINT NOT NULL, 
	cloud_identity_id INTEGER, 
	project_name VARCHAR(200) NOT NULL, 
	environment_stage VARCHAR(20) NOT NULL, 
	region VARCHAR(100) NOT NULL, 
	provider VARCHAR(20) NOT NULL, 
	terraform_version VARCHAR(40) NOT NULL, 
	document JSON NOT NULL, 
	configuration_hash VARCHAR(64) NOT NULL, 
	module JSON NOT NULL, 
	module_token TEXT, 
	version INTEGER NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	before_status VARCHAR(20), 
	applied_hash VARCHAR(64), 
	outputs JSON NOT NULL, 
	components JSON NOT NULL, 
	estimated_monthly_cost FLOAT, 
	orphan_risk TEXT, 
	drift JSON, 
	drift_minutes INTEGER, 
	drift_due_at BIGINT, 
	drift_checked_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, applied_identity_id BIGINT, applied_account VARCHAR(200), drift_cloud_identity_id BIGINT, 
	CONSTRAINT pk_infra_specs PRIMARY KEY (id), 
	CONSTRAINT fk_infra_specs_cloud_identity_id FOREIGN KEY(cloud_identity_id) REFERENCES infra_cloud_identities (id) ON DELETE SET NULL, 
	CONSTRAINT fk_infra_specs_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_infra_specs_zone_id FOREIGN KEY(zone_id) REFERENCES infra_zones (id) ON DELETE SET NULL, 
	CONSTRAINT uq_infra_specs_uid UNIQUE (uid)
);
--
CREATE TABLE infra_state_versions (
	state_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	serial BIGINT NOT NULL, 
	lineage VARCHAR(100) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size BIGINT NOT NULL, 
	resources INTEGER NOT NULL, 
	sealed TEXT NOT NULL, 
	cause VARCHAR(20) NOT NULL, 
	reason VARCHAR(500), 
	job_id BIGINT, 
	author_id BIGINT, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_infra_state_versions PRIMARY KEY (id), 
	CONSTRAINT fk_infra_state_versions_state_id FOREIGN KEY(state_id) REFERENCES infra_states (id) ON DELETE CASCADE, 
	CONSTRAINT uq_infra_state_versions_state_id_number UNIQUE (state_id, number), 
	CONSTRAINT uq_infra_state_versions_uid UNIQUE (uid)
);
--
CREATE TABLE infra_states (
	organization_id INTEGER NOT NULL, 
	subject VARCHAR(100) NOT NULL, 
	version INTEGER NOT NULL, 
	serial BIGINT, 
	lineage VARCHAR(100), 
	resources INTEGER NOT NULL, 
	lock_id VARCHAR(100), 
	lock JSON, 
	lock_job_id BIGINT, 
	lock_fence BIGINT, 
	locked_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, robbed JSON, addresses JSON, 
	CONSTRAINT pk_infra_states PRIMARY KEY (id), 
	CONSTRAINT fk_infra_states_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_infra_states_subject UNIQUE (subject), 
	CONSTRAINT uq_infra_states_uid UNIQUE (uid)
);
--
CREATE TABLE infra_zones (
	organization_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	owner_id BIGINT NOT NULL, 
	description VARCHAR(2000), 
	approvals INTEGER NOT NULL, 
	destroy_approvals INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_infra_zones PRIMARY KEY (id), 
	CONSTRAINT fk_infra_zones_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_infra_zones_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id) ON DELETE CASCADE, 
	CONSTRAINT uq_infra_zones_project_id UNIQUE (project_id), 
	CONSTRAINT uq_infra_zones_uid UNIQUE (uid)
);
--
CREATE TABLE instance (
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	signing_key TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_instance PRIMARY KEY (id)
);
--
CREATE TABLE job_attempts (
	id INTEGER NOT NULL, 
	job_id INTEGER NOT NULL, 
	fence BIGINT NOT NULL, 
	owner VARCHAR(120), 
	outcome VARCHAR(20) NOT NULL, 
	error_code VARCHAR(120), 
	error_message TEXT, 
	started_at BIGINT, 
	ended_at BIGINT NOT NULL, 
	CONSTRAINT pk_job_attempts PRIMARY KEY (id), 
	CONSTRAINT fk_job_attempts_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	CONSTRAINT uq_job_attempts_job_id_fence UNIQUE (job_id, fence)
);
--
CREATE TABLE job_schedule_runs (
	id INTEGER NOT NULL, 
	schedule_id INTEGER NOT NULL, 
	due_at BIGINT NOT NULL, 
	job_id BIGINT, 
	fired_at BIGINT NOT NULL, 
	CONSTRAINT pk_job_schedule_runs PRIMARY KEY (id), 
	CONSTRAINT fk_job_schedule_runs_schedule_id FOREIGN KEY(schedule_id) REFERENCES job_schedules (id) ON DELETE CASCADE, 
	CONSTRAINT uq_job_schedule_runs_schedule_id_due_at UNIQUE (schedule_id, due_at)
);
--
CREATE TABLE job_schedules (
	name VARCHAR(200) NOT NULL, 
	kind VARCHAR(80) NOT NULL, 
	payload TEXT NOT NULL, 
	organization_id BIGINT, 
	subject VARCHAR(120), 
	cron VARCHAR(120), 
	every_seconds INTEGER, 
	timezone VARCHAR(80) NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	next_due_at BIGINT, 
	last_due_at BIGINT, 
	options JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_job_schedules PRIMARY KEY (id), 
	CONSTRAINT uq_job_schedules_name UNIQUE (name), 
	CONSTRAINT uq_job_schedules_uid UNIQUE (uid)
);
--
CREATE TABLE jobs (
	kind VARCHAR(80) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	lane INTEGER NOT NULL, 
	organization_id BIGINT, 
	subject VARCHAR(120), 
	payload TEXT NOT NULL, 
	requires VARCHAR(400) NOT NULL, 
	worker_id BIGINT, 
	concurrency_key VARCHAR(200), 
	idempotency_key VARCHAR(240), 
	correlation_id VARCHAR(120), 
	parent_id BIGINT, 
	retry_of_id BIGINT, 
	run_at BIGINT NOT NULL, 
	attempts INTEGER NOT NULL, 
	max_attempts INTEGER NOT NULL, 
	lapses INTEGER NOT NULL, 
	lease_seconds INTEGER NOT NULL, 
	fence BIGINT NOT NULL, 
	owner VARCHAR(120), 
	due_at BIGINT, 
	route VARCHAR(400), 
	lease_until BIGINT, 
	turn_key VARCHAR(200), 
	parked_key VARCHAR(200), 
	wake_at BIGINT, 
	report_number INTEGER NOT NULL, 
	report_reply TEXT, 
	cancel_requested_at BIGINT, 
	cancel_reason TEXT, 
	result TEXT, 
	error_code VARCHAR(120), 
	error_category VARCHAR(20), 
	error_message TEXT, 
	retriable INTEGER, 
	closed_by VARCHAR(40), 
	created_at BIGINT NOT NULL, 
	started_at BIGINT, 
	finished_at BIGINT, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT uq_jobs_uid UNIQUE (uid)
);
--
CREATE TABLE kernel_idempotency (
	key_hash VARCHAR(64) NOT NULL, 
	payload_hash VARCHAR(64) NOT NULL, 
	answer JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_kernel_idempotency PRIMARY KEY (id), 
	CONSTRAINT uq_kernel_idempotency_uid UNIQUE (uid)
);
--
CREATE TABLE kernel_presences (
	name VARCHAR(200) NOT NULL, 
	address VARCHAR(300), 
	version VARCHAR(40) NOT NULL, 
	working BOOLEAN NOT NULL, 
	started_at BIGINT NOT NULL, 
	seen_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_kernel_presences PRIMARY KEY (id), 
	CONSTRAINT uq_kernel_presences_uid UNIQUE (uid)
);
--
CREATE TABLE notify_bindings (
	bot_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	platform_chat_id VARCHAR(200) NOT NULL, 
	project_key VARCHAR(64) NOT NULL, 
	chat_name VARCHAR(200), 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_notify_bindings PRIMARY KEY (id), 
	CONSTRAINT fk_notify_bindings_bot_id FOREIGN KEY(bot_id) REFERENCES notify_bots (id) ON DELETE CASCADE, 
	CONSTRAINT fk_notify_bindings_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_notify_bindings_bot_id_platform_chat_id UNIQUE (bot_id, platform_chat_id), 
	CONSTRAINT uq_notify_bindings_uid UNIQUE (uid)
);
--
CREATE TABLE notify_bots (
	organization_id INTEGER NOT NULL, 
	platform VARCHAR(20) NOT NULL, 
	app_id VARCHAR(100) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	app_secret TEXT NOT NULL, 
	webhook_token TEXT NOT NULL, 
	encrypt_key TEXT, 
	api_url VARCHAR(1000), 
	enabled BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_notify_bots PRIMARY KEY (id), 
	CONSTRAINT fk_notify_bots_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_notify_bots_organization_id_platform_app_id UNIQUE (organization_id, platform, app_id), 
	CONSTRAINT uq_notify_bots_uid UNIQUE (uid)
);
--
CREATE TABLE notify_cards (
	organization_id INTEGER NOT NULL, 
	bot_id INTEGER NOT NULL, 
	chat_id VARCHAR(200) NOT NULL, 
	subject VARCHAR(100) NOT NULL, 
	task_id BIGINT NOT NULL, 
	content JSON NOT NULL, 
	message_id VARCHAR(200), 
	outcome TEXT, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	settled_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_notify_cards PRIMARY KEY (id), 
	CONSTRAINT fk_notify_cards_bot_id FOREIGN KEY(bot_id) REFERENCES notify_bots (id) ON DELETE CASCADE, 
	CONSTRAINT fk_notify_cards_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_notify_cards_organization_id_subject_bot_id_chat_id UNIQUE (organization_id, subject, bot_id, chat_id), 
	CONSTRAINT uq_notify_cards_uid UNIQUE (uid)
);
--
CREATE TABLE notify_deliveries (
	hook_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	event_id BIGINT, 
	event VARCHAR(96) NOT NULL, 
	body TEXT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	attempts INTEGER NOT NULL, 
	response_status INTEGER, 
	error VARCHAR(300), 
	created_at BIGINT NOT NULL, 
	attempted_at BIGINT, 
	finished_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_notify_deliveries PRIMARY KEY (id), 
	CONSTRAINT fk_notify_deliveries_hook_id FOREIGN KEY(hook_id) REFERENCES notify_hooks (id) ON DELETE CASCADE, 
	CONSTRAINT fk_notify_deliveries_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_notify_deliveries_hook_id_event_id UNIQUE (hook_id, event_id), 
	CONSTRAINT uq_notify_deliveries_uid UNIQUE (uid)
);
--
CREATE TABLE notify_hooks (
	organization_id INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	url VARCHAR(2000) NOT NULL, 
	secret TEXT NOT NULL, 
	events JSON NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	failing_since BIGINT, 
	disabled_reason VARCHAR(300), 
	created_by BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_notify_hooks PRIMARY KEY (id), 
	CONSTRAINT fk_notify_hooks_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_notify_hooks_uid UNIQUE (uid)
);
--
CREATE TABLE notify_notifications (
	organization_id INTEGER NOT NULL, 
	user_id BIGINT NOT NULL, 
	type VARCHAR(40) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	body TEXT NOT NULL, 
	link VARCHAR(1000), 
	task_id BIGINT, 
	project_key VARCHAR(64), 
	collapse_key VARCHAR(200) NOT NULL, 
	repeats INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	read_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_notify_notifications PRIMARY KEY (id), 
	CONSTRAINT fk_notify_notifications_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_notify_notifications_uid UNIQUE (uid)
);
--
CREATE TABLE notify_platform_links (
	hash VARCHAR(64) NOT NULL, 
	bot_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	platform_uid VARCHAR(200) NOT NULL, 
	expires_at BIGINT NOT NULL, 
	used_at BIGINT, 
	CONSTRAINT pk_notify_platform_links PRIMARY KEY (hash), 
	CONSTRAINT fk_notify_platform_links_bot_id FOREIGN KEY(bot_id) REFERENCES notify_bots (id) ON DELETE CASCADE, 
	CONSTRAINT fk_notify_platform_links_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id)
);
--
CREATE TABLE notify_received (
	digest VARCHAR(64) NOT NULL, 
	bot_id INTEGER NOT NULL, 
	received_at BIGINT NOT NULL, 
	done_at BIGINT, 
	CONSTRAINT pk_notify_received PRIMARY KEY (digest), 
	CONSTRAINT fk_notify_received_bot_id FOREIGN KEY(bot_id) REFERENCES notify_bots (id) ON DELETE CASCADE
);
--
CREATE TABLE notify_threads (
	organization_id INTEGER NOT NULL, 
	task_id BIGINT NOT NULL, 
	bot_id INTEGER NOT NULL, 
	chat_id VARCHAR(200) NOT NULL, 
	message_id VARCHAR(200), 
	text TEXT, 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_notify_threads PRIMARY KEY (id), 
	CONSTRAINT fk_notify_threads_bot_id FOREIGN KEY(bot_id) REFERENCES notify_bots (id) ON DELETE CASCADE, 
	CONSTRAINT fk_notify_threads_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_notify_threads_organization_id_task_id_bot_id_chat_id UNIQUE (organization_id, task_id, bot_id, chat_id), 
	CONSTRAINT uq_notify_threads_uid UNIQUE (uid)
);
--
CREATE TABLE retention_defaults (
	ref VARCHAR(80) NOT NULL, 
	scope VARCHAR(16) NOT NULL, 
	owner BIGINT NOT NULL, 
	category VARCHAR(64) NOT NULL, 
	retention_days INTEGER NOT NULL, 
	dry_run BOOLEAN NOT NULL, 
	destructive BOOLEAN NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	updated_by_kind VARCHAR(16) NOT NULL, 
	updated_by VARCHAR(64) NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_retention_defaults PRIMARY KEY (id), 
	CONSTRAINT uq_retention_defaults_uid UNIQUE (uid)
);
--
CREATE TABLE runbooks_settings (
	organization_id INTEGER NOT NULL, 
	vault_password TEXT, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_runbooks_settings PRIMARY KEY (id), 
	CONSTRAINT fk_runbooks_settings_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_runbooks_settings_organization_id UNIQUE (organization_id), 
	CONSTRAINT uq_runbooks_settings_uid UNIQUE (uid)
);
--
CREATE TABLE tasks_diffs (
	task_id INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	stage INTEGER, 
	base_commit VARCHAR(250) NOT NULL, 
	commit_sha VARCHAR(64), 
	files_changed INTEGER NOT NULL, 
	insertions INTEGER NOT NULL, 
	deletions INTEGER NOT NULL, 
	patch TEXT NOT NULL, 
	cut BOOLEAN NOT NULL, 
	told_at BIGINT NOT NULL, 
	CONSTRAINT pk_tasks_diffs PRIMARY KEY (task_id), 
	CONSTRAINT fk_tasks_diffs_task_id FOREIGN KEY(task_id) REFERENCES tasks_tasks (id) ON DELETE CASCADE
);
--
CREATE TABLE tasks_gates (
	task_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	stage_name VARCHAR(64) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	prompt TEXT NOT NULL, 
	choices JSON NOT NULL, 
	on_timeout VARCHAR(20) NOT NULL, 
	fallback TEXT, 
	asked_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	closed_at BIGINT, 
	outcome VARCHAR(20), 
	result TEXT, 
	answered_by BIGINT, 
	channel VARCHAR(20), 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_tasks_gates PRIMARY KEY (id), 
	CONSTRAINT fk_tasks_gates_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_tasks_gates_task_id FOREIGN KEY(task_id) REFERENCES tasks_tasks (id) ON DELETE CASCADE, 
	CONSTRAINT uq_tasks_gates_uid UNIQUE (uid)
);
--
CREATE TABLE tasks_messages (
	task_id INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	author_id BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	delivered_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_tasks_messages PRIMARY KEY (id), 
	CONSTRAINT fk_tasks_messages_task_id FOREIGN KEY(task_id) REFERENCES tasks_tasks (id) ON DELETE CASCADE, 
	CONSTRAINT uq_tasks_messages_uid UNIQUE (uid)
);
--
CREATE TABLE tasks_projects (
	project_id INTEGER NOT NULL, 
	organization_id INTEGER NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	repo_url VARCHAR(1000), 
	ssh_url VARCHAR(1000), 
	default_branch VARCHAR(250) NOT NULL, 
	agent_type VARCHAR(80), 
	custom_agent JSON, 
	pipeline JSON, 
	git_token TEXT, 
	forge VARCHAR(20), 
	forge_url VARCHAR(1000), 
	merge_requests BOOLEAN NOT NULL, 
	setup_command TEXT, 
	cleanup_command TEXT, 
	environment TEXT, 
	most_tasks INTEGER NOT NULL, 
	budget_usd FLOAT, 
	created_at BIGINT NOT NULL, 
	last_activity_at BIGINT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, task_count INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_tasks_projects PRIMARY KEY (id), 
	CONSTRAINT fk_tasks_projects_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_tasks_projects_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id), 
	CONSTRAINT uq_tasks_projects_project_id UNIQUE (project_id), 
	CONSTRAINT uq_tasks_projects_uid UNIQUE (uid)
);
--
CREATE TABLE tasks_settings (
	organization_id INTEGER NOT NULL, 
	chosen JSON NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_tasks_settings PRIMARY KEY (organization_id)
);
--
CREATE TABLE tasks_stages (
	task_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	attempt INTEGER NOT NULL, 
	started_at BIGINT, 
	finished_at BIGINT, 
	result TEXT, 
	error TEXT, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_tasks_stages PRIMARY KEY (id), 
	CONSTRAINT fk_tasks_stages_task_id FOREIGN KEY(task_id) REFERENCES tasks_tasks (id) ON DELETE CASCADE, 
	CONSTRAINT uq_tasks_stages_task_id_position UNIQUE (task_id, position), 
	CONSTRAINT uq_tasks_stages_uid UNIQUE (uid)
);
--
CREATE TABLE tasks_tasks (
	organization_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	description TEXT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	suspend_reason VARCHAR(40), 
	queued_reason VARCHAR(300), 
	agent_type VARCHAR(80) NOT NULL, 
	worker_id INTEGER, 
	requested_worker_id INTEGER, 
	developer_id BIGINT NOT NULL, 
	created_by BIGINT NOT NULL, 
	source VARCHAR(20) NOT NULL, 
	priority INTEGER NOT NULL, 
	depends_on JSON NOT NULL, 
	branch VARCHAR(250) NOT NULL, 
	base_branch VARCHAR(250) NOT NULL, 
	commit_sha VARCHAR(64), 
	merge_request_url VARCHAR(1000), 
	pipeline JSON NOT NULL, 
	current_stage INTEGER, 
	from_stage INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	job_id BIGINT, 
	agent_session VARCHAR(200), 
	input_tokens BIGINT NOT NULL, 
	output_tokens BIGINT NOT NULL, 
	cost_usd FLOAT, 
	budget_usd FLOAT, 
	error_code VARCHAR(80), 
	error_message TEXT, 
	resume_at BIGINT, 
	created_at BIGINT NOT NULL, 
	assigned_at BIGINT, 
	started_at BIGINT, 
	suspended_at BIGINT, 
	finished_at BIGINT, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	uid VARCHAR(36) NOT NULL, messages_until BIGINT, 
	CONSTRAINT fk_tasks_tasks_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_tasks_tasks_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id), 
	CONSTRAINT fk_tasks_tasks_requested_worker_id FOREIGN KEY(requested_worker_id) REFERENCES fleet_workers (id), 
	CONSTRAINT fk_tasks_tasks_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id), 
	CONSTRAINT uq_tasks_tasks_uid UNIQUE (uid)
);
--
CREATE TABLE tasks_tunnels (
	task_id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	url VARCHAR(1000), 
	name VARCHAR(200), 
	auth_prompt TEXT, 
	error TEXT, 
	started_at BIGINT, 
	expires_at BIGINT, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_tasks_tunnels PRIMARY KEY (task_id), 
	CONSTRAINT fk_tasks_tunnels_task_id FOREIGN KEY(task_id) REFERENCES tasks_tasks (id) ON DELETE CASCADE
);
--
CREATE TABLE tasks_usage (
	task_id INTEGER NOT NULL, 
	session VARCHAR(200) NOT NULL, 
	input_tokens BIGINT NOT NULL, 
	output_tokens BIGINT NOT NULL, 
	cost_usd FLOAT, 
	CONSTRAINT pk_tasks_usage PRIMARY KEY (task_id, session), 
	CONSTRAINT fk_tasks_usage_task_id FOREIGN KEY(task_id) REFERENCES tasks_tasks (id) ON DELETE CASCADE
);
--
CREATE TABLE tasks_workspaces (
	task_id INTEGER NOT NULL, 
	worker_id INTEGER, 
	path VARCHAR(1000) NOT NULL, 
	branch VARCHAR(250) NOT NULL, 
	base_branch VARCHAR(250) NOT NULL, 
	head_commit VARCHAR(64), 
	dirty BOOLEAN, 
	statistics JSON, 
	size BIGINT, 
	updated_at BIGINT NOT NULL, 
	removed_at BIGINT, project_key VARCHAR(64), 
	CONSTRAINT pk_tasks_workspaces PRIMARY KEY (task_id), 
	CONSTRAINT fk_tasks_workspaces_task_id FOREIGN KEY(task_id) REFERENCES tasks_tasks (id) ON DELETE CASCADE, 
	CONSTRAINT fk_tasks_workspaces_worker_id FOREIGN KEY(worker_id) REFERENCES fleet_workers (id)
);
--
CREATE TABLE vault_keys (
	id VARCHAR(16) NOT NULL, 
	backend VARCHAR(32) NOT NULL, 
	master_key_id VARCHAR(64) NOT NULL, 
	wrapped TEXT NOT NULL, 
	active BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_vault_keys PRIMARY KEY (id)
);
--
CREATE TABLE workspace_environments (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	parent_id INTEGER, 
	name VARCHAR(200) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	lifecycle VARCHAR(20) NOT NULL, 
	locked_at BIGINT, 
	lock_reason VARCHAR(280), 
	archived_at BIGINT, 
	archive_reason VARCHAR(280), 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_workspace_environments PRIMARY KEY (id), 
	CONSTRAINT fk_workspace_environments_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT fk_workspace_environments_parent_id FOREIGN KEY(parent_id) REFERENCES workspace_environments (id), 
	CONSTRAINT fk_workspace_environments_project_id FOREIGN KEY(project_id) REFERENCES workspace_projects (id), 
	CONSTRAINT uq_workspace_environments_ref UNIQUE (ref), 
	CONSTRAINT uq_workspace_environments_uid UNIQUE (uid)
);
--
CREATE TABLE workspace_projects (
	ref VARCHAR(40) NOT NULL, 
	organization_id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	slug VARCHAR(100) NOT NULL, 
	description TEXT, 
	lifecycle VARCHAR(20) NOT NULL, 
	archived_at BIGINT, 
	archive_reason VARCHAR(280), 
	created_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_workspace_projects PRIMARY KEY (id), 
	CONSTRAINT fk_workspace_projects_organization_id FOREIGN KEY(organization_id) REFERENCES identity_organizations (id), 
	CONSTRAINT uq_workspace_projects_ref UNIQUE (ref), 
	CONSTRAINT uq_workspace_projects_uid UNIQUE (uid)
);
--
CREATE TABLE workspace_variables (
	owner VARCHAR(60) NOT NULL, 
	scope VARCHAR(20) NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	exposure VARCHAR(20) NOT NULL, 
	kind VARCHAR(30) NOT NULL, 
	is_secret BOOLEAN NOT NULL, 
	is_reference BOOLEAN NOT NULL, 
	value TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	id INTEGER NOT NULL, 
	uid VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_workspace_variables PRIMARY KEY (id), 
	CONSTRAINT uq_workspace_variables_uid UNIQUE (uid)
);
--
CREATE INDEX ix_audit_events_aggregate_id_id ON audit_events (aggregate_id, id);
--
CREATE INDEX ix_audit_events_at ON audit_events (at);
--
CREATE INDEX ix_domain_events_at ON domain_events (at);
--
CREATE INDEX ix_domain_events_transaction_id ON domain_events ("transaction", id);
--
CREATE INDEX ix_domain_events_type_transaction_id ON domain_events (type, "transaction", id);
--
CREATE INDEX ix_job_schedules_due ON job_schedules (next_due_at) WHERE next_due_at IS NOT NULL;
--
CREATE INDEX ix_jobs_claim ON jobs (route, lane, due_at, id) WHERE due_at IS NOT NULL;
--
CREATE INDEX ix_jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
--
CREATE INDEX ix_jobs_lease ON jobs (lease_until) WHERE lease_until IS NOT NULL;
--
CREATE INDEX ix_jobs_missed ON jobs (organization_id, state, id) WHERE finished_at IS NOT NULL AND state <> 'succeeded';
--
CREATE INDEX ix_jobs_organization_id ON jobs (organization_id, id);
--
CREATE INDEX ix_jobs_parked ON jobs (parked_key, lane, run_at, id) WHERE parked_key IS NOT NULL;
--
CREATE INDEX ix_jobs_subject ON jobs (subject, id) WHERE subject IS NOT NULL;
--
CREATE INDEX ix_jobs_unended ON jobs (organization_id, kind) WHERE finished_at IS NULL;
--
CREATE INDEX ix_jobs_wake ON jobs (wake_at) WHERE wake_at IS NOT NULL;
--
CREATE UNIQUE INDEX uq_jobs_idempotency ON jobs (kind, idempotency_key) WHERE idempotency_key IS NOT NULL;
--
CREATE UNIQUE INDEX uq_jobs_turn ON jobs (turn_key) WHERE turn_key IS NOT NULL;
--
CREATE INDEX ix_kernel_idempotency_created_at ON kernel_idempotency (created_at);
--
CREATE UNIQUE INDEX uq_kernel_idempotency_key ON kernel_idempotency (key_hash);
--
CREATE TRIGGER audit_events_update BEFORE UPDATE ON audit_events BEGIN SELECT RAISE(ABORT, 'rows of audit_events are append-only'); END;
--
CREATE TRIGGER audit_events_delete BEFORE DELETE ON audit_events WHEN NOT EXISTS (SELECT 1 FROM audit_tombstones WHERE event_id = OLD.id) BEGIN SELECT RAISE(ABORT, 'rows of audit_events are append-only'); END;
--
CREATE TRIGGER audit_events_replace BEFORE INSERT ON audit_events WHEN EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id OR uid = NEW.uid OR ref = NEW.ref) BEGIN SELECT RAISE(ABORT, 'rows of audit_events are append-only'); END;
--
CREATE TRIGGER audit_seals_update BEFORE UPDATE ON audit_seals BEGIN SELECT RAISE(ABORT, 'rows of audit_seals are append-only'); END;
--
CREATE TRIGGER audit_seals_delete BEFORE DELETE ON audit_seals  BEGIN SELECT RAISE(ABORT, 'rows of audit_seals are append-only'); END;
--
CREATE TRIGGER audit_seals_replace BEFORE INSERT ON audit_seals WHEN EXISTS (SELECT 1 FROM audit_seals WHERE event_id = NEW.event_id OR (organization_id = NEW.organization_id AND position = NEW.position)) BEGIN SELECT RAISE(ABORT, 'rows of audit_seals are append-only'); END;
--
CREATE TRIGGER audit_tombstones_update BEFORE UPDATE ON audit_tombstones BEGIN SELECT RAISE(ABORT, 'rows of audit_tombstones are append-only'); END;
--
CREATE TRIGGER audit_tombstones_delete BEFORE DELETE ON audit_tombstones  BEGIN SELECT RAISE(ABORT, 'rows of audit_tombstones are append-only'); END;
--
CREATE TRIGGER audit_tombstones_replace BEFORE INSERT ON audit_tombstones WHEN EXISTS (SELECT 1 FROM audit_tombstones WHERE event_id = NEW.event_id) BEGIN SELECT RAISE(ABORT, 'rows of audit_tombstones are append-only'); END;
--
CREATE INDEX ix_access_grants_user_id ON access_grants (user_id);
--
CREATE INDEX ix_identity_sessions_user_id ON identity_sessions (user_id);
--
CREATE INDEX ix_identity_session_tokens_session_id ON identity_session_tokens (session_id);
--
CREATE UNIQUE INDEX uq_identity_users_email ON identity_users (lower(email));
--
CREATE UNIQUE INDEX uq_identity_users_username ON identity_users (lower(username));
--
CREATE UNIQUE INDEX uq_workspace_variables_key ON workspace_variables (owner, scope, "key", exposure);
--
CREATE UNIQUE INDEX uq_fleet_access_policies_scope ON fleet_access_policies (organization_id, server_id);
--
CREATE INDEX ix_fleet_servers_organization_id ON fleet_servers (organization_id, id);
--
CREATE INDEX ix_fleet_servers_provider ON fleet_servers (provider, lifecycle, organization_id, id);
--
CREATE INDEX ix_fleet_workers_organization_id ON fleet_workers (organization_id, id);
--
CREATE INDEX ix_workspace_projects_organization_id ON workspace_projects (organization_id, id);
--
CREATE UNIQUE INDEX uq_workspace_projects_slug ON workspace_projects (organization_id, slug);
--
CREATE UNIQUE INDEX uq_fleet_destinations_name ON fleet_destinations (server_id, name);
--
CREATE INDEX ix_workspace_environments_organization_id ON workspace_environments (organization_id, id);
--
CREATE INDEX ix_workspace_environments_project_id ON workspace_environments (project_id, id);
--
CREATE UNIQUE INDEX uq_workspace_environments_name ON workspace_environments (project_id, lower(name));
--
CREATE INDEX ix_deploy_resources_organization_id ON deploy_resources (organization_id, id, deleted_at);
--
CREATE INDEX ix_deploy_resources_project_id ON deploy_resources (project_id, id, deleted_at);
--
CREATE UNIQUE INDEX uq_deploy_resources_slug ON deploy_resources (environment_id, live_slug);
--
CREATE INDEX ix_deploy_deployments_organization_id ON deploy_deployments (organization_id, id, archived_at);
--
CREATE INDEX ix_deploy_deployments_present ON deploy_deployments (server_id, resource_id) WHERE retired_at IS NULL;
--
CREATE INDEX ix_deploy_deployments_project_id ON deploy_deployments (project_id, id, archived_at);
--
CREATE INDEX ix_deploy_deployments_resource_id ON deploy_deployments (resource_id, id, archived_at);
--
CREATE INDEX ix_deploy_deployments_server_id ON deploy_deployments (server_id, id);
--
CREATE INDEX ix_deploy_deployments_status ON deploy_deployments (status);
--
CREATE UNIQUE INDEX uq_deploy_deployments_number ON deploy_deployments (resource_id, number);
--
CREATE INDEX ix_deploy_runtime_controls_resource_id ON deploy_runtime_controls (resource_id, id);
--
CREATE UNIQUE INDEX uq_deploy_phases_phase ON deploy_phases (deployment_id, phase);
--
CREATE INDEX ix_fleet_ssh_credentials_organization_id ON fleet_ssh_credentials (organization_id, id);
--
CREATE UNIQUE INDEX uq_fleet_host_keys_server_id ON fleet_host_keys (server_id);
--
CREATE INDEX ix_fleet_proxy_attempts_server_id ON fleet_proxy_attempts (server_id, id);
--
CREATE INDEX ix_fleet_server_credentials_credential_id ON fleet_server_credentials (credential_id);
--
CREATE UNIQUE INDEX uq_fleet_server_credentials_server_id ON fleet_server_credentials (server_id);
--
CREATE UNIQUE INDEX uq_fleet_prune_policies_ref ON fleet_prune_policies (organization_id, ref);
--
CREATE INDEX ix_deploy_log_archives_organization_id ON deploy_log_archives (organization_id, id);
--
CREATE INDEX ix_deploy_log_archives_resource_id ON deploy_log_archives (resource_id, id);
--
CREATE INDEX ix_identity_deploy_tokens_organization_id ON identity_deploy_tokens (organization_id, id);
--
CREATE INDEX ix_identity_external_accounts_user_id ON identity_external_accounts (user_id);
--
CREATE UNIQUE INDEX uq_identity_external_accounts_subject ON identity_external_accounts (issuer, subject);
--
CREATE INDEX ix_identity_invitations_organization_id ON identity_invitations (organization_id, id);
--
CREATE INDEX ix_identity_links_user_id ON identity_links (user_id);
--
CREATE INDEX ix_identity_personal_tokens_user_id ON identity_personal_tokens (user_id, id);
--
CREATE UNIQUE INDEX uq_access_grants_role ON access_grants (user_id, organization_id, role, project_id, scope);
--
CREATE UNIQUE INDEX uq_access_roles_name ON access_roles (organization_id, lower(name));
--
CREATE INDEX ix_identity_oidc_providers_organization_id ON identity_oidc_providers (organization_id, id);
--
CREATE INDEX ix_identity_sessions_external_account_id ON identity_sessions (external_account_id);
--
CREATE INDEX ix_access_facts_at ON access_facts (at);
--
CREATE INDEX ix_access_facts_organization_id ON access_facts (organization_id, kind, id);
--
CREATE UNIQUE INDEX uq_access_facts_key ON access_facts (organization_id, kind, key_hash);
--
CREATE UNIQUE INDEX uq_retention_defaults_category ON retention_defaults (category, owner);
--
CREATE UNIQUE INDEX uq_retention_defaults_ref ON retention_defaults (owner, ref);
--
CREATE INDEX ix_audit_archives_organization_id_id ON audit_archives (organization_id, id);
--
CREATE TRIGGER audit_archives_update BEFORE UPDATE ON audit_archives BEGIN SELECT RAISE(ABORT, 'rows of audit_archives are append-only'); END;
--
CREATE TRIGGER audit_archives_replace BEFORE INSERT ON audit_archives WHEN EXISTS (SELECT 1 FROM audit_archives WHERE id = NEW.id OR uid = NEW.uid OR ref = NEW.ref) BEGIN SELECT RAISE(ABORT, 'rows of audit_archives are append-only'); END;
--
CREATE INDEX ix_audit_retained_archive_id ON audit_retained (archive_id);
--
CREATE INDEX ix_audit_events_correlation_id ON audit_events (correlation_id, id);
--
CREATE INDEX ix_audit_events_organization_id_action ON audit_events (organization_id, action, id);
--
CREATE INDEX ix_access_grants_organization_id ON access_grants (organization_id, user_id);
--
CREATE UNIQUE INDEX uq_fleet_sightings_server_id ON fleet_sightings (server_id);
--
CREATE INDEX ix_audit_events_organization_id_id ON audit_events (organization_id, id, at);
--
CREATE INDEX ix_audit_events_actor ON audit_events (organization_id, actor_kind, actor_id, id);
--
CREATE INDEX ix_audit_events_actor_action ON audit_events (organization_id, actor_kind, actor_id, action, id);
--
CREATE INDEX ix_audit_events_outcome ON audit_events (organization_id, outcome, id) WHERE outcome <> 'success';
--
CREATE INDEX ix_audit_events_resource_id ON audit_events (organization_id, resource_id, id);
--
CREATE INDEX ix_audit_events_resource_type ON audit_events (organization_id, resource_type, id);
--
CREATE INDEX ix_audit_events_actor_label ON audit_events (organization_id, lower(actor_label), id);
--
CREATE INDEX ix_access_object_rules_role ON access_object_rules (role);
--
CREATE UNIQUE INDEX uq_access_object_rules_rule ON access_object_rules (organization_id, kind, ref, role, permission, allows);
--
CREATE INDEX ix_tasks_tasks_developer_id ON tasks_tasks (organization_id, developer_id, id);
--
CREATE INDEX ix_tasks_tasks_job_id ON tasks_tasks (job_id);
--
CREATE INDEX ix_tasks_tasks_live ON tasks_tasks (status, id) WHERE finished_at IS NULL;
--
CREATE INDEX ix_tasks_tasks_organization_id ON tasks_tasks (organization_id, id);
--
CREATE INDEX ix_tasks_tasks_project_id ON tasks_tasks (project_id, id);
--
CREATE INDEX ix_tasks_tasks_worker_id ON tasks_tasks (worker_id, id);
--
CREATE INDEX ix_tasks_gates_task_id ON tasks_gates (task_id, id);
--
CREATE UNIQUE INDEX uq_tasks_gates_open ON tasks_gates (task_id) WHERE closed_at IS NULL;
--
CREATE INDEX ix_tasks_messages_task_id ON tasks_messages (task_id, id);
--
CREATE UNIQUE INDEX uq_tasks_projects_key ON tasks_projects (organization_id, lower("key"));
--
CREATE INDEX ix_fleet_worker_tokens_organization_id ON fleet_worker_tokens (organization_id, id);
--
CREATE INDEX ix_fleet_worker_tokens_worker_id ON fleet_worker_tokens (worker_id);
--
CREATE INDEX ix_fleet_channel_tokens_expires_at ON fleet_channel_tokens (expires_at);
--
CREATE INDEX ix_fleet_terminals_opened_at ON fleet_terminals (opened_at);
--
CREATE INDEX ix_fleet_terminals_subject ON fleet_terminals (subject, id);
--
CREATE INDEX ix_tasks_projects_organization_id ON tasks_projects (organization_id, id);
--
CREATE INDEX ix_access_grants_project_id ON access_grants (project_id, id) WHERE project_id <> 0;
--
CREATE INDEX ix_tasks_tasks_live_of_project ON tasks_tasks (organization_id, project_id, status, updated_at, id) WHERE finished_at IS NULL;
--
CREATE INDEX ix_tasks_tasks_finished_at ON tasks_tasks (organization_id, finished_at, status) WHERE finished_at IS NOT NULL;
--
CREATE INDEX ix_tasks_tasks_finished_of_project ON tasks_tasks (project_id, finished_at, status) WHERE finished_at IS NOT NULL;
--
CREATE INDEX ix_notify_bots_platform ON notify_bots (platform, app_id);
--
CREATE INDEX ix_notify_hooks_organization_id ON notify_hooks (organization_id, id);
--
CREATE INDEX ix_notify_notifications_collapse_key ON notify_notifications (user_id, collapse_key, created_at);
--
CREATE INDEX ix_notify_notifications_created_at ON notify_notifications (created_at);
--
CREATE INDEX ix_notify_notifications_unread ON notify_notifications (user_id, organization_id, id) WHERE read_at IS NULL;
--
CREATE INDEX ix_notify_notifications_user_id ON notify_notifications (user_id, organization_id, id);
--
CREATE INDEX ix_notify_bindings_organization_id ON notify_bindings (organization_id, project_key);
--
CREATE INDEX ix_notify_cards_created_at ON notify_cards (created_at);
--
CREATE INDEX ix_notify_deliveries_created_at ON notify_deliveries (created_at);
--
CREATE INDEX ix_notify_deliveries_hook_id ON notify_deliveries (hook_id, id);
--
CREATE INDEX ix_notify_platform_links_expires_at ON notify_platform_links (expires_at);
--
CREATE INDEX ix_notify_received_received_at ON notify_received (received_at);
--
CREATE INDEX ix_tasks_diffs_told_at ON tasks_diffs (told_at);
--
CREATE INDEX ix_infra_cloud_identities_organization_id ON infra_cloud_identities (organization_id, id);
--
CREATE INDEX ix_infra_states_organization_id ON infra_states (organization_id, id);
--
CREATE INDEX ix_infra_default_runners_worker_id ON infra_default_runners (worker_id);
--
CREATE INDEX ix_infra_runners_organization_id ON infra_runners (organization_id);
--
CREATE INDEX ix_infra_zones_organization_id ON infra_zones (organization_id);
--
CREATE INDEX ix_infra_specs_drift_due_at ON infra_specs (drift_due_at) WHERE drift_due_at IS NOT NULL;
--
CREATE INDEX ix_infra_specs_organization_id ON infra_specs (organization_id, id);
--
CREATE INDEX ix_infra_specs_project_name ON infra_specs (organization_id, project_name, id);
--
CREATE INDEX ix_infra_specs_status ON infra_specs (organization_id, status, id);
--
CREATE INDEX ix_infra_specs_zone_id ON infra_specs (zone_id, id);
--
CREATE UNIQUE INDEX ix_infra_jobs_ledger_id ON infra_jobs (ledger_id);
--
CREATE INDEX ix_infra_jobs_live ON infra_jobs (status, id) WHERE completed_at IS NULL;
--
CREATE INDEX ix_infra_jobs_organization_id ON infra_jobs (organization_id, id);
--
CREATE INDEX ix_infra_jobs_plan_job_id ON infra_jobs (plan_job_id);
--
CREATE INDEX ix_infra_jobs_spec_id ON infra_jobs (spec_id, job_type, id);
--
CREATE INDEX ix_infra_jobs_status ON infra_jobs (organization_id, status, id);
--
CREATE INDEX ix_infra_jobs_worker_id ON infra_jobs (worker_id, completed_at);
--
CREATE INDEX ix_infra_jobs_zone_id ON infra_jobs (zone_id, id);
--
CREATE INDEX ix_infra_plans_spec_id ON infra_plans (spec_id, id);
--
CREATE INDEX ix_infra_jobs_job_type ON infra_jobs (organization_id, job_type, id);
--
CREATE INDEX ix_infra_jobs_owner_id ON infra_jobs (organization_id, owner_id, id);
--
CREATE INDEX ix_infra_jobs_subject_worker_id ON infra_jobs (subject_worker_id, completed_at);
--
CREATE INDEX ix_broker_secrets_seen ON broker_secrets (status, last_seen_at);
--
CREATE UNIQUE INDEX uq_broker_secrets_ref ON broker_secrets (organization_id, cluster_name, provider_type, secret_ref);
--
CREATE UNIQUE INDEX uq_broker_workflows_default ON broker_workflows (organization_id) WHERE is_default;
--
CREATE INDEX ix_broker_agents_organization_id ON broker_agents (organization_id);
--
CREATE INDEX ix_broker_connections_project_id ON broker_connections (project_id);
--
CREATE UNIQUE INDEX uq_broker_connections_name ON broker_connections (organization_id, name) WHERE deleted_at IS NULL;
--
CREATE INDEX ix_broker_data_keys_worker_id ON broker_data_keys (worker_id, expires_at);
--
CREATE UNIQUE INDEX uq_broker_data_keys_digest ON broker_data_keys (digest);
--
CREATE INDEX ix_broker_policies_organization_id ON broker_policies (organization_id, priority, id);
--
CREATE INDEX ix_broker_policies_project_id ON broker_policies (project_id);
--
CREATE INDEX ix_broker_policies_workflow_id ON broker_policies (workflow_id);
--
CREATE INDEX ix_broker_projects_organization_id ON broker_projects (organization_id);
--
CREATE INDEX ix_broker_secret_labels_pair ON broker_secret_labels ("key", value, secret_id);
--
CREATE INDEX ix_broker_argocd_endpoints_environment_id ON broker_argocd_endpoints (environment_id);
--
CREATE UNIQUE INDEX uq_broker_argocd_endpoints_name ON broker_argocd_endpoints (organization_id, name) WHERE deleted_at IS NULL;
--
CREATE INDEX ix_broker_requests_expires_at ON broker_requests (expires_at) WHERE ended_at IS NULL;
--
CREATE INDEX ix_broker_requests_on_behalf ON broker_requests (on_behalf);
--
CREATE INDEX ix_broker_requests_organization_id ON broker_requests (organization_id, id);
--
CREATE INDEX ix_broker_requests_requester_id ON broker_requests (organization_id, requester_id, id);
--
CREATE INDEX ix_broker_requests_status ON broker_requests (organization_id, status, id);
--
CREATE INDEX ix_broker_requests_workflow_id ON broker_requests (workflow_id);
--
CREATE INDEX ix_broker_app_mappings_connection_id ON broker_app_mappings (connection_id);
--
CREATE INDEX ix_broker_app_mappings_endpoint_id ON broker_app_mappings (endpoint_id);
--
CREATE INDEX ix_broker_app_mappings_organization_id ON broker_app_mappings (organization_id, application_name);
--
CREATE INDEX ix_broker_app_mappings_secret_id ON broker_app_mappings (secret_id);
--
CREATE UNIQUE INDEX ix_broker_jobs_ledger_id ON broker_jobs (ledger_id);
--
CREATE INDEX ix_broker_jobs_live ON broker_jobs (status, id) WHERE completed_at IS NULL;
--
CREATE INDEX ix_broker_jobs_organization_id ON broker_jobs (organization_id, id);
--
CREATE INDEX ix_broker_jobs_request_id ON broker_jobs (request_id);
--
CREATE INDEX ix_broker_wraps_expires_at ON broker_wraps (expires_at) WHERE consumed_at IS NULL;
--
CREATE UNIQUE INDEX uq_broker_wraps_key ON broker_wraps (request_id, direction, key_name);
--
CREATE INDEX ix_broker_observations_live ON broker_observations (last_polled_at) WHERE terminal_at IS NULL;
--
CREATE INDEX ix_broker_observations_mapping_id ON broker_observations (mapping_id);
--
DELETE FROM "sqlite_sequence";