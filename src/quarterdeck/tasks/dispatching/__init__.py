"""Choosing a machine for each task that waits (contract: tasks §4.4)."""
