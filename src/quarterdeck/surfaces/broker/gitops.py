"""ArgoCD: its servers, which application uses what, and what was seen after a change. Not there unless switched on."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.access import Access
from quarterdeck.broker.gitops import argocd, endpoints, mappings, observing, switch
from quarterdeck.broker.gitops.actions import GitopsAction
from quarterdeck.broker.gitops.argocd import Application, Server
from quarterdeck.broker.gitops.model import AppMapping, ArgocdEndpoint
from quarterdeck.broker.requests import finding
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Invalid, Problem, Unavailable
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker import gitops_shapes, shapes
from quarterdeck.surfaces.broker.callers import require_self
from quarterdeck.surfaces.broker.requests import MEMBER
from quarterdeck.surfaces.broker.wire import gitops as wire
from quarterdeck.surfaces.shared.values import given

EDIT = "broker:integration.edit"
OFF = (404, "gitops_off")
MALFORMED = ((400, "validation_error"), (400, "id_malformed"))
ENDPOINT = (*MALFORMED, OFF, (404, "argocd_endpoint_not_found"))


@route(
    "POST",
    "/api/v1/argocd-endpoints",
    permission=EDIT,
    status=201,
    errors=(*MALFORMED, OFF, (400, "base64_invalid"), (400, "address_not_allowed"), (404, "environment_not_found"),
            (409, "argocd_endpoint_name_taken")),
)  # fmt: skip
async def create(call: Call, body: wire.NewArgocdEndpoint) -> wire.ArgocdEndpoint:
    """Say where an ArgoCD is. Its token is sealed and never told again."""
    for word in ("name", "base_url", "token_b64"):
        _require(getattr(body, word), word)

    def verb(tx: Tx) -> wire.ArgocdEndpoint:
        switch.require(tx)
        named = given(body.environment_id)
        made = endpoints.create(
            tx,
            given(body.name),
            given(body.base_url),
            given(body.token_b64),
            environment_uid=shapes.uid(named, "environment_id") if named else None,
            tls_ca_pem=given(body.tls_ca_pem) or None,
            tls_server_name=given(body.tls_server_name) or None,
        )
        return gitops_shapes.endpoint(tx, made)

    return await call.write(verb)


@route("GET", "/api/v1/argocd-endpoints", permission=MEMBER, narrowed="broker", errors=(OFF,))
async def index(call: Call) -> list[wire.ArgocdEndpoint]:
    """The servers of ArgoCD, by name."""

    def verb(tx: Tx) -> list[wire.ArgocdEndpoint]:
        switch.require(tx)
        return [gitops_shapes.endpoint(tx, one) for one in endpoints.listed(tx)]

    return await call.read(verb)


@route("GET", "/api/v1/argocd-endpoints/{id}", permission=MEMBER, narrowed="broker", errors=ENDPOINT)
async def show(call: Call, id: str) -> wire.ArgocdEndpoint:  # noqa: A002
    """One of them."""
    uid = shapes.uid(id)

    def verb(tx: Tx) -> wire.ArgocdEndpoint:
        switch.require(tx)
        return gitops_shapes.endpoint(tx, endpoints.find(tx, uid))

    return await call.read(verb)


@route("PUT", "/api/v1/argocd-endpoints/{id}/enabled", permission=EDIT, status=204, errors=ENDPOINT)
async def set_enabled(call: Call, id: str, body: wire.EndpointSwitch) -> None:  # noqa: A002
    """Switch one on or off. What is off is not asked."""
    uid = shapes.uid(id)

    def verb(tx: Tx) -> None:
        switch.require(tx)
        endpoints.switch(tx, uid, enabled=body.enabled)

    await call.write(verb)


@route("DELETE", "/api/v1/argocd-endpoints/{id}", permission=EDIT, status=204, errors=ENDPOINT)
async def delete(call: Call, id: str) -> None:  # noqa: A002
    """Delete one, and its token at once."""
    uid = shapes.uid(id)

    def verb(tx: Tx) -> None:
        switch.require(tx)
        endpoints.delete(tx, uid)

    await call.write(verb)


@route(
    "GET",
    "/api/v1/argocd-endpoints/{id}/discovered-apps",
    permission=EDIT,
    errors=(*ENDPOINT, (503, "argocd_unavailable")),
)
async def discovered_apps(
    call: Call,
    id: str,  # noqa: A002
    query: wire.DiscoveredAppsQuery,
    db: Database,
) -> list[wire.DiscoveredApp]:
    """The applications that this ArgoCD has, or those of one of its projects."""
    uid, project = shapes.uid(id), given(query.project) or None

    def found(tx: Tx) -> tuple[ArgocdEndpoint, Server]:
        switch.require(tx)
        one = endpoints.find(tx, uid)
        if not one.enabled:
            raise _unavailable("The endpoint is switched off.")
        return one, observing.server(tx, one)

    endpoint, server = await call.read(found)
    said: dict[str, object] = {"project_filter": project}
    try:
        listed = await argocd.applications(server, project)
        said["app_count"] = len(listed)
    except Problem as problem:
        said["error_kind"] = problem.code
        raise _unavailable(problem.message) from None
    finally:
        await db.write(
            audit.record,
            GitopsAction.ENDPOINT_DISCOVERED,
            resource_type="argocd-endpoint",
            resource_id=endpoint.uid,
            outcome="failure" if "error_kind" in said else "success",
            detail=said,
        )
    return [_app(one) for one in listed]


@route(
    "POST",
    "/api/v1/gitops-app-mappings",
    permission=EDIT,
    status=201,
    errors=(*ENDPOINT, (400, "mapping_scope"), (404, "secret_not_found"), (404, "connection_not_found")),
)
async def create_mapping(call: Call, body: wire.NewAppMapping) -> wire.AppMapping:
    """Say which application uses what a connection keeps, or one secret."""
    for word in ("argocd_endpoint_id", "application_name"):
        _require(getattr(body, word), word)

    def verb(tx: Tx) -> wire.AppMapping:
        switch.require(tx)
        secret, connection = given(body.secret_mapping_id), given(body.provider_connection_id)
        made = mappings.create(
            tx,
            shapes.uid(given(body.argocd_endpoint_id), "argocd_endpoint_id"),
            given(body.application_name),
            secret_uid=shapes.uid(secret, "secret_mapping_id") if secret else None,
            connection_uid=shapes.uid(connection, "provider_connection_id") if connection else None,
            application_namespace=given(body.application_namespace),
            project_name=given(body.project_name),
            cluster_name=given(body.cluster_name),
        )
        return gitops_shapes.mapping(tx, made)

    return await call.write(verb)


@route("GET", "/api/v1/gitops-app-mappings", permission=MEMBER, narrowed="broker", errors=(OFF,))
async def mapping_index(call: Call) -> list[wire.AppMapping]:
    """Which application uses what, by the name of the application."""

    def verb(tx: Tx) -> list[wire.AppMapping]:
        switch.require(tx)
        return [gitops_shapes.mapping(tx, one) for one in mappings.listed(tx)]

    return await call.read(verb)


@route(
    "DELETE",
    "/api/v1/gitops-app-mappings/{id}",
    permission=EDIT,
    status=204,
    errors=(*MALFORMED, OFF, (404, "app_mapping_not_found")),
)
async def delete_mapping(call: Call, id: str) -> None:  # noqa: A002
    """Delete a mapping."""
    uid = shapes.uid(id)

    def verb(tx: Tx) -> None:
        switch.require(tx)
        mappings.delete(tx, uid)

    await call.write(verb)


@route(
    "GET",
    "/api/v1/requests/{id}/gitops",
    permission=MEMBER,
    narrowed="broker",
    errors=(*MALFORMED, OFF, (403, "identity_mismatch"), (404, "request_not_found")),
)
async def of_request(call: Call, id: str, query: wire.GitopsQuery, access: Access) -> list[wire.Observation]:  # noqa: A002
    """What was seen of the applications that use what a request has changed."""
    require_self(call, query.user_id, "user_id")
    uid = shapes.uid(id)

    def verb(tx: Tx) -> list[wire.Observation]:
        switch.require(tx)
        request = finding.find(tx, access, uid)
        rows = [(one, tx.get(AppMapping, one.mapping_id)) for one in observing.of_request(tx, request)]
        return [gitops_shapes.observation(request, one, of) for one, of in rows]

    return await call.read(verb)


def _app(one: Application) -> wire.DiscoveredApp:
    return wire.DiscoveredApp(
        name=one.name,
        namespace=one.namespace or UNSET,
        project=one.project or UNSET,
        destination_server=one.destination_server or UNSET,
        destination_cluster=one.destination_cluster or UNSET,
        destination_namespace=one.destination_namespace or UNSET,
        health_status=one.health_status or UNSET,
        sync_status=one.sync_status or UNSET,
    )


def _unavailable(message: str) -> Unavailable:
    return Unavailable(message, code="argocd_unavailable", hint="Look at the endpoint, and at ArgoCD.")


def _require(value: object, word: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"{word} is missing.", code="validation_error", hint="Send it.", field=word)
