"""The APIs of chat platforms, as far as a bot uses them; whatever is not in their published schemas is refused."""
