"""Secrets that Quarterdeck itself keeps: the secret variables of environments."""
