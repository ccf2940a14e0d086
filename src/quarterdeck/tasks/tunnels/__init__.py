"""Ways from an editor into the worktree of a task, carried by its worker."""
