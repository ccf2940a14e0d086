"""Where secrets are kept, one module for each kind."""
