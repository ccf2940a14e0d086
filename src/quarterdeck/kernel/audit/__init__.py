"""The audit trail: append-only events, sealed into a chain for each organization."""

from quarterdeck.kernel.audit.action import Action, Actions
from quarterdeck.kernel.audit.model import AuditEvent, Outcome
from quarterdeck.kernel.audit.record import record, record_refusal
from quarterdeck.kernel.audit.seal import seal

__all__ = ["Action", "Actions", "AuditEvent", "Outcome", "record", "record_refusal", "seal"]
