"""What of GitOps is audited (contract: broker §7)."""

from __future__ import annotations

from quarterdeck.kernel import audit


class GitopsAction(audit.Action):
    ENDPOINT_CREATED = "argocd-endpoint.create"
    ENDPOINT_SWITCHED = "argocd-endpoint.set-enabled"
    ENDPOINT_DELETED = "argocd-endpoint.delete"
    ENDPOINT_DISCOVERED = "argocd-endpoint.discover"
    MAPPING_CREATED = "gitops-app-mapping.create"
    MAPPING_DELETED = "gitops-app-mapping.delete"
    OBSERVATION_STARTED = "request.gitops-observation-started"
    OBSERVATION_SKIPPED = "request.gitops-observation-skipped"
    OBSERVATION_ENDED = "request.gitops-observation-ended"
