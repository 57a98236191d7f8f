"""A Redis without a server, for unit tests of what runs on Redis later."""

import hashlib
from typing import Any

from simstore.domain.errors import MissingDependencyError


def fake_redis() -> Any:
    """An empty ``fakeredis.FakeRedis``, for `simstore.adapters.redis_pipeline.store_on`.

    fakeredis lacks ``redis.sha1hex``, which every server has for its scripts, so it is given one.

    Raises:
        MissingDependencyError: the extra ``fakeredis`` is not installed.
    """
    try:
        import fakeredis  # noqa: PLC0415 — the kit does without it
        import lupa  # noqa: F401, PLC0415 — and fakeredis without scripts
    except ImportError as error:
        raise MissingDependencyError("a fake Redis", "fakeredis") from error
    server: Any = fakeredis.FakeServer()
    client = fakeredis.FakeRedis(server=server)
    client.eval("return 1", 0)  # the server makes its Lua when it first needs it
    server._lua_runtime.globals().redis.sha1hex = _sha1hex  # noqa: SLF001 — there is no other way
    return client


def _sha1hex(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest().encode()
