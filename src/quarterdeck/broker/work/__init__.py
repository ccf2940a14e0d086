"""Jobs of agents, carried by the ledger."""
