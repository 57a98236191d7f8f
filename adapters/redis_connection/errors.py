"""redis-py's errors as ours: what happened, and what to do about it."""

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


@contextmanager
def translated(shown: str) -> Iterator[None]:
    """Raise an error of redis-py as one of ours, chained; `shown` is the URL to name."""
    try:
        yield
    except exceptions.RedisError as error:
        raise as_ours(shown, error) from error
    except exceptions.RedisClusterException as error:
        raise BackendUnavailableError(f"{shown}: the cluster cannot be used: {error}") from error


def as_ours(shown: str, error: exceptions.RedisError) -> BackendError:
    """The error of ours that `error` is."""
    text = _answer(error)
    for code, kind, meaning in _ANSWERS:
        # Redis 6 has the code of an error within a script in the middle of its answer.
        if text.startswith(f"{code} ") or f"-{code} " in text:
            return kind(f"{shown}: {meaning} ({text})")
    if isinstance(error, exceptions.AuthenticationError):
        return BackendUnavailableError(
            f"{shown}: the server refused the user name or the password: {text}"
        )
    if isinstance(error, exceptions.TimeoutError):
        return BackendTimeoutError(f"{shown}: no answer in time: {text}")
    if isinstance(error, exceptions.ConnectionError):
        return BackendUnavailableError(f"{shown}: cannot be reached: {text}")
    return BackendError(f"{shown}: {text}")


def _answer(error: exceptions.RedisError) -> str:
    """What the server answered, with its code."""
    text = str(error)
    if isinstance(error, exceptions.AuthenticationError) and text.startswith(_NO_PASSWORD):
        return f"NOAUTH {text}"
    if any(words in text for words in _WITHIN_SCRIPTS):
        return f"NOPERM {text}"
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    return text if code is None else f"{code} {text}"
