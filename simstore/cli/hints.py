"""What a shell can do about an error that the library knows only Python's ways out of."""

from collections.abc import Iterator
from contextlib import contextmanager

from simstore.domain.errors import SimstoreError


@contextmanager
def hint(error: type[SimstoreError], way_out: str, *, about: str = "") -> Iterator[None]:
    """Add `way_out` to an `error` of the block, if its message has the words `about`.

    It is said behind the message, on the same line.
    """
    try:
        yield
    except error as raised:
        if about in str(raised):
            raised.add_note(way_out)
        raise


def with_hints(error: Exception) -> str:
    """The message of `error`, and the ways out that were added to it."""
    return "; ".join([str(error), *getattr(error, "__notes__", ())])
