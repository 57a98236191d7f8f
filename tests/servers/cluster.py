"""A cluster of Valkey servers on loopback."""

import itertools
import time
from pathlib import Path
from typing import Any, Self

from simstore.server.ports import free_port
from simstore.server.settings import Settings
from tests.servers.redis_server import RedisServer

SLOTS = 16_384
READY_SECONDS = 60.0


class RedisCluster:
    """As many primaries as `nodes`, each with so many `replicas`, in folders under `folder`.

    The slots are shared out evenly. `servers` has the primaries first, then the replicas in the
    same order. It is ready once every node knows all slots and, if there are replicas, who they
    are.
    """

    def __init__(
        self,
        binary: Path,
        folder: Path,
        *,
        nodes: int = 3,
        replicas: int = 0,
        config: Settings | None = None,
    ) -> None:
        self.nodes = nodes
        self.replicas = replicas
        settings = {
            "cluster-enabled": "yes",
            # Short, nodes learn soon of a failure; long, a slow machine is no failure.
            "cluster-node-timeout": "2000" if replicas else "15000",
            **(config or {}),
        }
        self.servers = [
            _node(binary, folder / f"node{number}", settings)
            for number in range(nodes * (1 + replicas))
        ]

    @property
    def primaries(self) -> list[RedisServer]:
        """The servers that began as primaries; after a failover others may be."""
        return self.servers[: self.nodes]

    @property
    def url(self) -> str:
        """The URL of one node, which knows the others."""
        return self.servers[0].url

    @property
    def cluster_url(self) -> str:
        """The URL for simstore: ``redis+cluster://…``."""
        return self.servers[0].url_for(scheme="redis+cluster")

    def client(self, of: int = 0, **options: Any) -> Any:
        """A client of redis-py, which asks ``servers[of]`` for the others; the caller closes it."""
        import redis  # noqa: PLC0415 — conftest imports this file for tests without a server, too

        server = self.servers[of]
        return redis.RedisCluster(host=server.host, port=server.port, **options)

    def start(self) -> Self:
        try:
            for server in self.servers:
                server.start()
            self._join()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for server in self.servers:
            server.kill()  # nothing is kept, and a primary would wait for its replicas

    def wait_until_ready(self) -> None:
        """Wait until every node that runs finds the cluster whole, and made of those that run.

        After a primary is killed, that is when its replica has taken its place.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not all(map(self._is_ready, self.servers)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the cluster is not whole:\n{self.servers[0].log}")
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _join(self) -> None:
        first = self.servers[0]
        for server in self.servers[1:]:
            _call(first, "CLUSTER", "MEET", server.host, str(server.port), _bus_port(server))
        bounds = [SLOTS * number // self.nodes for number in range(self.nodes + 1)]
        for server, (start, end) in zip(self.primaries, itertools.pairwise(bounds), strict=True):
            _call(server, "CLUSTER", "ADDSLOTSRANGE", str(start), str(end - 1))
        self._replicate()
        self.wait_until_ready()

    def _replicate(self) -> None:
        import redis  # noqa: PLC0415 — as above

        deadline = time.monotonic() + READY_SECONDS
        for number, server in enumerate(self.servers[self.nodes :]):
            primary = _call(self.primaries[number % self.nodes], "CLUSTER", "MYID").decode()
            while True:
                try:
                    _call(server, "CLUSTER", "REPLICATE", primary)
                    break
                except redis.ResponseError as error:
                    # It has not heard of its primary yet.
                    if "Unknown node" not in str(error) or time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)

    def _is_ready(self, server: RedisServer) -> bool:
        if not server.running:
            return True
        if b"cluster_state:ok\r\n" not in _call(server, "CLUSTER", "INFO"):
            return False
        ranges = _call(server, "CLUSTER", "SLOTS")
        covered = sum(end - start + 1 for start, end, *_ in ranges)
        listed = {port for _, _, *places in ranges for _, port, *_ in places}
        return covered == SLOTS and listed == {each.port for each in self.servers if each.running}


def _node(binary: Path, folder: Path, settings: Settings) -> RedisServer:
    folder.mkdir()
    bus = str(free_port())  # else the port + 10,000, of which nobody knows that it is free
    return RedisServer(binary, {**settings, "cluster-port": bus}, folder)


def _bus_port(server: RedisServer) -> str:
    return str(server.process.settings["cluster-port"])


def _call(server: RedisServer, *words: str) -> Any:
    with server.client(socket_timeout=10) as client:
        return client.execute_command(*words)
