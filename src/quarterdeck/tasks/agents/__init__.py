"""Agent programs as data: what each of them is started with, and how it says what it does (docs/reference/agents.md)."""
