"""Episodes as plain text: Sotopia's rendering, to the letter."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import simstore
from simstore import AgentProfile, EpisodeLog, NotFoundError, Store
from simstore.domain.episodes import Message, Reward
from simstore.samples import sample_path
from simstore.services import jsonl_to_agentprofiles, jsonl_to_episodes
from simstore.services.rendering.text import (
    render_for_humans,
    rendered_strings,
    social_interactions,
    turn_strings,
)
from simstore.testing.records import episode_logs

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "episodes.jsonl"

OPENINGS: list[Message] = [
    ("Environment", "Ann", "a"),
    ("Environment", "Bob", "b"),
]
SAW_A = "Ann's perspective (i.e., what Ann knows before the episode starts): a"
SAW_B = "Bob's perspective (i.e., what Bob knows before the episode starts): b"

ANN = AgentProfile(pk="ann", first_name="Ann", last_name="Lee")
BOB = AgentProfile(pk="bob", first_name="Bob", last_name="Ray")


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path / 'text.db'}"}
    with simstore.connect(urls[request.param]) as opened:
        yield opened


def episode(
    *turns: list[Message],
    tag: str | None = "",
    agents: tuple[str, ...] = ("ann", "bob"),
    rewards: list[Reward] | None = None,
) -> EpisodeLog:
    return EpisodeLog(
        environment="park",
        agents=list(agents),
        messages=list(turns),
        rewards=[0.0] * len(agents) if rewards is None else rewards,
        reasoning="because",
        tag=tag,
    )


def golden(path: Path) -> list[tuple[EpisodeLog, str]]:
    """The episodes of a file, with the interactions that the file's author computed."""
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line
    ]
    texts = [line["social_interactions"] for line in lines]
    return list(zip(jsonl_to_episodes(path), texts, strict=True))


# -------------------------------------------------------------------------------- a turn


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (("Ann", "Environment", 'said: "hi"'), 'Ann said: "hi"'),
        (("Ann", "Environment", "[action] waves"), "Ann: [action] waves"),
        (("Ann", "Environment", "left the conversation"), "Ann: left the conversation"),
        (("Ann", "Environment", "did nothing"), ""),
        (("Ann", "Environment", 'said: "I did nothing wrong"'), ""),
        (("Ann", "Environment", '[action] said: "hi"'), 'Ann [action] said: "hi"'),
        (("Environment", "Environment", "It did nothing but rain."), "It did nothing but rain."),
        (("Environment", "Ann", "Turn #1: ..."), ""),
        (("Ann", "Bob", "psst"), ""),
        (("", "Environment", ""), ": "),
    ],
)  # fmt: skip
def test_what_becomes_of_a_message(message: Message, expected: str) -> None:
    assert turn_strings(episode([], [message]))[1] == expected


def test_the_first_turn_begins_with_what_the_first_two_receivers_know() -> None:
    first = [*OPENINGS, ("Environment", "Cid", "c"), ("Ann", "Environment", 'said: "hi"')]
    assert turn_strings(episode(first)) == [f'{SAW_A}\n{SAW_B}\nAnn said: "hi"']


@pytest.mark.parametrize(
    ("first", "expected"), [([], ""), (OPENINGS[:1], SAW_A), (OPENINGS, f"{SAW_A}\n{SAW_B}")]
)
def test_a_first_turn_has_the_openings_that_there_are(first: list[Message], expected: str) -> None:
    assert turn_strings(episode(first)) == [expected]


# ------------------------------------------------------------------------------ rewards


def test_the_rewards_of_two_agents_read_as_sotopia_writes_them() -> None:
    rewards: list[Reward] = [(2.5, {"goal": 5.0, "secret": 0.0}), 0.0]
    assert rendered_strings(episode(OPENINGS, rewards=rewards))[1:] == [
        "The reasoning is:\nbecause",
        "The rewards are:\nAgent 1: (2.5, {'goal': 5.0, 'secret': 0.0})\nAgent 2: 0.0",
    ]


@pytest.mark.parametrize(
    ("agents", "expected"),
    [
        ((), "The rewards are:"),
        (("ann",), "The rewards are:\nAgent 1: 0.0"),
        (("ann", "bob", "cid"), "The rewards are:\nAgent 1: 0.0\nAgent 2: 0.0\nAgent 3: 0.0"),
    ],
)
def test_any_number_of_agents_has_a_line_each(agents: tuple[str, ...], expected: str) -> None:
    assert rendered_strings(episode(agents=agents))[-1] == expected


