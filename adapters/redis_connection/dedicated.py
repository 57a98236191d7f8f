"""Connections outside of the pools: one that waits long for an answer keeps no pool from its own.

They are made with a pool's arguments, but speak RESP2, answer in bytes and repeat nothing.
"""

from collections.abc import Mapping
from typing import Any

import redis
from redis import asyncio as redis_asyncio
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from simstore.adapters.redis_connection.client import TlsConnection
from simstore.domain.errors import UnsupportedError

_DROPPED = (
    # Of redis-py's own retries and notices, which are for the pool.
    "event_dispatcher",
    "himport_registry",
    "maint_notifications_config",
    "maint_notifications_pool_handler",
    "maintenance_notification_hash",
    "maintenance_state",
    "orig_host_address",
    "orig_socket_connect_timeout",
    "orig_socket_timeout",
    "oss_cluster_maint_notifications_handler",
    "retry_on_error",
    "retry_on_timeout",
)

_FOR_ASYNCIO = (
    "client_name",
    "credential_provider",
    "db",
    "driver_info",
    "host",
    "lib_name",
    "lib_version",
    "password",
    "path",
    "port",
    "socket_connect_timeout",
    "socket_keepalive",
    "socket_keepalive_options",
    "socket_read_size",
    "socket_type",
    "ssl_ca_certs",
    "ssl_ca_data",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_ciphers",
    "ssl_exclude_verify_flags",
    "ssl_include_verify_flags",
    "ssl_keyfile",
    "ssl_min_version",
    "ssl_password",
    "username",
)
"""What means the same to redis-py's connections of either kind."""

_KINDS: Mapping[type, type[AbstractConnection]] = {
    redis.Connection: redis_asyncio.Connection,
    redis.SSLConnection: redis_asyncio.SSLConnection,
    TlsConnection: redis_asyncio.SSLConnection,
    redis.UnixDomainSocketConnection: redis_asyncio.UnixDomainSocketConnection,
}
"""For a connection of threads, that of asyncio."""


def is_plain(pool: redis.ConnectionPool) -> bool:
    """Whether a connection of `pool` is of redis-py's own kinds, and not of fakeredis's, say."""
    return pool.connection_class in _KINDS


def connect_alone(pool: redis.ConnectionPool, timeout: float) -> redis.Connection:
    """A connection as those of `pool`, which waits `timeout` seconds for an answer.

    Raises:
        RedisError: redis-py's own; it cannot be made.
    """
    arguments = _without_retries(pool.connection_kwargs)
    retry = Retry(NoBackoff(), 0)
    connection = pool.connection_class(**arguments, socket_timeout=timeout, retry=retry)
    try:
        connection.connect()
    except BaseException:
        connection.disconnect()
        raise
    return connection


def asyncio_connection(
    pool: redis.ConnectionPool | redis_asyncio.ConnectionPool, timeout: float
) -> AbstractConnection:
    """A connection as those of `pool`, for the event loop that runs; it is not connected yet.

    Raises:
        UnsupportedError: it is of a kind of which there is none for asyncio.
    """
    arguments = _without_retries(pool.connection_kwargs)
    kind: type[Any] = pool.connection_class
    if not issubclass(kind, AbstractConnection):
        if kind not in _KINDS or arguments.get("redis_connect_func") is not None:
            raise UnsupportedError(
                "the store's client has connections of its own kind, which are not for asyncio; "
                "give store_on() a client of redis.asyncio as well: async_client="
            )
        kind = _KINDS[kind]
        lost = [
            name
            for name, value in arguments.items()
            if name.startswith("ssl_") and value and name not in _FOR_ASYNCIO
        ]
        if lost:  # to go on without a check that was asked for would be worse
            raise UnsupportedError(
                f"redis-py's connections for asyncio have no {', '.join(lost)}; "
                "give store_on() a client of redis.asyncio as well: async_client="
            )
        arguments = {
            name: value
            for name, value in arguments.items()
            if name in _FOR_ASYNCIO or name in _OURS
        }
        if arguments.get("ssl_certfile") is not None:
            # An older redis-py shows no certificate whose key is in the same file, if not told so.
            arguments["ssl_keyfile"] = arguments.get("ssl_keyfile") or arguments["ssl_certfile"]
    retry = AsyncRetry(NoBackoff(), 0)
    connection: AbstractConnection = kind(**arguments, socket_timeout=timeout, retry=retry)
    return connection


_OURS = {"protocol": 2, "decode_responses": False, "health_check_interval": 0}


def _without_retries(arguments: Mapping[str, Any]) -> dict[str, Any]:
    others = (*_DROPPED, "retry", "socket_timeout")
    return {name: value for name, value in arguments.items() if name not in others} | _OURS
