"""What secrets there are, without their values."""
