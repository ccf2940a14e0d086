"""Infrastructure through the whole program: a server, its runners, the real Terraform."""
