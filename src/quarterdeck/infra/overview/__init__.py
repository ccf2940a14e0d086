"""What stands out across all of infrastructure."""
