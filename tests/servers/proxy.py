"""A proxy in front of a server: it cuts connections, holds them up and slows them down."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Literal, Self
from urllib.parse import quote

from simstore.server.ports import LOOPBACK
from tests.servers.redis_server import RedisServer

Direction = Literal["requests", "replies"]

CHUNK = 65_536
PATIENCE = 30.0
"""Seconds after which a stalled proxy goes on by itself: no test hangs."""


class Proxy:
    """Passes what clients say at a port of its own to `server`, and back, for a ``with`` block.

    `passed` counts the bytes of each direction, `connections` those that were ever made.
    """

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._listener = socket.create_server((LOOPBACK, 0))
        self._ended = threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._cuts: dict[Direction, int] = {}
        self._open: set[socket.socket] = set()
        self._cut_ports: set[int] = set()
        self._threads: list[threading.Thread] = []
        self.delay = 0.0
        """Seconds by which whatever is passed on is late, in either direction."""
        self.passed: dict[Direction, int] = {"requests": 0, "replies": 0}
        self.connections = 0

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The server's URL, by way of here."""
        password = self._server.password
        at = "" if password is None else f":{quote(password, safe='')}@"
        return f"redis://{at}{LOOPBACK}:{self.port}"

    def cut_after(self, direction: Direction, number: int) -> None:
        """Cut a connection, once: the one that has passed so many more bytes on.

        ``cut_after("replies", 0)`` lets a request arrive and be answered, and cuts before the
        answer.
        """
        with self._lock:
            self._cuts[direction] = number

    @property
    def is_to_cut(self) -> bool:
        """Whether a cut was asked for and has not happened."""
        return bool(self._cuts)

    def cut(self) -> None:
        """Cut all connections that are open."""
        for each in list(self._open):
            _shut(each)

    def settle(self) -> None:
        """Wait until the server has done all that it was sent by connections that were cut."""
        deadline = time.monotonic() + PATIENCE
        with self._server.client() as client:
            while time.monotonic() < deadline:
                ended = {f"{LOOPBACK}:{port}" for port in list(self._cut_ports)}
                if not any(each["addr"] in ended for each in client.client_list()):
                    return
                time.sleep(0.005)
        raise TimeoutError("the server still has connections that were cut")

    def stall(self) -> None:
        """Take connections and bytes, but pass nothing on until `go_on`."""
        self._flowing.clear()

    def go_on(self) -> None:
        self._flowing.set()

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._flowing.set()
        with contextlib.suppress(OSError):  # macOS: it is not connected
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                outside, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                inside = socket.create_connection((LOOPBACK, self._server.port), timeout=10)
            except OSError:  # the server is down, which the client should see
                outside.close()
                continue
            inside.settimeout(None)
            for each in (outside, inside):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {outside, inside}
            self._run(self._serve, outside, inside)

    def _serve(self, outside: socket.socket, inside: socket.socket) -> None:
        with outside, inside:
            back = threading.Thread(
                target=self._pass_on, args=(inside, outside, "replies"), daemon=True
            )
            back.start()
            self._pass_on(outside, inside, "requests")
            back.join(10)
            self._open -= {outside, inside}

    def _pass_on(self, source: socket.socket, target: socket.socket, direction: Direction) -> None:
        with contextlib.suppress(OSError):
            port: int = (source if direction == "replies" else target).getsockname()[1]
            while data := source.recv(CHUNK):
                self._flowing.wait(PATIENCE)
                if self.delay:
                    self._ended.wait(self.delay)
                allowed = self._allowed(direction, len(data))
                if allowed is not None:
                    self._cut_ports.add(port)
                target.sendall(data[:allowed])
                if allowed is not None:
                    break
        _shut(source)
        _shut(target)

    def _allowed(self, direction: Direction, length: int) -> int | None:
        """How many of so many bytes may be passed on before a cut; None if there is none."""
        with self._lock:
            left = self._cuts.get(direction)
            if left is None or length < left:
                self.passed[direction] += length
                if left is not None:
                    self._cuts[direction] = left - length
                return None
            del self._cuts[direction]
            self.passed[direction] += left
            return left


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
