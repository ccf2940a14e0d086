"""Building images: the context, both builders, their progress and their limits."""
