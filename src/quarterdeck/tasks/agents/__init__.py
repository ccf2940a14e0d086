"""Agent programs as data: how each is started, and how it says what it does (docs/reference/agents.md)."""
