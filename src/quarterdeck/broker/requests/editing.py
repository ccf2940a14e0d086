"""Changing a request that nobody has decided yet. What was said of it counts no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from quarterdeck.access import Access
from quarterdeck.broker.requests import asking, checking, expiring, finding
from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.asking import Wish
from quarterdeck.broker.requests.finding import REQUEST
from quarterdeck.broker.requests.happenings import audited, happened
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import PATCH, PENDING, UPDATE, wrong
from quarterdeck.broker.wraps import ending as wraps
from quarterdeck.broker.wraps import keeping
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace.model import Project


def edit(
    tx: Tx,
    access: Access,
    uid: str,
    *,
    justification: str | None = None,
    keys: tuple[str, ...] | None = None,
    values: Mapping[str, Secret[str]] | None = None,
) -> Request:
    """Change why, or what of the same secret. Where it is kept and for what never changes: that is another request.
    Raises `Forbidden` (`edit_not_yours`), `Conflict` (`request_not_pending`), `Invalid`.
    """
    request = finding.locked(tx, access, uid)
    if tx.principal.kind != "user" or request.requester_id != tx.principal.id:
        raise Forbidden("Only whoever asked for it changes it.", code="edit_not_yours", hint="Refuse it instead.")
    if request.status != PENDING:
        raise wrong(request)
    expiring.require_time(tx, request)
    access.require(tx.principal, REQUEST, finding.place(tx, request))
    wish = _wish(tx, request)
    if justification is not None:
        wish = replace(wish, justification=justification)
    if keys is not None:
        wish = replace(wish, keys=keys)
    changes = request.kind in {PATCH, UPDATE}
    if values is not None:
        wish = replace(wish, values=values)
    checked = checking.check(wish if values is not None or not changes else replace(wish, values=_PRESENT))
    found = asking.resolution(tx, checked, asking.place(tx, checked))
    checking.justified(checked, found.workflow)
    request.justification = checked.justification
    request.workflow_id, request.explanation = found.workflow.id, found.explanation
    request.revision += 1
    request.updated_at = tx.now
    request.expires_at = tx.now + timedelta(seconds=found.workflow.request_ttl_seconds)
    if values is not None:
        wraps.withdraw(tx, request)
        request.keys = sorted(checked.values)
        tx.flush()
        life = timedelta(seconds=found.workflow.wrap_ttl_created_seconds)
        for key, value in checked.values.items():
            keeping.put(tx, request, "in", key, Secret(value.reveal().encode()), life)
    elif not changes:
        request.keys = list(checked.keys)
    tx.flush()
    audited(tx, request, RequestAction.EDIT, revision=request.revision, key_count=len(request.keys))
    happened(tx, request, "edited", f"{tx.principal.label} has changed it; it has to be approved anew.")
    return request


_PRESENT = {"unchanged": Secret("unchanged")}
"""Stands for values that stay as they are: nobody can read them back to check them once more."""


def _wish(tx: Tx, request: Request) -> Wish:
    project = tx.get(Project, request.project_id) if request.project_id is not None else None
    return Wish(
        kind=request.kind,
        provider_type=request.provider_type,
        secret_ref=request.secret_ref,
        justification=request.justification,
        project_uid=project.uid if project is not None else None,
        environment=request.environment_name,
        provider_config=request.provider_config,
        keys=() if request.kind in {PATCH, UPDATE} else tuple(request.keys),
        recipient_key=request.recipient_key,
        rotation=request.rotation,
        on_behalf=request.on_behalf,
    )
