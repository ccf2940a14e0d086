"""Projects, environments, variables and their precedence."""
