"""The worker's side of an agent task: the job `task.run` (ADR 0037)."""