# ------------------------------------------------------------------------------ profiles


def test_render_for_humans_adds_the_profiles_in_the_episode_s_order(store: Store) -> None:
    store.agents.save_many([ANN, BOB])
    played = episode(OPENINGS, agents=("bob", "ann", "bob"))
    profiles, strings = render_for_humans(played, store)
    assert profiles == [BOB, ANN, BOB]
    assert strings == rendered_strings(played)


def test_profiles_that_are_missing_are_all_named_or_left_out(store: Store) -> None:
    store.agents.save(BOB)
    # A name with a slash, and none at all, are found in old data; neither can be a key.
    played = episode(OPENINGS, agents=("ann", "bob", "Cid/Dee", ""))
    with pytest.raises(NotFoundError) as caught:
        render_for_humans(played, store)
    assert caught.value.pks == ("ann", "Cid/Dee", "")
    assert render_for_humans(played, store, missing="skip")[0] == [BOB]


def test_missing_is_raise_or_skip(store: Store) -> None:
    with pytest.raises(simstore.InvalidArgumentError, match="missing is 'raise' or 'skip'"):
        render_for_humans(episode(), store, missing="ignore")  # type: ignore[arg-type]  # on purpose


def test_the_samples_agents_are_found(store: Store) -> None:
    store.agents.save_many(jsonl_to_agentprofiles(sample_path() / "agent_profiles.jsonl"))
    for played in jsonl_to_episodes(sample_path() / "episodes.jsonl"):
        assert [each.pk for each in render_for_humans(played, store)[0]] == played.agents


# -------------------------------------------------------------------- social interactions


def test_the_samples_interactions_are_those_in_the_file() -> None:
    pairs = golden(sample_path() / "episodes.jsonl")
    assert len(pairs) == 4
    for played, expected in pairs:
        assert social_interactions(played) == expected != ""


@pytest.mark.skipif(not REAL.is_file(), reason="the real data is not beside this checkout")
def test_sotopia_s_own_interactions_are_the_same() -> None:
    pairs = golden(REAL)
    assert len(pairs) == 20
    for played, expected in pairs:
        assert social_interactions(played) == expected != ""


HI: list[Message] = [("Ann", "Environment", 'said: "hi"')]
HO: list[Message] = [("Bob", "Environment", 'said: "ho"')]
STARTED: list[Message] = [
    ("Environment", "Ann", "a Conversation Starts:\n\n"),
    ("Environment", "Bob", "b Conversation Starts:\n\n0"),
    *HI,
]


@pytest.mark.parametrize("turns", [[], [STARTED]], ids=["none", "one"])
@pytest.mark.parametrize("tag", ["", "script"])
def test_fewer_than_two_turns_have_no_interactions(turns: list[list[Message]], tag: str) -> None:
    assert social_interactions(episode(*turns, tag=tag)) == ""


def test_the_first_turn_counts_from_where_the_conversation_starts_for_both() -> None:
    assert social_interactions(episode(STARTED, HO, HO)) == '0\nAnn said: "hi"\n\nBob said: "ho"'
    once = [STARTED[0], ("Environment", "Bob", "b"), *HI]
    assert social_interactions(episode(once, HO, HO)) == 'Bob said: "ho"'


@pytest.mark.parametrize(
    ("tag", "first_turn"),
    [
        (None, True),
        ("", True),
        ("scripted", True),
        ("my-script", True),
        ("Script", True),
        ("script", False),
        ("a_script_b", False),
    ],
)
def test_a_script_leaves_out_its_first_turn(tag: str | None, first_turn: bool) -> None:
    assert ("hi" in social_interactions(episode(STARTED, HO, HO, tag=tag))) is first_turn


@given(episode_logs())
def test_interactions_are_what_sotopia_cuts_out_of_its_strings(played: EpisodeLog) -> None:
    strings = rendered_strings(played)
    assert len(strings) == len(played.messages) + 2
    marker = "Conversation Starts:\n\n"
    kept = strings[1:-3]
    starts = strings[0].split(marker)
    scripted = played.tag is not None and "script" in played.tag.split("_")
    if len(strings) > 3 and not scripted and len(starts) >= 3:
        kept = [starts[-1], *kept]
    assert social_interactions(played) == "\n\n".join(kept)
