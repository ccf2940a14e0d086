"""Saved plans, as files or in an object store."""
