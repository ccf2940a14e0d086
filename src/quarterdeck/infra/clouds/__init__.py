"""Cloud identities: what a runner takes on for a job, never a long-lived key."""
