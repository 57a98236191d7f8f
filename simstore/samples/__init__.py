"""A few records to try things on, written for simstore, in Sotopia's JSON lines format.

Six agents, four environments, five relationships, eight combinations and four episodes: three
between two agents, with all seven dimensions, and a game of three with bare scores.
"""

from pathlib import Path


def sample_path() -> Path:
    """The folder with the sample files, named as Sotopia's exporters name theirs."""
    return Path(__file__).resolve().parent
