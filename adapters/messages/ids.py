"""Ids of messages: the moment of publication in milliseconds, and a number within it.

All backends have those of Redis Streams, ``1732367000250-0``, so that an id is read alike
everywhere, and grows with the time of publication.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from simstore.domain.errors import InvalidArgumentError
from simstore.domain.text import shown

MOST = 2**63 - 1
"""The greatest that either number may be: what SQLite keeps as an integer."""

_TEXT = re.compile(r"(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MessageId(NamedTuple):
    """An id; ids compare by the order of publication."""

    milliseconds: int
    number: int

    @classmethod
    def parse(cls, text: object, argument: str) -> Self:
        """The id that `text`, given as `argument`, is.

        Raises:
            InvalidArgumentError: it is none.
        """
        match = _TEXT.fullmatch(text) if isinstance(text, str) else None
        parts = [int(part) for part in match.groups()] if match else []
        if not parts or max(parts) > MOST:
            raise InvalidArgumentError(
                f"{argument} is the id of a message, such as '1732367000250-0', not {shown(text)}"
            )
        return cls(*parts)

    def next(self, milliseconds: int) -> "MessageId":
        """The id behind this one, for a message that is published at this moment.

        The clock may stand still or go back: ids grow all the same.
        """
        if milliseconds > self.milliseconds:
            return MessageId(milliseconds, 0)
        return MessageId(self.milliseconds, self.number + 1)

    @property
    def moment(self) -> datetime:
        """When the message was published."""
        try:
            return _EPOCH + timedelta(milliseconds=self.milliseconds)
        except OverflowError:  # of a stream that others have written to
            return datetime.max.replace(tzinfo=UTC)

    def __str__(self) -> str:
        return f"{self.milliseconds}-{self.number}"


ORIGIN = MessageId(0, 0)
"""Before every message."""
