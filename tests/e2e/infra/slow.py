"""A module of three resources, the second of which takes as long as its command."""

SLOW = """
resource "terraform_data" "first" {
  input = "made"
}

resource "terraform_data" "slow" {
  input = terraform_data.first.output
  provisioner "local-exec" {
    command = "%(command)s"
  }
}

resource "terraform_data" "last" {
  input = terraform_data.slow.output
}
"""
WAITS = "touch %(place)s/begun; while [ ! -e %(place)s/go ]; do sleep 0.05; done"
"""A command that says that it has begun, and ends when it is let."""
