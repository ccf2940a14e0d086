"""Where secrets are kept, as administrators define it."""
