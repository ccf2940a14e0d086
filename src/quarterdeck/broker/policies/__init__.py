"""Which request takes which workflow."""
