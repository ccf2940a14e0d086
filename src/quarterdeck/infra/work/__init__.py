"""Infrastructure jobs: made, claimed, reported, cancelled; each is carried by a job of the ledger."""
