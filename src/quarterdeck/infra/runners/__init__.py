"""Runners: workers that carry out infrastructure jobs, and their releases."""
