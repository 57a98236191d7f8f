"""What a transcript shows: who plays, what they said and did, their scores."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

import simstore
from simstore import AgentProfile, EnvironmentProfile, EpisodeLog, NotFoundError, Store
from simstore.domain.episodes import Message, Reward
from simstore.domain.evaluation import OVERALL_SCORE
from simstore.samples import sample_path
from simstore.services import (
    jsonl_to_agentprofiles,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
)
from simstore.services.rendering.messages import Kind, Line, Opening, Turn
from simstore.services.rendering.numbers import score_text
from simstore.services.rendering.transcript import (
    ScoreRow,
    build_transcript,
    transcript_of,
    transcripts_of,
)
from simstore.services.rendering.visible import one_line, visible
from simstore.testing.records import episode_logs

ANN = AgentProfile(
    pk="ann",
    first_name="Ann",
    last_name="Lee",
    age=34,
    occupation="Tram driver",
    gender_pronoun="She/her",
    public_info="Ann knows every stop.",
)
BOB = AgentProfile(pk="bob", first_name="Bob", last_name="Ray")
PARK = EnvironmentProfile(
    pk="park", codename="bench", scenario="Two on a bench.", agent_goals=["Sit", "Stand"]
)
EPISODES = sample_path() / "episodes.jsonl"


def episode(
    *turns: list[Message],
    agents: tuple[str, ...] = ("ann", "bob"),
    rewards: list[Reward] | None = None,
    models: list[str] | None = None,
) -> EpisodeLog:
    return EpisodeLog(
        pk="talk",
        environment="park",
        agents=list(agents),
        messages=list(turns),
        rewards=[0.0] * len(agents) if rewards is None else rewards,
        models=models,
    )


# ----------------------------------------------------------------------- what a message is


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ('said: "Hello."', Kind.SAID, "Hello."),
        ('said: "She said: "no"."', Kind.SAID, 'She said: "no".'),
        ('said: "two\nlines"\n', Kind.SAID, "two\nlines"),
        ("said: without quotes", Kind.SAID, "without quotes"),
        ('said: "I did nothing."', Kind.SAID, "I did nothing."),
        ('said: ""', Kind.SAID, ""),
        ('said: "', Kind.SAID, '"'),
        ("[action] waves", Kind.ACTION, "waves"),
        ("[non-verbal communication] nods", Kind.NON_VERBAL, "nods"),
        ("left the conversation", Kind.LEFT, ""),
        ("[dance] twirls", Kind.OTHER, "[dance] twirls"),
        ("", Kind.OTHER, ""),
    ],
)
def test_the_kind_of_a_message(text: str, kind: Kind, shown: str) -> None:
    (turn,) = build_transcript(episode([("Ann Lee", "Environment", text)])).turns
    assert turn.lines == (Line("Ann Lee", kind, shown),)


def test_those_who_did_nothing_have_no_line_and_a_turn_of_them_is_empty() -> None:
    idle: Message = ("Ann Lee", "Environment", "did nothing")
    acted: Message = ("Bob Ray", "Environment", "[action] waves")
    assert build_transcript(episode([idle, acted], [idle, idle], [acted])).turns == (
        Turn(1, (Line("Bob Ray", Kind.ACTION, "waves"),)),
        Turn(2, ()),
        Turn(3, (Line("Bob Ray", Kind.ACTION, "waves"),)),
    )


def test_what_the_environment_repeats_is_left_out_and_what_else_it_says_is_not() -> None:
    made = build_transcript(
        episode(
            [("Environment", "Ann Lee", "You are Ann."), ("Environment", "Environment", "Dawn.")],
            [("Environment", "Ann Lee", "Turn #1: Bob waves"), ("Ann Lee", "Bob Ray", "psst")],
            [("Environment", "Ann Lee", "You alone hear a bell.")],
            [("Environment", "Ann Lee", "Turn #3: ")],
        )
    )
    assert made.openings == (Opening("Ann Lee", "You are Ann."),)
    assert made.turns == (
        Turn(1, (Line("Environment", Kind.OTHER, "Dawn."),)),
        Turn(2, (Line("Ann Lee", Kind.OTHER, "psst", to="Bob Ray"),)),
        Turn(3, (Line("Environment", Kind.OTHER, "You alone hear a bell.", to="Ann Lee"),)),
    )


# ------------------------------------------------------------------------------- the cast


def test_the_cast_knows_what_the_profiles_say() -> None:
    made = build_transcript(
        episode(models=["judge", "oak", "birch"]), environment=PARK, agents=[BOB, ANN]
    )
    ann, bob = made.cast
    assert (ann.number, ann.name, ann.model, ann.goal) == (1, "Ann Lee", "oak", "Sit")
    assert ann.background == "34 years old, Tram driver, She/her. Ann knows every stop."
    assert (bob.number, bob.name, bob.model, bob.goal) == (2, "Bob Ray", "birch", "Stand")
    assert bob.background == ""
    assert (made.judge, made.other_models) == ("judge", ())
    assert made.seats == {"Ann Lee": ann, "Bob Ray": bob}


def test_models_that_no_agent_has_are_not_lost() -> None:
    made = build_transcript(episode(agents=("ann",), models=["judge", "oak", "birch", "elm"]))
    assert made.other_models == ("birch", "elm")


def test_without_profiles_agents_go_by_what_the_environment_calls_them() -> None:
    first: list[Message] = [("Environment", "Ann", ""), ("Environment", "Bob", "")]
    made = build_transcript(episode(first))
    assert [(each.name, each.profile) for each in made.cast] == [("Ann", None), ("Bob", None)]
    assert [seat.number for seat in made.seats.values()] == [1, 2]


def test_names_are_not_guessed_when_the_environment_calls_fewer_than_there_are() -> None:
    made = build_transcript(episode([("Environment", "Bob", "")]))
    assert [each.name for each in made.cast] == ["Agent 1", "Agent 2"]


def test_a_profile_s_name_and_what_the_environment_says_lead_to_the_same_seat() -> None:
    first: list[Message] = [("Environment", "Annie", ""), ("Environment", "Bob Ray", "")]
    made = build_transcript(episode(first), agents=[ANN, BOB])
    assert {name: seat.number for name, seat in made.seats.items()} == {
        "Ann Lee": 1,
        "Annie": 1,
        "Bob Ray": 2,
    }


def test_agents_of_one_name_share_it_and_no_line_is_given_to_either() -> None:
    twin = ANN.model_copy(update={"pk": "twin"})
    made = build_transcript(episode(agents=("ann", "twin")), agents=[ANN, twin])
    assert [each.name for each in made.cast] == ["Ann Lee", "Ann Lee"]
    assert made.seats == {}


def test_profiles_of_others_are_left_aside() -> None:
    made = build_transcript(
        episode(agents=("ann",)),
        environment=PARK.model_copy(update={"pk": "pub"}),
        agents=[BOB],
    )
    assert made.environment is None
    assert made.cast[0].profile is None


# --------------------------------------------------------------------------------- scores


def test_scores_are_sotopia_s_dimensions_first_then_others_each_with_every_agent() -> None:
    rewards: list[Reward] = [
        (1.5, {"wit": 1.0, "goal": 2.0, OVERALL_SCORE: 1.5}),
        -1.0,
        (3.0, {"secret": -3.0, "goal": 4.0}),
    ]
    made = build_transcript(episode(agents=("ann", "bob", "cid"), rewards=rewards))
    assert made.score_rows() == [
        ScoreRow("secret", (-10, 0), (None, None, -3.0)),
        ScoreRow("goal", (0, 10), (2.0, None, 4.0)),
        ScoreRow("wit", None, (1.0, None, None)),
    ]
    assert [each.overall for each in made.cast] == [1.5, -1.0, 3.0]


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (None, "\N{EN DASH}"),
        (9.0, "9"),
        (-0.0, "0"),
        (26 / 7, "3.714"),
        (-0.5, "-0.5"),
        (1e300, "1e+300"),
        (float("-inf"), "-inf"),
    ],
)
def test_scores_are_short(score: float | None, text: str) -> None:
    assert score_text(score) == text


# ------------------------------------------------------------------------------ from stores


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path / 'transcripts.db'}"}
    with simstore.connect(urls[request.param]) as opened:
        yield opened


def test_a_store_s_transcripts_have_all_their_profiles(store: Store) -> None:
    agents = jsonl_to_agentprofiles(sample_path() / "agent_profiles.jsonl")
    environments = jsonl_to_environmentprofiles(sample_path() / "environment_profiles.jsonl")
    episodes = jsonl_to_episodes(EPISODES)
    store.agents.save_many(agents)
    store.environments.save_many(environments)
    store.episodes.save_many(episodes)
    pks = [each.pk for each in episodes] * 30
    made = list(transcripts_of(store, pks, missing="raise"))
    assert [each.episode.pk for each in made] == pks
    for each, played in zip(made, episodes, strict=False):
        (environment,) = (one for one in environments if one.pk == played.environment)
        assert each == build_transcript(played, environment=environment, agents=agents)
        assert all(member.profile for member in each.cast)
    assert transcript_of(store, pks[0]) == made[0]


def test_missing_profiles_are_none_or_raised(store: Store) -> None:
    store.episodes.save(episode(agents=("ann", "bob", "ann", "")))
    store.agents.save(BOB)
    made = transcript_of(store, "talk")
    assert made.environment is None
    assert [each.profile for each in made.cast] == [None, BOB, None, None]
    with pytest.raises(NotFoundError) as caught:
        transcript_of(store, "talk", missing="raise")
    assert caught.value.pks == ("park",)
    store.environments.save(PARK)
    with pytest.raises(NotFoundError) as caught:
        transcript_of(store, "talk", missing="raise")
    assert caught.value.pks == ("ann", "")


def test_a_missing_episode_is_always_an_error(store: Store) -> None:
    with pytest.raises(NotFoundError, match="EpisodeLog has no record 'talk'"):
        transcript_of(store, "talk")


# -------------------------------------------------------------------------- visible text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("\x00\x1b[31m\x7f", "␀␛[31m␡"),
        ("\x85\u2028", "⟨U+0085⟩⟨U+2028⟩"),
        ("\u202egnp.exe", "⟨U+202E⟩gnp.exe"),
        ("\u2066a\u2069\u061c\ufeff\u200b", "⟨U+2066⟩a⟨U+2069⟩⟨U+061C⟩⟨U+FEFF⟩⟨U+200B⟩"),
        ("\ud83d\ude00", "⟨U+D83D⟩⟨U+DE00⟩"),
        ("\U000e0041\uffff\U0010ffff", "⟨U+E0041⟩⟨U+FFFF⟩⟨U+10FFFF⟩"),
        ("Hi\U000e0101\U000e01efa\u00ad\u3164", "Hi⟨U+E0101⟩⟨U+E01EF⟩a⟨U+00AD⟩⟨U+3164⟩"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("👩\u200d🚀 é עברית 日本語", "👩\u200d🚀 é עברית 日本語"),
    ],
)
def test_characters_that_act_are_seen(text: str, seen: str) -> None:
    assert visible(text) == seen
    assert visible(seen) == seen


def test_one_line_has_no_whitespace_but_single_spaces() -> None:
    assert one_line(" a \n\t b\u2003\r\nc ") == "a b c"


@given(episode_logs())
def test_every_act_of_an_agent_is_a_line(played: EpisodeLog) -> None:
    made = build_transcript(played)
    speakers = [line.speaker for turn in made.turns for line in turn.lines]
    assert [each.pk for each in made.cast] == played.agents
    assert [speaker for speaker in speakers if speaker != "Environment"] == [
        sender
        for turn in played.messages
        for sender, _, text in turn
        if sender != "Environment" and text.strip() != "did nothing"
    ]
