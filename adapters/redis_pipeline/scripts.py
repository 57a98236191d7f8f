"""The scripts that the server runs: Lua files, each after what all of them share."""

import hashlib
from importlib.resources import files
from typing import NamedTuple


class Script(NamedTuple):
    """A script and the SHA-1 under which the server knows it."""

    source: bytes
    sha: str


def _script(name: str) -> Script:
    folder = files(__package__) / "scripts"
    source = b"\n".join((folder / f"{part}.lua").read_bytes() for part in ("common", name))
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest())


WRITE = _script("write")
SEARCH = _script("search")
ADOPT = _script("adopt")
INDEX = _script("index")
LIVING = _script("living")
CHECK = _script("check")
ORPHANS = _script("orphans")
