"""Carrying a deployment out on a host: no database, only a work order and reports."""
