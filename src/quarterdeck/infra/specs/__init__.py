"""Specifications, their versions, and the snapshots that runners work from."""
