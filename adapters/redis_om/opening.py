"""Storages and messages, made from settings."""

from simstore.adapters.redis_connection.client import open_client
from simstore.adapters.redis_connection.link import ServerLink
from simstore.adapters.redis_connection.settings import RedisSettings
from simstore.adapters.redis_om.storage import OwnStorage, RedisOmStorage, SotopiaStorage
from simstore.adapters.redis_streams.log import StreamLog


def open_parts(settings: RedisSettings, *, sotopia: bool) -> tuple[RedisOmStorage, StreamLog]:
    """The storage and the messages of a server, over the same connections.

    The storage has the layout of our own or Sotopia's, which knows nothing of messages.
    """
    link = ServerLink(settings.shown, open_client(settings))
    storage = SotopiaStorage(link) if sotopia else OwnStorage(link, settings.namespace)
    return storage, StreamLog(link, settings.namespace)
