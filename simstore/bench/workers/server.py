"""What the server of a contender says of itself."""

from simstore.bench.workers.loop import Setting


def used_memory(setting: Setting) -> int:
    """The bytes of a server's records and indexes, without its clients' buffers."""
    import redis  # noqa: PLC0415 — only where there is a server

    with redis.Redis(host=setting.host, port=setting.port) as client:
        return int(client.info("memory")["used_memory_dataset"])
