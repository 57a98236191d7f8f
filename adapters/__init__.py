"""Backends: each keeps the records of the domain somewhere else, with the same answers."""
