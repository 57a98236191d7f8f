"""``redis+om://host``: RedisJSON documents, found by the query engine through redis-om's schemas.

``rediss+om://`` speaks TLS. The server needs both modules, as Redis 8 and Redis Stack have them.
Options, beside those of ``redis://`` (``namespace``, ``timeout``, ``connect_timeout``,
``pool_size``, and ``ssl_…`` with TLS):

- ``db``: 0 alone, for the query engine has no other;
- ``layout``: ``own``, or ``sotopia`` to work in place on a database that Sotopia, or another
  program of redis-om's, writes. Then there is no namespace.
"""

import os
from contextlib import suppress
from importlib.util import find_spec

from simstore.adapters.base_store import StorageStore
from simstore.adapters.redis_connection.settings import RedisSettings
from simstore.adapters.url import StoreURL
from simstore.domain.errors import MissingDependencyError, StoreURLError


def open_store(url: StoreURL) -> StorageStore:
    """The store of a ``redis+om://`` URL; it connects when it is first used."""
    settings = RedisSettings.parse(url, layout=_layout)
    if settings.db:
        raise StoreURLError(
            f"{url.shown}: the query engine has only database 0, and finds nothing in database "
            f"{settings.db}; give stores of one server each a namespace= instead"
        )
    layout = settings.others.get("layout", "own")
    if layout == "sotopia" and settings.namespace:
        raise StoreURLError(
            f"{url.shown}: a database of Sotopia's has no namespaces; leave out one of "
            "layout=sotopia and namespace="
        )
    if find_spec("redis") is None or find_spec("redis_om") is None:
        raise MissingDependencyError(f"{url.scheme}://", "redis-om")
    _check_variable()
    from simstore.adapters.redis_om.opening import open_parts  # noqa: PLC0415 — redis-om may be absent

    return StorageStore(url.shown, *open_parts(settings, sotopia=layout == "sotopia"))


def _check_variable() -> None:
    """Refuse a REDIS_OM_URL that redis-om would fail on, when it is imported, for good."""
    import redis  # noqa: PLC0415 — of an extra

    with suppress(ValueError):
        redis.Redis.from_url(os.environ.get("REDIS_OM_URL") or "redis://")
        return
    # Out of the block: the error that was there has what may be a password.
    raise StoreURLError(
        "REDIS_OM_URL, which redis-om reads, is no URL: what is special in a password is "
        "percent-escaped there, %2F for /, %23 for #, %3F for ?"
    )


def _layout(text: str) -> str:
    if text not in {"own", "sotopia"}:
        raise ValueError("it is own or sotopia")
    return text
