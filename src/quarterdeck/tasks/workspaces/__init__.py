"""Worktrees of tasks on their workers, and what is delivered from them."""
