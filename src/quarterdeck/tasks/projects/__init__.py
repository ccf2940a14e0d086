"""The part of a project that tasks need, and who belongs to it."""
