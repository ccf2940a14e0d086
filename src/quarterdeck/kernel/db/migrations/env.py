"""Alembic's entry point; `kernel.db.migrate` configures and runs it."""
