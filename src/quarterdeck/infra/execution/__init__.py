"""The worker's side of infrastructure: Terraform run for one order, in a directory of its own, with no database."""
