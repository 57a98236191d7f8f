"""``redis://host``: records on a Redis or Valkey server, without modules; many at a time.

``rediss://`` speaks TLS, ``unix:///path`` goes through a socket, and ``redis+cluster://`` is
for a Redis Cluster. Redis 6.2 is the oldest that will do. Options:

- ``namespace``: keeps records apart from those of other namespaces in the database;
- ``timeout``: seconds to wait for an answer or a free connection (30);
- ``connect_timeout``: seconds to wait for a connection to be made (10);
- ``pool_size``: how many connections there are at most (32);
- ``db``: the number of the database, as in ``redis://host/2``; not on a cluster;
- with TLS, as in redis-py: ``ssl_ca_certs``, ``ssl_certfile``, ``ssl_keyfile``,
  ``ssl_cert_reqs`` (``required`` or ``none``) and ``ssl_check_hostname`` (``true`` or ``false``).
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from simstore.adapters.base_store import StorageStore
from simstore.adapters.redis_connection.settings import RedisSettings
from simstore.adapters.url import StoreURL
from simstore.domain.errors import MissingDependencyError

if TYPE_CHECKING:
    import redis.asyncio


def store_on(
    client: "redis.Redis",
    *,
    namespace: str = "",
    async_client: "redis.asyncio.Redis | None" = None,
) -> StorageStore:
    """A store on redis-py's `client`, which the caller made, and closes.

    It is for what no URL can say, and for ``fakeredis.FakeRedis()`` in unit tests, which needs
    no server. The client's own retries are not used.

    Those who wait for messages make connections of their own, by the arguments of the client's.
    Where those are of a class that is not redis-py's, as fakeredis's, asyncio needs an
    `async_client` for the same database, such as ``fakeredis.FakeAsyncRedis(server=…)``. It is
    only asked how it connects.
    """
    from simstore.adapters.redis_connection.link import ServerLink  # noqa: PLC0415 — as below
    from simstore.adapters.redis_pipeline.layout import Layout  # noqa: PLC0415 — as below
    from simstore.adapters.redis_pipeline.storage import RedisStorage  # noqa: PLC0415 — as below
    from simstore.adapters.redis_streams.log import StreamLog  # noqa: PLC0415 — as below

    url = "redis://(a client of your own)"
    link = ServerLink(url, client, owned=False)
    pool = None if async_client is None else async_client.connection_pool
    messages = StreamLog(link, namespace, pool)
    return StorageStore(url, RedisStorage(link, Layout(namespace)), messages)


def open_store(url: StoreURL) -> StorageStore:
    """The store of a Redis URL; it connects when it is first used."""
    cluster = url.scheme.endswith("+cluster")
    settings = RedisSettings.parse(url, cluster=cluster)
    if find_spec("redis") is None:
        raise MissingDependencyError(f"{url.scheme}://", "redis")
    from simstore.adapters.redis_pipeline.opening import open_parts  # noqa: PLC0415 — redis-py may be absent

    return StorageStore(url.shown, *open_parts(settings, cluster=cluster))
