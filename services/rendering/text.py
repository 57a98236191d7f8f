"""Episodes as plain text, the same as Sotopia's own rendering of them."""

from collections.abc import Iterator, Sequence

from simstore.domain.episodes import EpisodeLog, Message
from simstore.domain.profiles import AgentProfile
from simstore.domain.store import Store
from simstore.services.lookup import OnMissing, by_pk

_ENVIRONMENT = "Environment"

_OPENINGS = 2
"""How many opening lines the first turn has, however many agents there are."""

_CONVERSATION = "Conversation Starts:\n\n"
"""What stands between the openings and the conversation in the first turn's text."""


def render_for_humans(
    episode: EpisodeLog, store: Store, *, missing: OnMissing = "raise"
) -> tuple[list[AgentProfile], list[str]]:
    """The profiles of the agents of `episode`, in its order, and `rendered_strings` of it.

    The profiles are read in one call. ``missing="skip"`` leaves out those that are not stored.

    Raises:
        NotFoundError: names every agent that is not stored.
    """
    found = by_pk(store.agents, episode.agents, missing=missing)
    profiles = [found[pk] for pk in episode.agents if pk in found]
    return profiles, rendered_strings(episode)


def rendered_strings(episode: EpisodeLog) -> list[str]:
    """`turn_strings`, then the judge's reasoning, then the rewards, one line for each agent."""
    rewards = [f"Agent {number}: {reward}" for number, reward in enumerate(episode.rewards, 1)]
    return [
        *turn_strings(episode),
        f"The reasoning is:\n{episode.reasoning}",
        "\n".join(["The rewards are:", *rewards]),
    ]


def turn_strings(episode: EpisodeLog) -> list[str]:
    """One text for each turn of `episode`: what the agents did that all could see.

    The first begins with what the receivers of its first two messages know beforehand. Agents
    that did nothing are left out, so that a turn may be an empty text.
    """
    return [_turn(turn, first=not number) for number, turn in enumerate(episode.messages)]


def social_interactions(episode: EpisodeLog) -> str:
    """The conversation alone: turns with blank lines between them.

    The last turn is left out: there the environment only repeats the one before. Of the first
    turn, what follows its last "Conversation Starts:" is kept if it has two or more of these,
    and nothing otherwise, or if ``script`` is a word of the episode's tag (split at
    underscores). An episode of fewer than two turns has no interactions: "".
    """
    turns = episode.messages[:-1]
    if not turns:
        return ""
    texts = []
    if "script" not in (episode.tag or "").split("_"):
        *openings, first = _turn(turns[0], first=True).split(_CONVERSATION)
        if len(openings) >= 2:
            texts.append(first)
    texts += [_turn(turn) for turn in turns[1:]]
    return "\n\n".join(texts)


def _turn(turn: Sequence[Message], *, first: bool = False) -> str:
    lines = list(_openings(turn)) if first else []
    for sender, receiver, text in turn:
        if receiver != _ENVIRONMENT:
            continue
        if sender == _ENVIRONMENT:
            lines.append(text)
        # The words are looked for anywhere, in what somebody says as well: so does Sotopia.
        elif "did nothing" not in text:
            lines.append(f"{sender} {text}" if "said:" in text else f"{sender}: {text}")
    return "\n".join(lines)


def _openings(turn: Sequence[Message]) -> Iterator[str]:
    for _, receiver, text in turn[:_OPENINGS]:
        yield (
            f"{receiver}'s perspective (i.e., what {receiver} knows before the episode starts): "
            f"{text}"
        )
