"""The URL of a Redis server or cluster, taken apart; no connection is made.

``redis://[user[:password]@]host[:port][/db]``, ``rediss://`` for TLS, and
``unix://[user[:password]@]/path/to.sock`` for a socket; a cluster has several ``host[:port]``,
separated by commas, and no db. What is special in a name or a password is percent-escaped.
"""

import math
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from simstore.adapters.url import StoreURL
from simstore.domain.errors import StoreURLError

DEFAULT_PORT = 6379
DEFAULT_TIMEOUT = 30.0
DEFAULT_CONNECT_TIMEOUT = 10.0
DEFAULT_POOL_SIZE = 32
SHORTEST_TIMEOUT = 0.001
LONGEST_TIMEOUT = 1_000_000.0

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^:\[\]\s]+)(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    """Where a server is and how to speak with it."""

    shown: str
    """The URL, without its password."""
    addresses: tuple[tuple[str, int], ...] = ()
    """(host, port) of the server, or of some nodes of the cluster; none for a socket."""
    path: str | None = None
    """The path of a Unix socket."""
    db: int = 0
    username: str | None = field(default=None, repr=False)
    """It is not shown either: a password may stand in its place."""
    password: str | None = field(default=None, repr=False)
    namespace: str = ""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds to wait for an answer, and for a free connection."""
    connect_timeout: float = DEFAULT_CONNECT_TIMEOUT
    pool_size: int = DEFAULT_POOL_SIZE
    """How many connections there are at most; other threads wait for one."""
    tls: dict[str, Any] | None = None
    """redis-py's ``ssl_`` arguments; None without TLS."""
    others: dict[str, Any] = field(default_factory=dict)
    """The options that only one of the adapters has."""

    @classmethod
    def parse(cls, url: StoreURL, *, cluster: bool = False, **others: Callable[[str], Any]) -> Self:
        """The settings of `url`; `others` are options of the adapter's own.

        Raises:
            StoreURLError: a part of it is wrong.
        """
        tls = url.scheme.startswith("rediss")
        known: dict[str, Callable[[str], Any]] = {
            "namespace": str,
            "timeout": _seconds,
            "connect_timeout": _seconds,
            "pool_size": _pool_size,
            **(_TLS_OPTIONS if tls else {}),
            **({} if cluster else {"db": _db}),
        }
        options = url.options(**known, **others)
        credentials, _, place = url.rest.rpartition("@")
        user, _, password = credentials.partition(":")
        tls_options = {name: options.pop(name) for name in _TLS_OPTIONS if name in options}
        _check_files(url.shown, tls_options)
        settings: dict[str, Any] = {
            "shown": url.shown,
            # StoreURL has seen that what they are is UTF-8.
            "username": unquote(user) or None,
            "password": unquote(password) or None,
            "tls": tls_options if tls else None,
            "others": {name: options.pop(name) for name in others if name in options},
            **options,
        }
        if url.scheme == "unix":
            if not place.startswith("/"):
                raise StoreURLError(f"{url.shown} names no socket; write unix:///path/to.sock")
            return cls(path=unquote(place), **settings)
        hosts, slash, db = place.partition("/")
        if slash and db:
            if cluster:
                raise StoreURLError(f"{url.shown}: a cluster has no numbered databases")
            if "db" in options:
                raise StoreURLError(f"{url.shown} gives the database twice")
            try:
                settings["db"] = _db(db)
            except ValueError as error:
                raise StoreURLError(f"{url.shown}: database {db!r}: {error}") from error
        addresses = tuple(_address(url, host) for host in hosts.split(","))
        if len(addresses) > 1 and not cluster:
            raise StoreURLError(f"{url.shown} names several servers; that is for redis+cluster://")
        return cls(addresses=addresses, **settings)


def _address(url: StoreURL, text: str) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(unquote(text)) if text else None
    if text and match is None:
        raise StoreURLError(f"{url.shown}: {unquote(text)!r} is not host or host:port")
    host, port = match.groups() if match else ("localhost", None)
    number = int(port or DEFAULT_PORT)
    if not 0 < number < 65536:
        raise StoreURLError(f"{url.shown}: there is no port {number}")
    return host.strip("[]"), number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_TIMEOUT <= seconds <= LONGEST_TIMEOUT:
        raise ValueError(
            f"it is a number of seconds, {SHORTEST_TIMEOUT:g} to {LONGEST_TIMEOUT:.0f}"
        )
    return seconds


def _check_files(shown: str, options: Mapping[str, Any]) -> None:
    """See that the files of `options` are what their names say; a connection would not say which.

    Raises:
        StoreURLError: one cannot be read, or has no certificate or no key, or they do not fit.
    """
    own, key = options.get("ssl_certfile"), options.get("ssl_keyfile")
    if key and not own:
        raise StoreURLError(f"{shown}: ssl_keyfile is for a certificate; add ssl_certfile")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in ("ssl_ca_certs", "ssl_certfile"):
        if name in options:
            try:
                context.load_verify_locations(options[name])
            except OSError as error:
                why = _unfit(error, "it has no certificate in PEM")
                raise StoreURLError(f"{shown}: option {name}={options[name]!r}: {why}") from error
    if own:
        name = "ssl_keyfile" if key else "ssl_certfile"
        try:
            context.load_cert_chain(own, key, password="")  # or else OpenSSL asks for one
        except OSError as error:
            why = _unfit(error, "it has no key of the certificate in PEM, without a pass phrase")
            raise StoreURLError(f"{shown}: option {name}={options[name]!r}: {why}") from error


def _unfit(error: OSError, otherwise: str) -> str:
    """Why a file could not be loaded: the system's reason, or `otherwise` where it was read."""
    return otherwise if isinstance(error, ssl.SSLError) else f"it cannot be read: {error.strerror}"


def _pool_size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10_000):
        raise ValueError("it is a number of connections, 1 to 10000")
    return int(text)


def _db(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise ValueError("it is the number of a database, 0 or more")
    return int(text)


def _file(text: str) -> str:
    if not Path(text).is_file():
        raise ValueError("there is no such file")
    return text


def _cert_reqs(text: str) -> str:
    if text not in {"required", "none"}:
        raise ValueError("it is required, or none to trust any certificate")
    return text


def _check_hostname(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("it is true or false")
    return text == "true"


_TLS_OPTIONS: dict[str, Callable[[str], Any]] = {
    "ssl_ca_certs": _file,
    "ssl_certfile": _file,
    "ssl_keyfile": _file,
    "ssl_cert_reqs": _cert_reqs,
    "ssl_check_hostname": _check_hostname,
}
"""As redis-py calls them."""
