"""A slow link to a server: a proxy on loopback that delivers everything late.

It runs in a process of its own, so that it takes no time from the one that measures, and holds
each piece up for half of the round trip, in either direction. The order stays, and pieces that
follow each other are not held up by each other: it is slow, not narrow.
"""

import contextlib
import queue
import socket
import subprocess
import sys
import threading
import time
from typing import Self

from simstore.domain.errors import BenchmarkError
from simstore.server.ports import LOOPBACK

_PIECE = 1 << 18

Piece = tuple[float, bytes]
"""When it is due, by `time.monotonic`, and what; nothing is the end."""


class SlowLink:
    """A port on loopback behind which `port` is, for a ``with`` block.

    A round trip over it takes `milliseconds` more.
    """

    def __init__(self, port: int, milliseconds: float) -> None:
        self._arguments = [str(port), str(milliseconds / 2000)]
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 — this file
            [sys.executable, "-m", __name__, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101 — asked for
        line = self._process.stdout.readline()
        if not line:
            self.__exit__()
            raise BenchmarkError("the slow link did not start")
        self.port = int(line)
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _serve(port: int, delay: float) -> None:
    """Pass connections on to `port` until standard input ends."""
    listener = socket.create_server((LOOPBACK, 0))
    print(listener.getsockname()[1], flush=True)  # noqa: T201 — whoever started it reads that
    threading.Thread(target=_accept, args=(listener, port, delay), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket, port: int, delay: float) -> None:
    while True:
        outside, _ = listener.accept()
        try:
            inside = socket.create_connection((LOOPBACK, port))
        except OSError:  # the server is gone, which the client should see
            outside.close()
            continue
        for each in (outside, inside):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _pass_on(outside, inside, delay)
        _pass_on(inside, outside, delay)


def _pass_on(source: socket.socket, target: socket.socket, delay: float) -> None:
    pieces: queue.SimpleQueue[Piece] = queue.SimpleQueue()

    def take() -> None:
        data = b"?"
        while data:
            try:
                data = source.recv(_PIECE)
            except OSError:
                data = b""
            pieces.put((time.monotonic() + delay, data))

    def deliver() -> None:
        while True:
            due, data = pieces.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                if data:
                    target.sendall(data)
                    continue
                target.shutdown(socket.SHUT_WR)
            except OSError:
                # Whoever sends should hear of it.
                with contextlib.suppress(OSError):
                    source.shutdown(socket.SHUT_RDWR)
            return

    for work in (take, deliver):
        threading.Thread(target=work, daemon=True).start()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]))
