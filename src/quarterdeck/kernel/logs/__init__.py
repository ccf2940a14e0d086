"""The append-only line store with followers."""

from quarterdeck.kernel.logs.line import Batch, Gap, Line
from quarterdeck.kernel.logs.logs import Logs
from quarterdeck.kernel.logs.model import log_lines, log_streams
from quarterdeck.kernel.logs.store import Pruned, State

__all__ = ["Batch", "Gap", "Line", "Logs", "Pruned", "State", "log_lines", "log_streams"]
