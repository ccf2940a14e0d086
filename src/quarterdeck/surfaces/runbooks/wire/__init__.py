"""Shapes of the runbooks API."""
