"""Repositories of the git hosts that people work with."""
