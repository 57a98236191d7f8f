"""Storages made from settings."""

from simstore.adapters.redis_connection.client import open_client
from simstore.adapters.redis_connection.link import ServerLink
from simstore.adapters.redis_connection.settings import RedisSettings
from simstore.adapters.redis_om.storage import OwnStorage, RedisOmStorage, SotopiaStorage


def open_storage(settings: RedisSettings, *, sotopia: bool) -> RedisOmStorage:
    """The storage of a server, in the layout of our own or in Sotopia's."""
    link = ServerLink(settings.shown, open_client(settings))
    return SotopiaStorage(link) if sotopia else OwnStorage(link, settings.namespace)
