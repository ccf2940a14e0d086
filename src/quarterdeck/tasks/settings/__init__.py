"""How an organization wants its tasks to be run: one flat object, its defaults in `defaults`."""

from quarterdeck.tasks.settings.defaults import DEFAULTS
from quarterdeck.tasks.settings.settings import change, shown

__all__ = ["DEFAULTS", "change", "shown"]
