"""Terminals of subjects (`task:42`): one writes, many watch; replay, recording, channel tokens (docs: terminals).

Import the modules by name: a worker needs `dialling` and `uplink` alone, and no database.
"""
