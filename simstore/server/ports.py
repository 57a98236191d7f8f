"""Free ports on loopback."""

import errno
import random
import socket

from simstore.domain.errors import BackendUnavailableError

LOOPBACK = "127.0.0.1"

_PORTS = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections, which come and go by themselves."""

_ATTEMPTS = 200
_RANDOM = random.SystemRandom()  # a program's own seed would lead two of them to the same ports


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of loopback now.

    Raises:
        PermissionError: the port is one that this user may not use.
    """
    with socket.socket() as listener:
        # As servers do: a port whose last connections are only just closed is free for them.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def free_port() -> int:
    """A port of loopback that nobody listens on; it is not reserved.

    Raises:
        BackendUnavailableError: none was found.
    """
    for _ in range(_ATTEMPTS):
        port = _RANDOM.choice(_PORTS)
        if is_free(port):
            return port
    raise BackendUnavailableError(f"no free port between {_PORTS.start} and {_PORTS.stop}")
