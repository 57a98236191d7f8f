"""What a message of an episode is: speech, a gesture, an action, or nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from simstore.domain.episodes import Message

ENVIRONMENT = "Environment"
"""The name under which the environment sends and receives."""


class Kind(StrEnum):
    """What somebody did. The values are what a reader is told, after the name."""

    SAID = "said"
    NON_VERBAL = "non-verbal"
    ACTION = "action"
    LEFT = "left the conversation"
    NOTHING = "did nothing"
    OTHER = "message"


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a conversation.

    `to` names the receiver of one that was not for all, and is empty otherwise. `text` is what
    was said or done, without the words that tell the kind; none for `LEFT` and `NOTHING`.
    """

    speaker: str
    kind: Kind
    text: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: its number in the episode, from 1, and what was said and done in it.

    `lines` has none for those who did nothing; with no lines, all of them did.
    """

    number: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """What the environment told one agent, and nobody else, before the first turn."""

    receiver: str
    text: str


_SPOKEN = re.compile(r'\s*said:\s*(?:"(.*)"|(.*))\s*', re.DOTALL)
_DONE = re.compile(r"\s*\[(action|non-verbal communication)\]\s*(.*)", re.DOTALL)
_DONE_KINDS = {"action": Kind.ACTION, "non-verbal communication": Kind.NON_VERBAL}
_ECHO = re.compile(r"\s*Turn #\d+:")
"""How the environment begins to repeat the turn before to each agent."""


def read_messages(messages: Sequence[Sequence[Message]]) -> tuple[list[Opening], list[Turn]]:
    """The openings of an episode and its turns, those without any act of an agent left out.

    What the environment repeats to the agents is left out; what else it tells one of them
    alone, after the first turn, is a line to that agent.
    """
    openings: list[Opening] = []
    turns: list[Turn] = []
    for number, turn in enumerate(messages, 1):
        lines: list[Line] = []
        acted = False
        for sender, receiver, text in turn:
            if sender == ENVIRONMENT != receiver:
                if number == 1:
                    openings.append(Opening(receiver, text))
                elif not _ECHO.match(text):
                    lines.append(Line(sender, Kind.OTHER, text, to=receiver))
                continue
            acted = True
            kind, told = _read(text) if sender != ENVIRONMENT else (Kind.OTHER, text)
            if kind is not Kind.NOTHING:
                lines.append(
                    Line(sender, kind, told, to="" if receiver == ENVIRONMENT else receiver)
                )
        if acted or lines:
            turns.append(Turn(number, tuple(lines)))
    return openings, turns


def _read(text: str) -> tuple[Kind, str]:
    if found := _SPOKEN.fullmatch(text):
        return Kind.SAID, found[2] if found[1] is None else found[1]
    if found := _DONE.fullmatch(text):
        return _DONE_KINDS[found[1]], found[2]
    for kind in (Kind.LEFT, Kind.NOTHING):
        if text.strip() == kind:
            return kind, ""
    return Kind.OTHER, text
