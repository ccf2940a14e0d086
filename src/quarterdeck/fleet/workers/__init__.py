"""Processes that dial in and take jobs."""

from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.fleet.workers.enrolment import authenticate, enrol, request_drain, revoke
from quarterdeck.fleet.workers.model import Worker

__all__ = ["Worker", "WorkerControl", "authenticate", "enrol", "request_drain", "revoke"]
