"""Infrastructure: specifications, plans that somebody reads, applies of exactly these plans, and their state."""
