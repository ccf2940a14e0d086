"""Programs that carry secrets between the server and where they are kept."""
