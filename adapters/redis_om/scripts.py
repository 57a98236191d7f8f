"""The scripts that the server runs: Lua files. Values reach them as arguments alone."""

import hashlib
from importlib.resources import files

from simstore.adapters.redis_pipeline.scripts import Script


def _script(name: str) -> Script:
    source = (files(__package__) / "scripts" / f"{name}.lua").read_bytes()
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest())


COMMIT = _script("commit")
INDEX = _script("index")
ORPHAN = _script("orphan")
