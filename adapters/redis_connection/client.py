"""redis-py's clients, without retries of their own: a write must not be applied twice."""

import socket
import ssl
from queue import Empty
from typing import Any

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from simstore.adapters.redis_connection.errors import NO_HANDSHAKE
from simstore.adapters.redis_connection.settings import RedisSettings


class WaitingPool(redis.BlockingConnectionPool):  # type: ignore[misc]  # mypy does not follow redis-py
    """Connections, of which threads wait for one; that none became free is a timeout."""

    def get_connection(self) -> redis.Connection:
        """A connection that can be written to.

        Raises:
            TimeoutError: redis-py's own; none became free in time, or it could not connect.
            ConnectionError: redis-py's own; it could not connect.
        """
        try:
            return super().get_connection()
        except exceptions.ConnectionError as error:
            if isinstance(error.__context__, Empty):
                raise exceptions.TimeoutError("no connection became free") from error
            raise


class TlsConnection(redis.SSLConnection):  # type: ignore[misc]  # mypy does not follow redis-py
    """One whose handshake has the time that connecting has: a plain server never answers it."""

    def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
        sock.settimeout(self.socket_connect_timeout)
        try:
            wrapped: ssl.SSLSocket = super()._wrap_socket_with_ssl(sock)
        except TimeoutError as error:
            raise exceptions.TimeoutError(NO_HANDSHAKE) from error
        wrapped.settimeout(self.socket_timeout)
        return wrapped


def open_client(settings: RedisSettings) -> redis.Redis:
    """A client of one server. It connects when it is first used, and answers in bytes."""
    if settings.path is not None:
        return redis.Redis.from_pool(open_pool(settings, path=settings.path))
    [(host, port)] = settings.addresses
    return redis.Redis.from_pool(open_pool(settings, host=host, port=port))


def open_pool(settings: RedisSettings, **place: str | int) -> WaitingPool:
    """Connections to the server at `place`: its host and port, or its path."""
    kind: type[redis.connection.AbstractConnection] = redis.Connection
    if "path" in place:
        kind = redis.UnixDomainSocketConnection
    elif settings.tls is not None:
        kind = TlsConnection
    return WaitingPool(
        connection_class=kind,
        max_connections=settings.pool_size,
        timeout=settings.timeout,
        db=settings.db,
        **place,
        **connection_arguments(settings),
    )


def connection_arguments(settings: RedisSettings) -> dict[str, Any]:
    """What every connection of a server or a cluster is made with, but its address."""
    arguments: dict[str, Any] = {
        "username": settings.username,
        "password": settings.password,
        "socket_timeout": settings.timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "client_name": "simstore",
    }
    if settings.path is None:
        arguments["socket_connect_timeout"] = settings.connect_timeout
        arguments["socket_keepalive"] = True
    return {**arguments, **(settings.tls or {})}
