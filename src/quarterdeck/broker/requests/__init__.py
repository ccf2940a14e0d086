"""Requests for secrets, from asking to their end."""
