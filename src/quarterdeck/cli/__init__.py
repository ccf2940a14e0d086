"""The `quarterdeck` command, `qd` for short."""
