"""Single values on their way, sealed, good once."""
