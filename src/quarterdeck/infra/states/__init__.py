"""The state that Terraform keeps with us: versions, locks, credentials."""
