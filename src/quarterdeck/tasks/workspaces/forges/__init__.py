"""Merge requests at the places where repositories live: GitHub, GitLab, Gitea and what speaks like them."""
