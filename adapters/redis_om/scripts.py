"""The scripts of this backend, each after what several of them share."""

from simstore.adapters.redis_connection.scripts import load_script

COMMIT = load_script(__package__, "common", "commit")
INDEX = load_script(__package__, "common", "index")
ORPHAN = load_script(__package__, "common", "orphan")
