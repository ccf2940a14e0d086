"""Lists and counts find their rows by an index, and count without looking into wide rows."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import event

from quarterdeck.deploy.deployments import deployments
from quarterdeck.deploy.resources import resources
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.principal import Context, Principal, current
from quarterdeck.workspace import environments, projects
from support.databases import fresh_database

SOMEBODY = Principal("user", 1, "u", "somebody", organization_id=1)


@pytest.fixture
def plan(tmp_path):
    """How SQLite answers the statements of a verb."""
    with fresh_database("sqlite", tmp_path, None) as address:
        database = open_database(address)

        def explain(verb):
            said = []

            def note(connection, cursor, statement, parameters, context, many):
                said.append((statement, parameters))

            def run(tx):
                event.listen(tx.connection, "before_cursor_execute", note)
                try:
                    verb(tx)
                finally:
                    event.remove(tx.connection, "before_cursor_execute", note)
                rows = [row[3] for one in said for row in tx.raw.execute("EXPLAIN QUERY PLAN " + one[0], one[1])]
                return " | ".join(rows)

            token = current.set(Context(principal=SOMEBODY))
            try:
                return database.read_sync(run)
            finally:
                current.reset(token)

        yield explain
        database.close_sync()


@pytest.mark.parametrize(
    ("verb", "index"),
    [
        (deployments.count, "COVERING INDEX ix_deploy_deployments_organization_id"),
        (partial(deployments.count, project_ref="prj_x"), "COVERING INDEX ix_deploy_deployments_project_id"),
        (partial(deployments.count, resource_ref="res_x"), "COVERING INDEX ix_deploy_deployments_resource_id"),
        (resources.count, "COVERING INDEX ix_deploy_resources_organization_id"),
        (projects.count, "COVERING INDEX"),
        (environments.count, "COVERING INDEX"),
    ],
)
def test_a_count_is_answered_by_an_index_alone(plan, verb, index):
    assert index in plan(verb)


@pytest.mark.parametrize(
    ("verb", "index"),
    [
        (deployments.newest, "ix_deploy_deployments_organization_id"),
        (partial(deployments.newest, project_ref="prj_x"), "ix_deploy_deployments_project_id"),
        (partial(deployments.newest, project_ref="prj_x", archived=True), "ix_deploy_deployments_project_id"),
        (partial(deployments.newest, resource_ref="res_x"), "ix_deploy_deployments_resource_id"),
        (resources.newest, "ix_deploy_resources_organization_id"),
        (projects.newest, "ix_workspace_projects_organization_id"),
        (environments.newest, "ix_workspace_environments_organization_id"),
    ],
)
def test_the_newest_are_found_without_sorting_the_others(plan, verb, index):
    said = plan(lambda tx: verb(tx, 50))
    assert index in said
    assert "TEMP B-TREE" not in said
