"""Plans: what they would change, who agreed, and whether they may be applied now."""
