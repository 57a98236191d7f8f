"""What the exit code of a command says; 0 is that it was done."""

PROBLEM = 1
"""The command found something wrong: with records, files, or what was compared."""

USAGE = 2
"""The command was called wrongly, or the store or a file cannot be used."""

STOPPED = 130
"""Somebody pressed Ctrl-C; what shells say of a program that an interrupt ended."""
