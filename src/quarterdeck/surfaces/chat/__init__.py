"""Slack and Lark: what they send is proved, read once, and answered by a job; commands are one grammar for both."""
