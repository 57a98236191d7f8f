"""What tests of redis-om leave on a server they share, and how they clean up."""

import redis


def forget(client: redis.Redis, namespace: str) -> None:
    """Delete what a test wrote, so that those after it have less to look through."""
    prefix = f"simstore-om:{namespace}:"
    for index in client.execute_command("FT._LIST"):
        if index.decode().startswith(prefix):
            client.execute_command("FT.DROPINDEX", index)
    keys = list(client.scan_iter(f"{prefix}*", count=1_000))
    for start in range(0, len(keys), 1_000):
        client.delete(*keys[start : start + 1_000])
