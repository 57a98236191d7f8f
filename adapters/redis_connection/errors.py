"""redis-py's errors as ours: what happened, and what to do about it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions

from simstore.domain.errors import BackendError, BackendTimeoutError, BackendUnavailableError

_ANSWERS = (
    # What the server's answer begins with, the error that it is, and what it means.
    ("OOM", BackendError, "the server's memory is full: delete records, or raise maxmemory"),
    ("READONLY", BackendUnavailableError, "the server is a replica that takes no writes"),
    ("LOADING", BackendUnavailableError, "the server is still loading its data; try again soon"),
    ("MASTERDOWN", BackendUnavailableError, "the server has lost its primary; try again soon"),
    ("CLUSTERDOWN", BackendUnavailableError, "the cluster is not complete; try again soon"),
    ("TRYAGAIN", BackendUnavailableError, "the cluster is moving slots; try again soon"),
    ("ASK", BackendUnavailableError, "the cluster is moving slots; try again soon"),
    ("MOVED", BackendError, "the server is a node of a cluster: write redis+cluster://"),
    ("CROSSSLOT", BackendError, "the server is a node of a cluster: write redis+cluster://"),
    ("BUSY", BackendUnavailableError, "the server is busy with a script; try again soon"),
    ("NOPERM", BackendError, "the user may not do that; see the server's ACL"),
    ("NOAUTH", BackendUnavailableError, "the server wants a password; put it into the URL"),
    ("MISCONF", BackendError, "the server takes no writes, since it cannot save to its disk"),
    ("NOREPLICAS", BackendError, "the server takes no writes, since it lacks replicas"),
    ("WRONGTYPE", BackendError, "a key of the store was overwritten by something else"),
)

_CODES = (
    # redis-py takes the code off an answer that it has a class for. A class is before its base.
    (exceptions.OutOfMemoryError, "OOM"),
    (exceptions.ReadOnlyError, "READONLY"),
    (exceptions.BusyLoadingError, "LOADING"),
    (exceptions.MasterDownError, "MASTERDOWN"),
    (exceptions.ClusterDownError, "CLUSTERDOWN"),
    (exceptions.TryAgainError, "TRYAGAIN"),
    (exceptions.MovedError, "MOVED"),
    (exceptions.AskError, "ASK"),
    (exceptions.ClusterCrossSlotError, "CROSSSLOT"),
    (exceptions.NoPermissionError, "NOPERM"),
)

_WITHIN_SCRIPTS = ("ACL failure in script", "The user executing the script can't")
"""What NOPERM is called there, by Redis 7 and by Redis 6."""

_NO_PASSWORD = "Authentication required"  # noqa: S105 — what NOAUTH says, without its code

NO_HANDSHAKE = "no TLS handshake"
"""What a connection says that waited for one."""

_NOT_TLS = (
    NO_HANDSHAKE,
    "WRONG_VERSION_NUMBER",
    "UNEXPECTED_EOF",
    "Connection reset by peer",
)
"""What is said where a server that does not speak TLS is spoken to in it."""

_NO_CLUSTER = ("Cluster mode is not enabled", "cluster support disabled")

_PASSING = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.BusyLoadingError,
)
_PASSING_IN_A_CLUSTER = (
    exceptions.AskError,
    exceptions.MovedError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.ReadOnlyError,
    exceptions.RedisClusterException,
)
_LASTING = (exceptions.AuthenticationError, exceptions.AuthorizationError)
"""They are connection errors to redis-py, but time heals them not."""


@contextmanager
def translated(shown: str) -> Iterator[None]:
    """Raise an error of redis-py as one of ours, chained; `shown` is the URL to name."""
    try:
        yield
    except exceptions.RedisError as error:
        raise as_ours(shown, error) from error
    except exceptions.RedisClusterException as error:
        raise _of_cluster(shown, error) from error


def may_pass(error: Exception, *, cluster: bool) -> bool:
    """Whether `error` is one of a server that restarts, or of a cluster that is put in order."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, _LASTING) or isinstance(cause, (*_LASTING, ssl.SSLError)):
        return False
    if any(words in str(error) for words in _NO_CLUSTER):
        return False
    return isinstance(error, (*_PASSING, *(_PASSING_IN_A_CLUSTER if cluster else ())))


def as_ours(shown: str, error: exceptions.RedisError) -> BackendError:
    """The error of ours that `error` is."""
    text = _answer(error)
    for code, kind, meaning in _ANSWERS:
        # Redis 6 has the code of an error within a script in the middle of its answer.
        if text.startswith(f"{code} ") or f"-{code} " in text:
            return kind(f"{shown}: {meaning} ({text})")
    if isinstance(error, exceptions.AuthenticationError):
        return BackendUnavailableError(
            f"{shown}: the server refused the user name or the password: "
            f"{text.removesuffix('.')}{_colon(shown)}"
        )
    if isinstance(error, exceptions.InvalidResponse):
        tls = "" if _is_tls(shown) else f"; if it speaks TLS, write {_scheme(shown, tls=True)}://"
        return BackendUnavailableError(f"{shown}: what answers there is no Redis server{tls}")
    if isinstance(error, exceptions.TimeoutError):
        return BackendTimeoutError(f"{shown}: no answer in time: {text}{_plain(shown, text)}")
    if isinstance(error, exceptions.ConnectionError):
        return BackendUnavailableError(f"{shown}: cannot be reached: {text}{_plain(shown, text)}")
    return BackendError(f"{shown}: {text}")


def _of_cluster(shown: str, error: exceptions.RedisClusterException) -> BackendError:
    """The error of ours where no node could tell of the cluster."""
    cause, text = error.__cause__, str(error)
    if isinstance(cause, exceptions.AuthenticationError | exceptions.InvalidResponse):
        return as_ours(shown, cause)
    if any(words in text for words in _NO_CLUSTER):
        plain = _scheme(shown, tls=_is_tls(shown), cluster=False)
        return BackendUnavailableError(f"{shown} is no cluster; write {plain}://")
    # redis-py's own connections wait for both, the connection and the handshake.
    asked = _plain(shown, NO_HANDSHAKE if isinstance(cause, exceptions.TimeoutError) else text)
    return BackendUnavailableError(f"{shown}: the cluster cannot be used: {text}{asked}")


def _colon(shown: str) -> str:
    """What to do about a password that stands where a user name does, which is not shown."""
    scheme, _, rest = shown.partition("://")
    if not rest.startswith("***@"):
        return ""
    place = rest.removeprefix("***@").partition("?")[0]
    return f"; a password alone is written {scheme}://:PASSWORD@{place}"


def _plain(shown: str, text: str) -> str:
    """What to ask where a server may not speak TLS."""
    if not (_is_tls(shown) and any(words in text for words in _NOT_TLS)):
        return ""
    return f"; does the server speak TLS there? Else write {_scheme(shown, tls=False)}://"


def _is_tls(shown: str) -> bool:
    return shown.startswith("rediss")


def _scheme(shown: str, *, tls: bool, cluster: bool = True) -> str:
    """The scheme of `shown`, with TLS or without."""
    _, plus, kind = shown.partition("://")[0].partition("+")
    return ("rediss" if tls else "redis") + (plus + kind if cluster else "")


def _answer(error: exceptions.RedisError) -> str:
    """What the server answered, with its code."""
    text = str(error)
    if isinstance(error, exceptions.AuthenticationError) and text.startswith(_NO_PASSWORD):
        return f"NOAUTH {text}"
    if any(words in text for words in _WITHIN_SCRIPTS):
        return f"NOPERM {text}"
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    return text if code is None else f"{code} {text}"
