"""Entries of streams, as the server tells of them."""

from collections.abc import Sequence
from typing import Any

from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Entry
from simstore.domain.errors import InvalidArgumentError


def id_of(text: bytes) -> MessageId:
    """The id that the server writes so."""
    milliseconds, _, number = text.partition(b"-")
    return MessageId(int(milliseconds), int(number))


def entry_of(reply: Any) -> Entry:
    """An entry; what others have put into the stream is an empty text, and so no message."""
    id_, fields = reply
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    return Entry(id_of(id_), named.get(b"message", b""), _original(named.get(b"original")))


def entries_of(replies: Sequence[Any]) -> list[Entry]:
    """Several of them."""
    return [entry_of(reply) for reply in replies]


def _original(text: bytes | None) -> MessageId | None:
    if text is None:
        return None
    try:
        return MessageId.parse(text.decode(errors="replace"), "original")
    except InvalidArgumentError:  # of an entry that others have written
        return None
