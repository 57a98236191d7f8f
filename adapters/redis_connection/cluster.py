"""The way to a Redis Cluster: each call goes to the node that has its slot."""

import os
import time
from collections.abc import Sequence
from threading import Lock
from typing import Any

import redis
from redis import exceptions
from redis.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot

from simstore.adapters.redis_connection.client import WaitingPool, connection_arguments, open_pool
from simstore.adapters.redis_connection.errors import translated
from simstore.adapters.redis_connection.link import (
    HUNG_UP,
    Call,
    Link,
    NotConnectedError,
    receive,
    send,
)
from simstore.adapters.redis_connection.settings import RedisSettings

REFUSALS = (
    exceptions.MovedError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    exceptions.ReadOnlyError,
    exceptions.BusyLoadingError,
    NotConnectedError,
)
"""A node is not the one to ask, or not yet, or not there: it did nothing."""

SHORTEST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds between attempts while the cluster is out of order, as in a failover."""


class ClusterLink(Link):
    """The way to a cluster. It is looked up when it is first used, and when a node says so.

    redis-py's RedisCluster tells which node has a slot, and nothing else. The connections are
    the link's own, so that looking the cluster up anew disturbs no call that is under way.
    """

    is_cluster = True

    def __init__(self, settings: RedisSettings) -> None:
        super().__init__(settings.shown, settings.timeout)
        self._settings = settings
        self._addresses = settings.addresses
        self._lock = Lock()
        self._cluster: RedisCluster | None = None
        self._was_whole = False
        self._pools: dict[str, WaitingPool] = {}
        self._process = os.getpid()
        self._inherited: RedisCluster | None = None

    def _exchange(self, calls: Sequence[Call]) -> list[Any]:
        replies: list[Any] = [None] * len(calls)
        waiting = list(range(len(calls)))
        pause = SHORTEST_PAUSE
        until = time.monotonic() + self._settings.timeout
        while True:
            self._exchange_some(calls, waiting, replies)
            lost = (exceptions.ConnectionError, exceptions.TimeoutError, *REFUSALS)
            if any(isinstance(replies[i], lost) for i in waiting):
                self.look_up_anew()
            waiting = [i for i in waiting if isinstance(replies[i], REFUSALS)]
            if not waiting or time.monotonic() + pause > until:
                return replies
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _exchange_some(
        self, calls: Sequence[Call], positions: Sequence[int], replies: list[Any]
    ) -> None:
        """Send some of `calls` to their nodes, all before the first reply is awaited.

        Where a node fails, its error is the reply: what the others did is known all the same.
        """
        sent: list[tuple[WaitingPool, redis.Connection, list[int]]] = []
        try:
            for node, some in self._by_node(calls, positions, replies):
                pool = self._pool(node)
                try:
                    sent.append((pool, send(pool, [calls[i] for i in some]), some))
                except exceptions.RedisError as error:
                    _answer_all(replies, some, error)
            while sent:
                pool, connection, some = sent.pop(0)  # which receive gives back
                try:
                    answers = receive(pool, connection, [calls[i] for i in some])
                except exceptions.RedisError as error:
                    _answer_all(replies, some, error)
                else:
                    for position, answer in zip(some, answers, strict=True):
                        replies[position] = answer
        finally:
            for pool, connection, _ in sent:  # after an interrupt: nobody reads their replies
                connection.disconnect()
                pool.release(connection)

    def _by_node(
        self, calls: Sequence[Call], positions: Sequence[int], replies: list[Any]
    ) -> list[tuple[ClusterNode, list[int]]]:
        """The nodes that have the slots of `calls`; where none has, that is the reply."""
        try:
            cluster = self._topology()
        except HUNG_UP:
            raise
        except exceptions.ConnectionError as error:
            if not self._was_whole:
                raise  # there is no cluster to wait for
            # One node told of the others, and one of those is down. It may soon be replaced.
            _answer_all(replies, positions, NotConnectedError(str(error)))
            return []
        by_node: dict[str, tuple[ClusterNode, list[int]]] = {}
        for position in positions:
            try:
                node = cluster.get_node_from_key(calls[position].keys[0])
            except exceptions.SlotNotCoveredError as error:
                replies[position] = exceptions.ClusterDownError(str(error))
            else:
                by_node.setdefault(node.name, (node, []))[1].append(position)
        return list(by_node.values())

    def _topology(self) -> RedisCluster:
        self._notice_fork()
        with self._lock:
            if self._cluster is None:
                self._cluster = RedisCluster(
                    startup_nodes=[ClusterNode(*each) for each in self._addresses],
                    **connection_arguments(self._settings),
                    **({} if self._settings.tls is None else {"ssl": True}),
                )
                self._meet(self._cluster.get_nodes())
                self._was_whole = True
            return self._cluster

    def _meet(self, nodes: Sequence[ClusterNode]) -> None:
        # Any of them can tell of the others, should those of the URL be gone.
        known = ((str(node.host), int(node.port)) for node in nodes)
        self._addresses = tuple(dict.fromkeys((*self._settings.addresses, *known)))
        for name in self._pools.keys() - {node.name for node in nodes}:
            self._pools.pop(name).disconnect(inuse_connections=False)

    def _pool(self, node: ClusterNode) -> WaitingPool:
        with self._lock:
            if node.name not in self._pools:
                self._pools[node.name] = open_pool(self._settings, host=node.host, port=node.port)
            return self._pools[node.name]

    def _notice_fork(self) -> None:
        """In a child, leave alone what a thread of the parent may have been at; pools can fork."""
        if self._process != os.getpid():
            self._inherited = self._cluster  # not thrown away: it would wait for its own locks
            self._cluster = None
            self._lock = Lock()
            self._process = os.getpid()

    def pool_of(self, key: str) -> redis.ConnectionPool:
        return self._pool(self._topology().get_node_from_key(key))

    def look_up_anew(self) -> None:
        """Look the cluster up anew before the next call."""
        self._notice_fork()
        with self._lock:
            cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close()

    def one_slot(self, keys: Sequence[str]) -> bool:
        return len({key_slot(key.encode()) for key in keys}) <= 1

    def clients(self) -> list[redis.Redis]:
        with translated(self.shown):
            primaries = self._topology().get_primaries()
        return [redis.Redis(connection_pool=self._pool(node)) for node in primaries]

    def close(self) -> None:
        self.look_up_anew()
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.disconnect(inuse_connections=False)


def _answer_all(replies: list[Any], positions: Sequence[int], reply: Any) -> None:
    for position in positions:
        replies[position] = reply
