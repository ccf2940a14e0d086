"""Coding agents at work on enrolled machines: who develops, by which settings."""
