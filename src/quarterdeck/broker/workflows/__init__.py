"""What approval a request needs."""
