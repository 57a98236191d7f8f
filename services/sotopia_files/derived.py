"""What an episode's line says for human readers: of the profiles it names, and of the talk."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import RewardsUnavailableError
from simstore.domain.profiles import AgentProfile, EnvironmentProfile
from simstore.domain.record import Record
from simstore.domain.repository import Repository
from simstore.services.lookup import by_pk
from simstore.services.rewards import get_rewards_from_episode

R = TypeVar("R", bound=Record)
D = TypeVar("D")

KEPT_TEXTS = 4_096
"""How many agents' and how many environments' texts are kept at a time: a few MB."""

_ADJECTIVES = {"Man": "male", "Woman": "female", "Nonbinary": "nonbinary"}


@dataclass(frozen=True, slots=True)
class Person:
    """What episodes' lines say of an agent."""

    name: str
    background: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What episodes' lines say of an environment."""

    scenario: str
    codename: str
    goals: tuple[str, ...]


def person_of(agent: AgentProfile) -> Person:
    """The name of `agent`, and who it is in Sotopia's words."""
    name = f"{agent.first_name} {agent.last_name}"
    background = (
        f"{name} is a {agent.age}-year-old {_ADJECTIVES.get(agent.gender, '')} "
        f"{agent.occupation.lower()}. {agent.gender_pronoun} pronouns. {agent.public_info} "
        f"Personality and values description: {agent.personality_and_values} "
        f"{agent.first_name}'s secrets: {agent.secret}"
    )
    return Person(name, background)


def scene_of(environment: EnvironmentProfile) -> Scene:
    """What `environment` gives to the lines of its episodes."""
    return Scene(environment.scenario, environment.codename, tuple(environment.agent_goals))


class Known(Generic[R, D]):
    """What `derive` makes of the records of a repository, read in bulk and not twice soon.

    The `KEPT_TEXTS` last used ones are kept, those of missing records (None) too.
    """

    def __init__(self, repository: Repository[R], derive: Callable[[R], D]) -> None:
        self._repository = repository
        self._derive = derive
        self._kept: OrderedDict[str, D | None] = OrderedDict()

    @property
    def collection(self) -> str:
        """Whose records they are."""
        return self._repository.collection

    def __contains__(self, pk: str) -> bool:
        """Whether what is derived of `pk` is at hand."""
        return pk in self._kept

    def of(self, pks: Iterable[str]) -> dict[str, D | None]:
        """What is derived for each of `pks`; None for those that are not stored."""
        asked = dict.fromkeys(pks)
        unknown = [pk for pk in asked if pk not in self._kept]
        if unknown:
            found = by_pk(self._repository, unknown, missing="skip")
            for pk in unknown:
                self._kept[pk] = self._derive(found[pk]) if pk in found else None
        answer: dict[str, D | None] = {}
        for pk in asked:
            self._kept.move_to_end(pk)
            answer[pk] = self._kept[pk]
        while len(self._kept) > KEPT_TEXTS:
            self._kept.popitem(last=False)
        return answer


def backgrounds(people: list[Person] | None) -> dict[str, str] | None:
    """Each agent's name and who it is; None where the agents are not known."""
    if people is None:
        return None
    names = distinct(person.name for person in people)
    return {name: person.background for name, person in zip(names, people, strict=True)}


def social_goals(people: list[Person] | None, scene: Scene | None) -> dict[str, str | None] | None:
    """Each agent's name and the goal at its position, None where the scene has no goal for it.

    None where the agents or the scene are not known.
    """
    if people is None or scene is None:
        return None
    names = distinct(person.name for person in people)
    goals = (*scene.goals, *(None for _ in names))
    return dict(zip(names, goals, strict=False))


def distinct(names: Iterable[str]) -> list[str]:
    """`names`, those that came before with a number behind: "Ada Lovelace (2)"."""
    taken: dict[str, None] = {}
    for name in names:
        shown, number = name, 1
        while shown in taken:
            number += 1
            shown = f"{name} ({number})"
        taken[shown] = None
    return list(taken)


def scores_or_none(episode: EpisodeLog) -> list[tuple[float, dict[str, Any]]] | None:
    """`get_rewards_from_episode`, or None where an agent has no scores."""
    try:
        return get_rewards_from_episode(episode)
    except RewardsUnavailableError:
        return None
