"""Brokered secrets: asked for, agreed to, delivered once."""
