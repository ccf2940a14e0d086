"""Fetching by the git program: commands as values, then their running."""
