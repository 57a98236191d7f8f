"""Scripts that the server runs: Lua files beside the code that calls them.

Values reach them as arguments alone, and are never made into code.
"""

import hashlib
from importlib.resources import files
from typing import NamedTuple


class Script(NamedTuple):
    """A script and the SHA-1 under which the server knows it."""

    source: bytes
    sha: str


def load_script(package: str, *names: str) -> Script:
    """The script that the files of these names in the folder ``scripts`` of a package make."""
    folder = files(package) / "scripts"
    source = b"\n".join((folder / f"{name}.lua").read_bytes() for name in names)
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest())
