"""Infrastructure: specifications, plans that somebody reads, applies of exactly those plans, state, and runners."""
