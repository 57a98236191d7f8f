"""What channels and groups mean, in the simplest code: lists, and numbers of messages in them.

It shares no code with the backends. A message's number says how many were published on its
channel before it, over all trimming and deleting. Where the port leaves something open, such
as whether what one consumer left is due to another, it gives every answer that is right.
"""

from dataclasses import dataclass, field

from simstore.testing.messages import Note


@dataclass
class Sent:
    """A message that was published; `note` is None if it is not of the channel's type."""

    id: str
    note: Note | None


@dataclass
class Pending:
    """A message that was given to `holder`, who has not acknowledged it."""

    holder: str
    tries: int
    returned: bool = False
    """Whether the holder came back, and has not been given it since."""


@dataclass
class Letter:
    """A dead letter: its own id, and the number of the message."""

    id: str
    number: int


@dataclass
class OracleGroup:
    """What one group was given, and not given yet."""

    always_due: bool
    """Whether everything that was given is due again at each call."""
    max_tries: int
    next: int
    """The number at which what was never given begins."""
    pending: dict[int, Pending] = field(default_factory=dict)

    def give(self, number: int, holder: str) -> int:
        """The message goes to `holder`; how many tries that makes."""
        before = self.pending.get(number)
        tries = 1 if before is None else before.tries + 1
        self.pending[number] = Pending(holder, tries)
        self.next = max(self.next, number + 1)
        return tries

    def return_of(self, holder: str) -> None:
        """`holder` comes back."""
        for pending in self.pending.values():
            if pending.holder == holder:
                pending.returned = True

    def due(self, asking: str, *, perhaps: bool) -> set[int]:
        """What is due to `asking` for sure; with `perhaps`, all that may be due to it."""
        return {
            number
            for number, pending in self.pending.items()
            if self.always_due or (pending.returned and (perhaps or pending.holder == asking))
        }

    def exhausted(self, number: int) -> bool:
        """Whether the message has had all its tries."""
        return self.pending[number].tries >= self.max_tries


class OracleChannel:
    """The messages of one channel, and the groups and dead letters that belong to it."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        """All that ever were, also those that are forgotten."""
        self.kept_from = 0
        """The number of the oldest that is kept."""
        self.groups: dict[str, OracleGroup] = {}
        self.letters: dict[str, list[Letter]] = {}
        self.untouched = True
        """Whether nothing was published, and no group made, since it was forgotten."""

    def publish(self, id_: str, note: Note | None) -> None:
        """Another message at the end."""
        assert all(id_ != sent.id for sent in self.sent), f"the id {id_} was used before"
        self.sent.append(Sent(id_, note))
        self.untouched = False

    def kept(self, after: int = -1) -> list[Sent]:
        """The messages that are kept and behind a number."""
        return self.sent[max(self.kept_from, after + 1) :]

    def number_of(self, id_: str) -> int:
        """The number of an id."""
        numbers = [number for number, sent in enumerate(self.sent) if sent.id == id_]
        assert numbers, f"no message has the id {id_}"
        return numbers[0]

    def first_kept(self, start: int) -> int | None:
        """The number of the first message from `start` on that is kept, if there is one."""
        number = max(start, self.kept_from)
        return number if number < len(self.sent) else None

    def trim(self, kept_from: int) -> int:
        """Forget the messages before a number; how many that is."""
        count = max(0, kept_from - self.kept_from)
        self.kept_from += count
        for group in self.groups.values():
            for number in [n for n in group.pending if n < self.kept_from]:
                del group.pending[number]
        return count

    def forget(self) -> None:
        """Forget everything."""
        self.kept_from = len(self.sent)
        self.groups.clear()
        self.letters.clear()
        self.untouched = True

    def group(self, name: str, *, always_due: bool, max_tries: int, start: int) -> OracleGroup:
        """The group of that name, made to begin at `start` if it is not there."""
        self.untouched = False
        return self.groups.setdefault(name, OracleGroup(always_due, max_tries, start))

    def next_of(self, group: OracleGroup, asking: str) -> set[int | None]:
        """The numbers of the messages of which a consumer may be given any now; None for none."""
        certain, perhaps = (
            {number for number in group.due(asking, perhaps=each) if not group.exhausted(number)}
            for each in (False, True)
        )
        new = self.first_kept(group.next)
        return {min(certain, default=new), min(perhaps, default=new)}

    def given_up(
        self, group: OracleGroup, asking: str, given: int | None, *, perhaps: bool
    ) -> list[int]:
        """What is given up for sure before a consumer is given that; or `perhaps`."""
        tried = sorted(n for n in group.due(asking, perhaps=perhaps) if group.exhausted(n))
        again = given is not None and given in group.pending
        return [n for n in tried if perhaps or not again or given is None or n < given]
