"""The scripts of this backend."""

from simstore.adapters.redis_connection.scripts import load_script

COMMIT = load_script(__package__, "commit")
INDEX = load_script(__package__, "index")
ORPHAN = load_script(__package__, "orphan")
