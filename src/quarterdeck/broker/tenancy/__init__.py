"""Projects and environments as the broker tells them."""
