"""The program that keeps one host process: stands on the standard library alone, so that it starts in milliseconds
and can be copied to a host that has nothing but Python.
"""
