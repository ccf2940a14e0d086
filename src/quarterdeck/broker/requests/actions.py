"""What of requests is audited, in the words of the documented trail (contract: broker §7)."""

from __future__ import annotations

from quarterdeck.kernel import audit


class RequestAction(audit.Action):
    SUBMIT = "request.submit"
    EDIT = "request.edit"
    APPROVE = "request.approve"
    REJECT = "request.reject"
    CANCEL = "request.cancel"
    TRANSITION = "request.transition"
    EXPIRE = "request.expire"
    GRANT = "request.grant"
    BREAK_GLASS = "request.break-glass"
    REVIEW = "request.review"
