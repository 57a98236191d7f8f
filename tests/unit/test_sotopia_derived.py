"""What an episode's line says of its profiles: with a store, without one, and where some lack."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import InvalidArgumentError, NotFoundError
from simstore.domain.profiles import AgentProfile, EnvironmentProfile
from simstore.domain.store import Store
from simstore.services.sotopia_files import derived, lines
from simstore.services.sotopia_files.jsonl import episodes_to_jsonl
from simstore.services.sotopia_files.lines import episode_lines

ADA = AgentProfile(
    pk="ada",
    first_name="Ada",
    last_name="Lovelace",
    age=36,
    occupation="Mathematician",
    gender="Woman",
    gender_pronoun="She/her",
    public_info="Likes engines.",
    personality_and_values="Curious.",
    secret="Bets on horses.",
)
NAMESAKE = AgentProfile(pk="namesake", first_name="Ada", last_name="Lovelace")
BOB = AgentProfile(pk="bob", first_name="Bob", last_name="Brown", gender="Robot", occupation="COOK")
DUEL = EnvironmentProfile(
    pk="duel", codename="dawn", scenario="At dawn.", agent_goals=["Win", "Live"]
)
NEEDS_PROFILES = ("scenario", "codename", "agents_background", "social_goals")


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path / 'profiles.db'}"}
    with simstore.connect(urls[request.param]) as opened:
        opened.agents.save_many([ADA, NAMESAKE, BOB])
        opened.environments.save(DUEL)
        yield opened


def episode(*agents: str, environment: str = "duel", **fields: Any) -> EpisodeLog:
    rewards = [(1.0, {"goal": 1.0})] * len(agents)
    given = {"messages": [], "rewards": rewards} | fields
    return EpisodeLog(environment=environment, agents=list(agents), **given)


def line_of(record: EpisodeLog, store: Store | None = None, **options: Any) -> dict[str, Any]:
    (line,) = episode_lines([record], store, **options)
    return line


def needing_profiles(line: dict[str, Any]) -> list[Any]:
    return [line[column] for column in NEEDS_PROFILES]


def test_profiles_in_words(store: Store) -> None:
    line = line_of(episode("ada", "bob"), store)
    assert (line["scenario"], line["codename"]) == ("At dawn.", "dawn")
    assert line["social_goals"] == {"Ada Lovelace": "Win", "Bob Brown": "Live"}
    assert line["agents_background"] == {
        "Ada Lovelace": (
            "Ada Lovelace is a 36-year-old female mathematician. She/her pronouns. Likes engines. "
            "Personality and values description: Curious. Ada's secrets: Bets on horses."
        ),
        "Bob Brown": (
            "Bob Brown is a 0-year-old  cook.  pronouns.  "
            "Personality and values description:  Bob's secrets: "
        ),
    }


@pytest.mark.parametrize(
    ("gender", "adjective"),
    [("Man", "male"), ("Woman", "female"), ("Nonbinary", "nonbinary"), ("man", ""), ("", "")],
)
def test_genders_in_words(gender: str, adjective: str) -> None:
    person = derived.person_of(AgentProfile(first_name="A", last_name="B", gender=gender))
    assert person.background.startswith(f"A B is a 0-year-old {adjective} . ")


def test_without_a_store_what_needs_profiles_is_none() -> None:
    line = line_of(episode("ada", "bob"))
    assert needing_profiles(line) == [None] * 4
    assert line["social_interactions"] == ""
    assert line["rewards"] == [(1.0, {"goal": 1.0})] * 2


def test_agents_of_one_name_are_told_apart(store: Store) -> None:
    line = line_of(episode("ada", "namesake", "ada", "bob"), store)
    names = ["Ada Lovelace", "Ada Lovelace (2)", "Ada Lovelace (3)", "Bob Brown"]
    assert list(line["agents_background"]) == names
    assert line["agents_background"]["Ada Lovelace (2)"].startswith("Ada Lovelace is a 0-year-old")
    assert line["social_goals"] == dict(zip(names, ["Win", "Live", None, None], strict=True))


def test_a_name_that_looks_like_a_numbered_one_stays_its_own() -> None:
    names = ["Ada (2)", "Ada", "Ada", "Ada (2)"]
    assert derived.distinct(names) == ["Ada (2)", "Ada", "Ada (3)", "Ada (2) (2)"]


@pytest.mark.parametrize("agents", [("ada",), ("ada", "bob", "namesake"), ("ada", "bob") * 3])
def test_any_number_of_agents(store: Store, agents: tuple[str, ...]) -> None:
    line = line_of(episode(*agents), store)
    assert len(line["agents_background"]) == len(line["social_goals"]) == len(agents)
    assert list(line["social_goals"].values())[2:] == [None] * (len(agents) - 2)
    assert line["agent_ids"] == list(agents)
    assert len(line["raw_rewards"]) == len(agents)


@pytest.mark.parametrize("rewards", [[0.0, 1.0], [(1.0, {"goal": 1.0}), 0.0]])
def test_bare_rewards_are_only_raw_ones(rewards: list[Any]) -> None:
    line = line_of(episode("ada", "bob", rewards=rewards))
    assert line["raw_rewards"] == rewards
    assert line["rewards"] is None


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (episode("ada", "bob", environment="gone"), [False, False, True, False]),
        (episode("ada", "gone"), [True, True, False, False]),
        (episode("gone", environment="gone"), [False, False, False, False]),
        (episode("a/b", environment="\x00"), [False, False, False, False]),
    ],
)
def test_missing_profiles_can_be_none(
    store: Store, record: EpisodeLog, expected: list[bool]
) -> None:
    line = line_of(record, store, missing_profiles="null")
    assert [value is not None for value in needing_profiles(line)] == expected


def test_missing_environments_are_all_named(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_text("before")
    records = [episode("ada", "bob", environment=f"gone{n // 2}") for n in range(300)]
    with pytest.raises(NotFoundError) as raised:
        episodes_to_jsonl([episode("ada"), *records, episode("nobody")], path, store=store)
    assert raised.value.collection == "EnvironmentProfile"
    assert raised.value.pks == tuple(f"gone{n}" for n in range(150))
    assert path.read_text() == "before"
    assert list(tmp_path.glob("*partial*")) == []


def test_missing_agents_are_all_named(store: Store) -> None:
    records = [episode("ada", "nobody"), *([episode("ada", "bob")] * 200), episode("", "nobody")]
    with pytest.raises(NotFoundError) as raised:
        list(episode_lines(records, store))
    assert raised.value.collection == "AgentProfile"
    assert raised.value.pks == ("nobody", "")


@pytest.mark.parametrize("missing", [0, 50, 120, 125])
def test_no_line_is_made_of_those_at_hand_when_a_profile_is_lacking(
    store: Store, missing: int
) -> None:
    records = [episode("ada", "bob")] * 150
    records[missing] = episode("ada", "nobody")
    found = episode_lines(records * 3, store)
    # The first hundred have profiles to read; then ten at a time have none.
    before = 0 if missing < 100 else 120
    assert sum(1 for _ in zip(range(before), found, strict=False)) == before
    with pytest.raises(NotFoundError):
        next(found)


def test_an_unknown_way_with_missing_profiles_is_refused_at_once(store: Store) -> None:
    with pytest.raises(InvalidArgumentError, match="not 'skip'"):
        episode_lines([], store, "skip")  # type: ignore[arg-type]  # that is the point


class Calls:
    """A store whose repositories count how often they are asked for many records."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[tuple[str, int]] = []

    def __getattr__(self, name: str) -> Any:
        return Counted(getattr(self._store, name), self.asked)


