"""The installation that operators look after."""

from backups.house import house

__all__ = ["house"]
