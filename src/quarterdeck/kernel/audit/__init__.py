"""The audit trail: append-only events, sealed into a chain for each organization."""

from quarterdeck.kernel.audit.action import Action, Actions
from quarterdeck.kernel.audit.browse import Page, page, show
from quarterdeck.kernel.audit.model import AuditEvent, Outcome
from quarterdeck.kernel.audit.prune import Pruning, archive, hold, prune, release
from quarterdeck.kernel.audit.record import record, record_refusal
from quarterdeck.kernel.audit.seal import seal
from quarterdeck.kernel.audit.sealer import Sealer
from quarterdeck.kernel.audit.verify import Finding, Head, Report, Tail, verify

__all__ = [
    "Action",
    "Actions",
    "AuditEvent",
    "Finding",
    "Head",
    "Outcome",
    "Page",
    "Pruning",
    "Report",
    "Sealer",
    "Tail",
    "archive",
    "hold",
    "page",
    "prune",
    "record",
    "record_refusal",
    "release",
    "seal",
    "show",
    "verify",
]
