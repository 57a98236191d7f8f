"""Whether a server answers, asked without a client library."""

import socket
from typing import Literal

Answer = Literal["ready", "loading", "nothing"]
"""What a server is up to; loading is reading its files, before it takes commands."""


def ask(host: str, port: int, password: str | None = None, *, timeout: float = 1.0) -> Answer:
    """What the server at `port` answers to PING within `timeout` seconds.

    One that wants another password than `password` is ready: it answered.
    """
    commands = [["AUTH", password]] if password is not None else []
    commands.append(["PING"])
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(b"".join(map(_encoded, commands)))
            with connection.makefile("rb") as replies:
                reply = [replies.readline() for _ in commands][-1]
    except OSError:
        return "nothing"
    if reply.startswith(b"-LOADING"):
        return "loading"
    return "ready" if reply else "nothing"


def _encoded(words: list[str]) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
