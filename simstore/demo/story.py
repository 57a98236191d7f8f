"""What the demo tells: each step of it shows a call, the call's time and its answer."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel

from simstore.domain.episodes import AnnotationForEpisode, Annotator, EpisodeLog, split_reward
from simstore.domain.errors import ConflictError, InvalidRecordError, TransactionError
from simstore.domain.evaluation import GOAL
from simstore.domain.fields import Indexed
from simstore.domain.messaging import MessageTransaction, SessionTransaction
from simstore.domain.profiles import AgentProfile, RelationshipType
from simstore.domain.query import field
from simstore.domain.record import Record
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.services import (
    jsonl_to_agentprofiles,
    jsonl_to_envagnetcombostorage,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
    jsonl_to_relationshipprofiles,
)

R = TypeVar("R")
T = TypeVar("T", bound=BaseModel)

AGENTS: Final = "agent_profiles.jsonl"
ENVIRONMENTS: Final = "environment_profiles.jsonl"
RELATIONSHIPS: Final = "relationship_profiles.jsonl"
COMBOS: Final = "env_agent_combo_storages.jsonl"
EPISODES: Final = "episodes.jsonl"
FILES: Final = (AGENTS, ENVIRONMENTS, RELATIONSHIPS, COMBOS, EPISODES)

WIDTH = 99
"""How long a line may become."""

INLINE = 82
"""How many characters of code and answer share a line."""


class DemoGoalScore(Record):
    """A model that simstore does not know: how well a language model reaches its goals."""

    model: Annotated[str, Indexed()]
    mean_goal: Annotated[float, Indexed()]
    played: int


def tell(
    store: Store,
    folder: Path,
    called: str,
    out: Callable[[str], None],
    clock: Callable[[], float],
) -> None:
    """Read the files of `folder` into `store`, question it, and print the story line by line.

    `called` is what the story calls the folder, `clock` returns seconds.

    Raises:
        ImportFileError: a line of a file cannot be read.
        InvalidRecordError: a file has no records.
        SimstoreError: whatever the store raises, as for a record that lacks one it refers to.
    """
    narrator = _Narrator(out, clock)
    narrator.say("simstore: records in, answers out")
    narrator.say(f"from {called} into {store.url}")
    _read(narrator, store, folder)
    _find(narrator, store)
    _combine(narrator, store)
    _change(narrator, store)
    narrator.heading(
        "Next, keep the records in a file: python -m simstore.demo --store sqlite:///demo.db"
    )


class _Narrator:
    """Prints calls, times and answers."""

    def __init__(self, out: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock

    def say(self, text: str, end: str = "") -> None:
        # Records are foreign text: what is not printable could control the terminal.
        line = "".join(c if c.isprintable() else " " for c in text)
        room = WIDTH - len(end)
        if len(line) >= room:
            line = f"{line[: room - 4]}..."
        self._out(f"{line:<{room}}{end}" if end else line)

    def heading(self, title: str) -> None:
        self.say("")
        self.say(title)

    def ask(
        self,
        code: str,
        call: Callable[[], R],
        answer: Callable[[R], str | list[str]] = lambda _: [],
    ) -> R:
        """Run `call`, show the `code` that stands for it, its time, and its `answer`.

        An answer that is short enough follows the code on its line.
        """
        start = self._clock()
        result = call()
        milliseconds = (self._clock() - start) * 1000
        answered = answer(result)
        lines = [answered] if isinstance(answered, str) else answered
        if len(lines) == 1 and len(code) + len(lines[0]) < INLINE:
            code, lines = f"{code}  ->  {lines[0]}", []
        self.say(f"   {code}", end=f"{milliseconds:.2f} ms")
        for line in lines:
            self.say(f"      {line}")
        return result


def _read(narrator: _Narrator, store: Store, folder: Path) -> None:
    narrator.heading("1. Read five files in Sotopia's format and store every record")

    def read(file: str, load: Callable[[Path], list[T]], repository: Repository[T]) -> None:
        records = load(folder / file)
        if not records:
            raise InvalidRecordError(f"{folder / file} has no records to show")
        narrator.ask(
            f"{len(records):>5} x {repository.collection} from {file}",
            lambda: repository.save_many(records),
        )

    read(AGENTS, jsonl_to_agentprofiles, store.agents)
    read(ENVIRONMENTS, jsonl_to_environmentprofiles, store.environments)
    read(RELATIONSHIPS, jsonl_to_relationshipprofiles, store.relationships)
    read(COMBOS, jsonl_to_envagnetcombostorage, store.env_agent_combos)
    read(EPISODES, jsonl_to_episodes, store.episodes)


def _find(narrator: _Narrator, store: Store) -> None:
    """One question of each kind. What to ask for comes from the data, whatever that is."""
    narrator.heading("2. Find")
    occupations = [row["occupation"] for row in store.agents.project(["occupation"])]
    initial = _most_common(name[:1] for name in occupations)
    name = store.agents.find(limit=1)[0].first_name
    narrator.ask(
        f"store.agents.find(first_name={name!r})",
        lambda: store.agents.find(first_name=name),
        lambda found: _list(f"{_name(agent)} ({agent.occupation})" for agent in found),
    )
    narrator.ask(
        'store.agents.find((field("age") >= 30) & (field("age") < 60), order_by="-age", limit=4)',
        lambda: store.agents.find(
            (field("age") >= 30) & (field("age") < 60), order_by="-age", limit=4
        ),
        lambda found: _list(f"{_name(agent)} ({agent.age})" for agent in found),
    )
    narrator.ask(
        f'store.agents.find(field("occupation").startswith({initial!r}))',
        lambda: store.agents.find(field("occupation").startswith(initial)),
        lambda found: _list(
            (f"{agent.first_name} ({agent.occupation})" for agent in found), limit=3
        ),
    )
    narrator.ask(
        'store.environments.find(field("scenario").matches("two friends"))',
        lambda: store.environments.find(field("scenario").matches("two friends")),
        lambda found: _list(environment.codename for environment in found),
    )
    narrator.ask(
        'store.environments.project(["codename"], relationship=RelationshipType.friend)',
        lambda: store.environments.project(["codename"], relationship=RelationshipType.friend),
        lambda rows: _list(row["codename"] for row in rows),
    )
    tag = _most_common(row["tag"] for row in store.episodes.project(["tag"]))
    narrator.ask(
        f"store.episodes.count(tag={tag!r})",
        lambda: store.episodes.count(tag=tag),
        str,
    )
    narrator.ask(
        'store.episodes.explain(field("tag") == tag, field("reasoning").matches("agent"))',
        lambda: store.episodes.explain(field("tag") == tag, field("reasoning").matches("agent")),
        lambda explanation: str(explanation).splitlines(),
    )


def _combine(narrator: _Narrator, store: Store) -> None:
    narrator.heading("3. Put records together")
    busiest = _most_common(pk for row in store.episodes.project(["agents"]) for pk in row["agents"])
    played = narrator.ask(
        f'store.episodes.find(field("agents").contains({busiest!r}))',
        lambda: store.episodes.find(field("agents").contains(busiest)),
        lambda found: _list(f"{len(episode.messages)} turns" for episode in found),
    )
    narrator.ask(
        "store.agents.get_many(episode.agents)",
        lambda: store.agents.get_many(played[0].agents),
        lambda found: " and ".join(_name(agent) for agent in found),
    )
    counts = Counter(row["env_id"] for row in store.env_agent_combos.project(["env_id"]))
    most = counts.most_common(3)
    narrator.ask(
        "store.environments.get_many(most_combined)",
        lambda: store.environments.get_many([pk for pk, _ in most]),
        lambda found: _list(
            f"{environment.codename} ({count})"
            for environment, (_, count) in zip(found, most, strict=True)
        ),
    )
    scores = store.repository(DemoGoalScore)
    scores.delete_many(scores.pks())  # an earlier demo may have left some
    scores.save_many(_goal_scores(store.episodes.iterate()))
    narrator.ask(
        'store.repository(DemoGoalScore).find(order_by="-mean_goal")  # a model of your own',
        lambda: scores.find(order_by="-mean_goal"),
        lambda found: [
            f"{score.model:<16} scores {score.mean_goal:.2f} of {GOAL.range_high} for its goals, "
            f"the mean over all {score.played} agents that it played"
            for score in found
        ],
    )


def _change(narrator: _Narrator, store: Store) -> None:
    narrator.heading("4. Change, and never lose a change")
    agent = narrator.ask(
        "store.agents.update(pk, retire)",
        lambda: store.agents.update(store.agents.find(limit=1)[0].pk, _retire),
        lambda agent: f"{_name(agent)} is now a {agent.occupation}",
    )

    def write_over_another() -> str:
        mine, version = store.agents.get_versioned(agent.pk)
        store.agents.update(agent.pk, _age)  # somebody else is faster
        try:
            store.agents.save(mine, if_version=version)
        except ConflictError as error:
            return f"{type(error).__name__}: it has changed since"
        return "saved over another's change"

    narrator.ask("store.agents.save(mine, if_version=version)", write_over_another, str)
    episode = store.episodes.find(limit=1)[0]

    def annotate() -> str:
        reader = Annotator(pk="demo-reader", name="A reader", email="reader@example.org")
        annotation = AnnotationForEpisode(
            pk="demo-annotation",
            episode=episode.pk,
            annotator_id=reader.pk,
            rewards=episode.rewards,
            reasoning="As the judge says.",
        )
        try:
            with store.transaction() as tx:
                tx.annotators.save(reader)
                tx.annotations.save(annotation)
        except TransactionError as error:  # as on a cluster
            return f"{type(error).__name__}, and nothing is written: see store.lacks"
        return f"annotations of the episode: {store.annotations.count(episode=episode.pk)}"

    narrator.ask(
        "with store.transaction() as tx: tx.annotators.save(...); tx.annotations.save(...)",
        annotate,
        str,
    )

    def change_of_mind() -> bool:
        try:
            with store.transaction() as tx:
                tx.episodes.delete(episode.pk)
                raise _ChangeOfMindError  # noqa: TRY301 — that it is raised in the block is the point
        except _ChangeOfMindError:
            return store.episodes.exists(pk=episode.pk)

    narrator.ask(
        "with store.transaction() as tx: tx.episodes.delete(pk); raise ChangeOfMind",
        change_of_mind,
        lambda there: f"the episode is {'still there' if there else 'gone'}",
    )
    session = store.sessions.save(_session(episode), ttl=3600)
    sender = session.message_list[0].sender
    narrator.ask(
        f'store.sessions.count(field("message_list.sender").contains({sender!r}))',
        lambda: store.sessions.count(field("message_list.sender").contains(sender)),
        str,
    )


class _ChangeOfMindError(Exception):
    """Raised within a transaction, to see it undone."""


def _retire(agent: AgentProfile) -> None:
    agent.occupation = f"Former {agent.occupation}".removesuffix(" ")
    agent.tag = "demo"


def _age(agent: AgentProfile) -> None:
    agent.age += 1


def _goal_scores(episodes: Iterable[EpisodeLog]) -> list[DemoGoalScore]:
    """The mean goal score of each model that played; bare rewards say nothing of goals."""
    goals: dict[str, list[float]] = defaultdict(list)
    for episode in episodes:
        # The first model is the judge. Foreign episodes may name fewer models than agents.
        for model, reward in zip((episode.models or [])[1:], episode.rewards, strict=False):
            _, scores = split_reward(reward)
            if scores and GOAL.name in scores:
                goals[model].append(scores[GOAL.name])
    return [
        DemoGoalScore(model=model, mean_goal=fmean(values), played=len(values))
        for model, values in goals.items()
    ]


def _session(episode: EpisodeLog) -> SessionTransaction:
    """A live session in which the first three things of `episode` were said."""
    spoken = [
        (sender, text)
        for turn in episode.messages
        for sender, receiver, text in turn
        if receiver == "Environment" and text != "did nothing"
    ]
    return SessionTransaction(
        pk="demo-session",
        session_id="demo",
        client_id="a person",
        server_id="a model",
        message_list=[
            MessageTransaction(timestamp_str=str(second), sender=sender, message=text)
            for second, (sender, text) in enumerate(spoken[:3])
        ]
        or [MessageTransaction(timestamp_str="0", sender="nobody", message="")],
    )


def _most_common(values: Iterable[R]) -> R:
    """The most frequent of `values`, the smallest where several are.

    Raises:
        InvalidRecordError: there are none.
    """
    counts = Counter(values)
    if not counts:
        raise InvalidRecordError("the records refer to nothing that could be shown")
    return min(counts, key=lambda value: (-counts[value], str(value)))


def _list(names: Iterable[str], limit: int = 4) -> str:
    """`2 found: this, that`, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"{len(names)} found: {', '.join(names[:limit])}{more}" if names else "none"


def _name(agent: AgentProfile) -> str:
    return f"{agent.first_name} {agent.last_name}"
