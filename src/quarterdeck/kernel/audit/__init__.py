"""The audit trail: append-only events, sealed into a chain for each organization."""

from quarterdeck.kernel.audit.action import Action, Actions
from quarterdeck.kernel.audit.archives import archive
from quarterdeck.kernel.audit.browse import Look, Page, cursor_of, find, look, page, position, show, stream, total
from quarterdeck.kernel.audit.filter import Filter
from quarterdeck.kernel.audit.holds import hold, release
from quarterdeck.kernel.audit.model import AuditEvent, Outcome
from quarterdeck.kernel.audit.prune import Pruning, Scope, Survey, prune, prune_all, step, survey
from quarterdeck.kernel.audit.record import record, record_refusal
from quarterdeck.kernel.audit.seal import seal
from quarterdeck.kernel.audit.sealer import Sealer
from quarterdeck.kernel.audit.tallies import Facets, facets
from quarterdeck.kernel.audit.verify import Finding, Head, Report, Tail, verify, verify_chain

__all__ = [
    "Action",
    "Actions",
    "AuditEvent",
    "Facets",
    "Filter",
    "Finding",
    "Head",
    "Look",
    "Outcome",
    "Page",
    "Pruning",
    "Report",
    "Scope",
    "Sealer",
    "Survey",
    "Tail",
    "archive",
    "cursor_of",
    "facets",
    "find",
    "hold",
    "look",
    "page",
    "position",
    "prune",
    "prune_all",
    "record",
    "record_refusal",
    "release",
    "seal",
    "show",
    "step",
    "stream",
    "survey",
    "total",
    "verify",
    "verify_chain",
]
