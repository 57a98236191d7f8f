"""Records as the lines of Sotopia's files: its keys and values first, then what it drops.

Lines hold the values of their records, not copies: tuples stay tuples, which JSON writes as lists.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import (
    InvalidArgumentError,
    InvalidRecordError,
    NotFoundError,
    WrongModelError,
)
from simstore.domain.profiles import RelationshipType
from simstore.domain.store import Store
from simstore.services.files.layout import Layout, Line
from simstore.services.rendering.text import social_interactions
from simstore.services.sotopia_files import derived
from simstore.services.sotopia_files.layout import NO_CONSTRAINT

T = TypeVar("T", bound=BaseModel)

MissingProfiles = Literal["raise", "null"]
"""What becomes of profiles that episodes name and the store does not have: an error that names
them all, or null in the columns that need them."""

EPISODES_AT_A_TIME = 100
"""For how many episodes profiles are read at once."""

KNOWN_AT_A_TIME = 10
"""How many episodes are taken whose profiles were read before: few enough to stay in a processor's
cache from when they were read until they are written, which saves a sixth of an export's time."""


def record_lines(layout: Layout[T], records: Iterable[T]) -> Iterator[Line]:
    """Yield the line of each of `records`, which are not episodes: see `episode_lines`.

    Raises:
        WrongModelError: a record is not of the layout's model.
        InvalidRecordError: a record was changed so that no line could be read again.
    """
    for record in _checked(layout.model, records):
        yield {key: _value(key, getattr(record, name)) for key, name in layout.fields.items()}


def episode_lines(
    episodes: Iterable[EpisodeLog],
    store: Store | None = None,
    missing_profiles: MissingProfiles = "raise",
) -> Iterator[Line]:
    """Yield the line of each of `episodes`, with what the profiles in `store` say of them.

    Without a store, the columns ``scenario``, ``codename``, ``agents_background`` and
    ``social_goals`` are None. With one, profiles are read in bulk, for
    `EPISODES_AT_A_TIME` episodes at once. Profiles that it lacks are an error, or with
    ``missing_profiles="null"`` make None of the columns that need them. ``rewards`` is None where
    `get_rewards_from_episode` would raise.

    Raises:
        InvalidArgumentError: `missing_profiles` is neither.
        NotFoundError: names every environment that is not stored or, if there is none, every
            agent. It comes when all episodes were read, so that it can name them all.
        WrongModelError: an item is not an episode.
        InvalidRecordError: an episode was changed so that no line could be read again.
        SimstoreError: whatever the store raises.
    """
    if missing_profiles not in {"raise", "null"}:
        raise InvalidArgumentError(
            f"missing_profiles is 'raise' or 'null', not {missing_profiles!r}"
        )
    checked = _checked(EpisodeLog, episodes)
    if store is None:
        return (_episode_line(episode, None, None) for episode in checked)
    return _lines_with_profiles(checked, store, strict=missing_profiles == "raise")


def _lines_with_profiles(
    episodes: Iterator[EpisodeLog], store: Store, *, strict: bool
) -> Iterator[Line]:
    scenes = derived.Known(store.environments, derived.scene_of)
    people = derived.Known(store.agents, derived.person_of)
    no_scene: dict[str, None] = {}
    nobody: dict[str, None] = {}
    for chunk in _chunks(episodes, scenes, people):
        scene_of = scenes.of(episode.environment for episode in chunk)
        person_of = people.of(pk for episode in chunk for pk in episode.agents)
        if strict:
            no_scene |= {pk: None for pk, scene in scene_of.items() if scene is None}
            nobody |= {pk: None for pk, person in person_of.items() if person is None}
            if no_scene or nobody:
                continue  # only to name what else is missing
        for episode in chunk:
            found = [person for pk in episode.agents if (person := person_of[pk]) is not None]
            everyone = found if len(found) == len(episode.agents) else None
            yield _episode_line(episode, scene_of[episode.environment], everyone)
    if no_scene:
        raise NotFoundError(scenes.collection, list(no_scene))
    if nobody:
        raise NotFoundError(people.collection, list(nobody))


def _chunks(
    episodes: Iterable[EpisodeLog], scenes: derived.Known[Any, Any], people: derived.Known[Any, Any]
) -> Iterator[list[EpisodeLog]]:
    """`episodes` in their order, so many at a time as profiles are to be had for at once."""
    chunk: list[EpisodeLog] = []
    most = KNOWN_AT_A_TIME
    for episode in episodes:
        if episode.environment not in scenes or any(pk not in people for pk in episode.agents):
            most = EPISODES_AT_A_TIME
        chunk.append(episode)
        if len(chunk) >= most:
            yield chunk
            chunk, most = [], KNOWN_AT_A_TIME
    if chunk:
        yield chunk


def _episode_line(
    episode: EpisodeLog, scene: derived.Scene | None, people: list[derived.Person] | None
) -> Line:
    return {
        "episode_id": episode.pk,
        "environment_id": episode.environment,
        "agent_ids": episode.agents,
        "experiment_tag": episode.tag,
        "experiment_model_name_pairs": episode.models,
        "raw_messages": episode.messages,
        "raw_rewards": episode.rewards,
        "raw_rewards_prompt": episode.rewards_prompt,
        "scenario": scene and scene.scenario,
        "codename": scene and scene.codename,
        "agents_background": derived.backgrounds(people),
        "social_goals": derived.social_goals(people, scene),
        "social_interactions": social_interactions(episode),
        "reasoning": episode.reasoning,
        "rewards": derived.scores_or_none(episode),
        "agent_classes": episode.agent_classes,
    }


def _value(key: str, value: Any) -> Any:
    """A field's value as Sotopia's lines have it."""
    if isinstance(value, RelationshipType):
        return str(value.value)
    if value is None and key == "agent_constraint":
        return NO_CONSTRAINT
    return value


def _checked(model: type[T], records: Iterable[T]) -> Iterator[T]:
    """`records` as their model holds them to be: a record can be changed after it was made."""
    if isinstance(records, BaseModel):
        raise InvalidArgumentError("one record is no list of records; give [record]")
    validate = model.__pydantic_validator__.validate_python
    for record in records:
        # Of pydantic's models, isinstance() alone takes longer than the check of many a record.
        if type(record) is not model and not isinstance(record, model):
            raise WrongModelError(
                f"these lines are of {model.__name__}, not of {type(record).__name__}"
            )
        try:
            valid: T = validate(record.__dict__, strict=False, by_alias=False, by_name=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = "".join(f"{step}: " for step in first["loc"][:1])
            reason = first["msg"].removeprefix("Value error, ")
            raise InvalidRecordError(
                f"{model.__name__} {getattr(record, 'pk', '')!r} cannot be written: {place}{reason}"
            ) from error
        yield valid