class Counted:
    def __init__(self, repository: Any, asked: list[tuple[str, int]]) -> None:
        self._repository = repository
        self._asked = asked
        self.collection = repository.collection

    def get_many(self, pks: Iterable[str], *, missing: str) -> Sequence[Any]:
        wanted = list(pks)
        self._asked.append((self.collection, len(wanted)))
        found: Sequence[Any] = self._repository.get_many(wanted, missing=missing)
        return found


def profiles(count: int) -> Store:
    store = simstore.connect("memory://")
    store.agents.save_many(
        AgentProfile(pk=f"agent{n}", first_name="A", last_name=str(n)) for n in range(2 * count)
    )
    store.environments.save_many(
        EnvironmentProfile(pk=f"scene{n}", scenario=str(n)) for n in range(count)
    )
    return store


def thousand(different: int) -> Iterator[EpisodeLog]:
    for n in range(1000):
        first = 2 * (n % different)
        yield episode(f"agent{first}", f"agent{first + 1}", environment=f"scene{n % different}")


def test_a_thousand_episodes_of_ten_profiles_are_two_reads() -> None:
    calls = Calls(profiles(5))
    found = list(episode_lines(thousand(5), calls))
    assert calls.asked == [("EnvironmentProfile", 5), ("AgentProfile", 10)]
    assert [line["scenario"] for line in found] == [str(n % 5) for n in range(1000)]


def test_a_thousand_episodes_of_profiles_of_their_own_are_two_reads_a_hundred() -> None:
    calls = Calls(profiles(1000))
    found = list(episode_lines(thousand(1000), calls))
    assert calls.asked == [("EnvironmentProfile", 100), ("AgentProfile", 200)] * 10
    assert [line["scenario"] for line in found] == [str(n) for n in range(1000)]


def test_missing_profiles_are_not_asked_for_twice() -> None:
    calls = Calls(profiles(0))
    list(episode_lines(thousand(5), calls, "null"))
    assert calls.asked == [("EnvironmentProfile", 5), ("AgentProfile", 10)]


def test_few_texts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "KEPT_TEXTS", 3)
    calls = Calls(profiles(10))
    known = derived.Known(calls.agents, derived.person_of)
    for asked in (["agent0", "agent1", "agent2"], ["agent0"], ["agent3"], ["agent0"], ["agent1"]):
        assert list(known.of(asked)) == asked
    # The one that was used longest ago went first: 1, when 3 came.
    assert [count for _, count in calls.asked] == [3, 1, 1]
    assert len(known.of(f"agent{n}" for n in range(10))) == 10


def test_few_episodes_are_taken_at_a_time_whose_profiles_are_at_hand() -> None:
    taken = 0

    def counted() -> Iterator[EpisodeLog]:
        nonlocal taken
        for record in thousand(5):
            taken += 1
            yield record

    ahead = [taken - n for n, _ in enumerate(episode_lines(counted(), profiles(5)))]
    assert max(ahead[:100]) == lines.EPISODES_AT_A_TIME
    assert max(ahead[100:]) == lines.KNOWN_AT_A_TIME == 10


def test_episodes_are_read_a_hundred_at_a_time() -> None:
    taken = 0

    def counted() -> Iterator[EpisodeLog]:
        nonlocal taken
        for record in thousand(5):
            taken += 1
            yield record

    next(episode_lines(counted(), profiles(5)))
    assert taken == lines.EPISODES_AT_A_TIME == 100
