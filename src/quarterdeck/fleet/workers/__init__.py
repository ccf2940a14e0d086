"""Processes that dial in and take jobs.

The side of the server: `enrolment` (tokens), `registration`, `credentials`, `roster`, `draining`, `degradation`,
`standing` (what the facts come to), `hearing` and `control` (connections). The side of the machine: `client`,
`proving`, `papers`, `asking`, `measuring`, `spool`. Each is imported by its own name: what a worker runs knows no
database.
"""
