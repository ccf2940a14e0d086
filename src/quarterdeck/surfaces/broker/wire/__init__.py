"""Shapes of the broker API."""
