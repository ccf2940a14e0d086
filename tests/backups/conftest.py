"""The installation that tests back up."""

from backups.house import house

__all__ = ["house"]
