"""The scripts of this backend, each after what all of them share."""

from simstore.adapters.redis_connection.scripts import Script, load_script


def _script(name: str) -> Script:
    return load_script(__package__, "common", name)


APPEND = _script("append")
LAST = _script("last")
JOIN = _script("join")
TAKE = _script("take")
ACKNOWLEDGE = _script("acknowledge")
DELETE = _script("delete")
