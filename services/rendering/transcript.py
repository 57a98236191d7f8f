"""What a transcript of an episode shows, whatever the format."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from simstore.domain.episodes import EpisodeLog, split_reward
from simstore.domain.evaluation import SOTOPIA_DIMENSIONS, ordered_dimensions
from simstore.domain.profiles import AgentProfile, EnvironmentProfile
from simstore.domain.store import Store
from simstore.services.lookup import OnMissing, by_pk
from simstore.services.rendering.messages import Opening, Turn, read_messages

_EPISODES_AT_A_TIME = 50

_RANGES = {each.name: (each.range_low, each.range_high) for each in SOTOPIA_DIMENSIONS}


@dataclass(frozen=True, slots=True)
class CastMember:
    """One agent of an episode: its position from 1, and what is known of it.

    Texts are empty where nothing is known. `profile` is None where none was found. `overall` is
    the overall score, or the reward itself where that is a bare number; `scores` are those by
    dimension, None for a bare number.
    """

    number: int
    pk: str
    name: str
    profile: AgentProfile | None
    background: str
    agent_class: str
    model: str
    goal: str
    overall: float
    scores: Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One dimension: its range if it is one of Sotopia's, and each agent's score or None."""

    dimension: str
    range: tuple[int, int] | None
    scores: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """An episode made ready for readers; `seats` finds the agent of a speaker's name.

    A name that several agents share, or none has, is not in `seats`. `judge` is the model
    that gave the rewards, `other_models` are those that no agent has.
    """

    episode: EpisodeLog
    environment: EnvironmentProfile | None
    cast: tuple[CastMember, ...]
    seats: Mapping[str, CastMember]
    openings: tuple[Opening, ...]
    turns: tuple[Turn, ...]
    judge: str
    other_models: tuple[str, ...]

    def score_rows(self) -> list[ScoreRow]:
        """A row for each dimension that any agent has, in `ordered_dimensions`."""
        return [
            ScoreRow(
                name,
                _RANGES.get(name),
                tuple((each.scores or {}).get(name) for each in self.cast),
            )
            for name in ordered_dimensions(name for each in self.cast for name in each.scores or ())
        ]


def build_transcript(
    episode: EpisodeLog,
    *,
    environment: EnvironmentProfile | None = None,
    agents: Iterable[AgentProfile] = (),
) -> Transcript:
    """The transcript of `episode` with the profiles at hand; those of others are left aside.

    Without its profile an agent goes by the name that the environment calls it, if it calls as
    many as there are.
    """
    profiles = {agent.pk: agent for agent in agents}
    if environment is not None and environment.pk != episode.environment:
        environment = None
    openings, turns = read_messages(episode.messages)
    called = list(dict.fromkeys(opening.receiver for opening in openings))
    if len(called) != len(episode.agents):
        called = []
    cast = tuple(
        _cast_member(episode, index, profiles.get(pk), environment, _at(called, index))
        for index, pk in enumerate(episode.agents)
    )
    models = episode.models or []
    return Transcript(
        episode=episode,
        environment=environment,
        cast=cast,
        seats=_seats(cast, called),
        openings=tuple(openings),
        turns=tuple(turns),
        judge=_at(models, 0),
        other_models=tuple(models[1 + len(cast) :]),
    )


def transcript_of(store: Store, pk: str, *, missing: OnMissing = "skip") -> Transcript:
    """The transcript of the episode `pk` with the profiles that the store has.

    Profiles that are missing are named in the transcript, or raised with ``missing="raise"``.

    Raises:
        NotFoundError: the episode, or with ``missing="raise"`` a profile, is not stored.
    """
    return next(transcripts_of(store, [pk], missing=missing))


def transcripts_of(
    store: Store, pks: Iterable[str], *, missing: OnMissing = "skip"
) -> Iterator[Transcript]:
    """`transcript_of` for many episodes, in three reads for every fifty of them.

    Raises:
        NotFoundError: as `transcript_of`, for the first fifty in which something is missing.
    """
    remaining = iter(pks)
    while chunk := list(islice(remaining, _EPISODES_AT_A_TIME)):
        found = by_pk(store.episodes, chunk, missing="raise")
        environments = by_pk(
            store.environments, (each.environment for each in found.values()), missing=missing
        )
        agents = by_pk(
            store.agents, (pk for each in found.values() for pk in each.agents), missing=missing
        )
        for episode in (found[pk] for pk in chunk):
            yield build_transcript(
                episode,
                environment=environments.get(episode.environment),
                agents=[agents[pk] for pk in episode.agents if pk in agents],
            )


def _cast_member(
    episode: EpisodeLog,
    index: int,
    profile: AgentProfile | None,
    environment: EnvironmentProfile | None,
    called: str,
) -> CastMember:
    overall, scores = split_reward(episode.rewards[index])
    number = index + 1
    return CastMember(
        number=number,
        pk=episode.agents[index],
        name=(_name(profile) if profile else called.strip()) or f"Agent {number}",
        profile=profile,
        background=_background(profile) if profile else "",
        agent_class=_at(episode.agent_classes, index),
        model=_at(episode.models, number),  # the judge's is the first
        goal=_at(environment.agent_goals, index) if environment else "",
        overall=overall,
        scores=scores,
    )


def _name(profile: AgentProfile) -> str:
    return f"{profile.first_name} {profile.last_name}".strip()


def _background(profile: AgentProfile) -> str:
    """Age, occupation and pronouns, as far as they are known, and what all may know."""
    age = f"{profile.age} years old" if profile.age else ""
    short = ", ".join(
        known for known in (age, profile.occupation, profile.gender_pronoun) if known.strip()
    )
    return ". ".join(known for known in (short, profile.public_info.strip()) if known)


def _seats(cast: Sequence[CastMember], called: Sequence[str]) -> dict[str, CastMember]:
    """The agents by the names that only one of them has."""
    by_name: dict[str, set[int]] = {}
    for index, player in enumerate(cast):
        for name in (player.name, _at(called, index)):
            if name:
                by_name.setdefault(name, set()).add(index)
    return {name: cast[min(owners)] for name, owners in by_name.items() if len(owners) == 1}


def _at(texts: Sequence[str] | None, index: int) -> str:
    """The text at `index`, or "" where there is none."""
    return texts[index] if texts and index < len(texts) else ""
