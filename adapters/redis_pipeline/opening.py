"""Storages made from settings."""

from simstore.adapters.redis_connection.client import open_client
from simstore.adapters.redis_connection.cluster import ClusterLink
from simstore.adapters.redis_connection.link import ServerLink
from simstore.adapters.redis_connection.settings import RedisSettings
from simstore.adapters.redis_pipeline.layout import BUCKETS_OF_A_CLUSTER, Layout
from simstore.adapters.redis_pipeline.storage import RedisClusterStorage, RedisStorage


def open_storage(settings: RedisSettings, *, cluster: bool) -> RedisStorage:
    """The storage of a server or a cluster."""
    if cluster:
        layout = Layout(settings.namespace, BUCKETS_OF_A_CLUSTER)
        return RedisClusterStorage(ClusterLink(settings), layout)
    link = ServerLink(settings.shown, open_client(settings))
    return RedisStorage(link, Layout(settings.namespace))
