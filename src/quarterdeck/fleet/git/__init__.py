"""Git as every room runs it: addresses, the environment of a command, hosts that were met, and how one is started."""
