"""Tasks from their creation to their end: stages, gates, follow-ups, and every way from one state to another."""
