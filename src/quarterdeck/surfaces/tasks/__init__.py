"""The tasks API: routes in one file for each room, their shapes in `wire`."""
