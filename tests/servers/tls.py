"""TLS in front of a server: the wheels' servers are built without it."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import trustme

from simstore.server.ports import LOOPBACK
from tests.servers.redis_server import RedisServer

CHUNK = 65_536


class TlsFront:
    """Takes TLS connections at a port of its own, and passes what they say to `server`.

    Its certificate is for 127.0.0.1 and localhost. `ca_file` is whom a client has to trust; with
    ``client_certificates=True`` it must show `client_file`, a key and its certificate, itself.
    """

    def __init__(
        self, server: RedisServer, folder: Path, *, client_certificates: bool = False
    ) -> None:
        self.server = server
        self.ca_file = folder / "ca.pem"
        self.client_file = folder / "client.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(
            self.client_file
        )
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(LOOPBACK, "localhost").configure_cert(self._context)
        if client_certificates:
            self._context.verify_mode = ssl.CERT_REQUIRED
            authority.configure_trust(self._context)
        self._listener = socket.create_server((LOOPBACK, 0))
        self._ended = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The URL without the certificates, which each client names in its own way."""
        return f"rediss://{LOOPBACK}:{self.port}"

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):  # macOS: it is not connected
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            _shut(each)
        for thread in self._threads:
            thread.join(10)

    def _run(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self._run(self._serve, plain)

    def _serve(self, plain: socket.socket) -> None:
        with plain, contextlib.suppress(OSError):  # such as a client that does not trust us
            plain.settimeout(10)
            with (
                self._context.wrap_socket(plain, server_side=True) as outside,
                socket.create_connection((LOOPBACK, self.server.port)) as inside,
            ):
                outside.settimeout(None)
                self._open |= {outside, inside}
                back = threading.Thread(target=_pass_on, args=(inside, outside), daemon=True)
                back.start()
                _pass_on(outside, inside)
                back.join(10)
                self._open -= {outside, inside}


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    _shut(source)
    _shut(target)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
