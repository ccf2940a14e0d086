"""Operator work: the ledger as a person looks at it and acts on it."""
