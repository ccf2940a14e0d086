"""What goes on: numbers, the newest tasks, what happened last, and what has some words; each at a bounded cost."""
