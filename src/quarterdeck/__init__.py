"""Quarterdeck: one self-hosted control plane for the machines a team owns."""

__version__ = "0.1.0"
