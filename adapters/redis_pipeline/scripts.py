"""The scripts of this backend, each after what all of them share."""

from simstore.adapters.redis_connection.scripts import Script, load_script


def _script(name: str) -> Script:
    return load_script(__package__, "common", name)


WRITE = _script("write")
SEARCH = _script("search")
ADOPT = _script("adopt")
INDEX = _script("index")
LIVING = _script("living")
CHECK = _script("check")
ORPHANS = _script("orphans")
