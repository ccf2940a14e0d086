"""Compose stacks as values: read, checked, ordered and compared, before anything is sent to a machine."""
