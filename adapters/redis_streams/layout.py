"""The keys of a channel.

All begin with ``simstore:broker:{namespace:channel}``; what is in braces decides the hash slot on
a cluster, so that a channel is on one node. Records' keys begin otherwise. Behind it:

=====================  ======  =============================================================
``:messages``          stream  the messages: the field ``message`` of an entry is the JSON
``:dead:<group>``      stream  dead letters; ``original`` is the id that one had before
``…:last``             string  for a day, the last id of one of these that was deleted
=====================  ======  =============================================================
"""

from simstore.adapters.messages.log import Address
from simstore.adapters.redis_connection.names import escaped


class ChannelKeys:
    """The keys of the channels of one namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = escaped(namespace)

    def log(self, address: Address) -> str:
        """The key of a log."""
        if address.dead_letters_of is not None:
            return f"{self.dead_letters(address)}{escaped(address.dead_letters_of)}"
        return f"{self._base(address)}:messages"

    def dead_letters(self, address: Address) -> str:
        """What the keys of the dead letters of a channel begin with; the group is escaped."""
        return f"{self._base(address)}:dead:"

    def _base(self, address: Address) -> str:
        return f"simstore:broker:{{{self._namespace}:{escaped(address.channel)}}}"
