"""What a runner does with a job. Nothing here knows the database."""
