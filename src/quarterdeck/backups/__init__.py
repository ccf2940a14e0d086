"""Keeping an installation elsewhere, and having it again: `taking`, `checking`, `restoring`."""
