"""Shapes of the tasks API."""
