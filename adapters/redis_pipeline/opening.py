"""Storages and messages, made from settings."""

from simstore.adapters.redis_connection.client import open_client
from simstore.adapters.redis_connection.cluster import ClusterLink
from simstore.adapters.redis_connection.link import ServerLink
from simstore.adapters.redis_connection.settings import RedisSettings
from simstore.adapters.redis_pipeline.layout import BUCKETS_OF_A_CLUSTER, Layout
from simstore.adapters.redis_pipeline.storage import RedisClusterStorage, RedisStorage
from simstore.adapters.redis_streams.log import StreamLog


def open_parts(settings: RedisSettings, *, cluster: bool) -> tuple[RedisStorage, StreamLog]:
    """The storage and the messages of a server or a cluster, over the same connections."""
    if cluster:
        nodes = ClusterLink(settings)
        layout = Layout(settings.namespace, BUCKETS_OF_A_CLUSTER)
        return RedisClusterStorage(nodes, layout), StreamLog(nodes, settings.namespace)
    link = ServerLink(settings.shown, open_client(settings))
    storage = RedisStorage(link, Layout(settings.namespace))
    return storage, StreamLog(link, settings.namespace)
