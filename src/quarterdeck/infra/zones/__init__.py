"""Zones: projects that hold specifications."""
