"""Looking at what runs: its state, its health, its log."""
