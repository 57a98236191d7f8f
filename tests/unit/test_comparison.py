"""Two models compared part by part: what pairs, and what is said of the pairs."""

import csv
import io
import json
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import EvaluationError, InvalidArgumentError
from simstore.services.leaderboards import (
    Comparison,
    DimensionComparison,
    compare_models,
    comparison_document,
    comparison_table,
    comparison_to_csv,
    comparison_to_json,
    comparison_to_latex,
    comparison_to_markdown,
)
from simstore.services.rewards import get_rewards_from_episode


def episode(
    models: list[str], *goals: float | None, judge: str = "judge", **fields: Any
) -> EpisodeLog:
    """An episode in which each agent has a goal score, or None for a failed judgement."""
    rewards = [0.0 if goal is None else (goal, {"goal": goal}) for goal in goals]
    given: dict[str, Any] = {
        "environment": "room",
        "agents": [f"agent-{number}" for number in range(len(goals))],
        "models": [judge, *models],
    }
    return EpisodeLog(**given | fields, messages=[], rewards=rewards)


def goal(comparison: Comparison) -> DimensionComparison:
    return next(each for each in comparison.dimensions if each.dimension == "goal")


def rooms(*pairs: tuple[float, float]) -> list[EpisodeLog]:
    """For each pair, a room in which oak and elm, each with fir, get these scores."""
    return [
        episode([model, "fir"], score, 0, environment=f"room {number}")
        for number, pair in enumerate(pairs)
        for model, score in zip(("oak", "elm"), pair, strict=True)
    ]


def scattered(count: int) -> list[EpisodeLog]:
    """Rooms in which oak's scores are about 1 and elm's about 0, with a deviation of 1."""
    draw = random.Random(5).gauss  # noqa: S311 — statistics, no secret
    return rooms(*((draw(1), draw(0)) for _ in range(count)))


# ------------------------------------------------------------------------------------ pairs


def test_models_in_the_same_part_make_a_pair() -> None:
    found = compare_models(rooms((5, 3)), "oak", "elm")
    assert (found.pairs, found.unpaired_a, found.unpaired_b) == (1, 0, 0)
    assert goal(found) == DimensionComparison(
        dimension="goal",
        pairs=1,
        mean_a=5.0,
        mean_b=3.0,
        difference=2.0,
        low=None,
        high=None,
        wins=1,
        ties=0,
        losses=0,
    )


@pytest.mark.parametrize(
    "other",
    [
        episode(["elm", "fir"], 3, 0, environment="hall"),
        episode(["elm", "fir"], 3, 0, agents=["agent-1", "agent-0"]),
        episode(["fir", "elm"], 0, 3),
        episode(["elm", "ash"], 3, 0),
        episode(["elm", "fir"], 3, 0, judge="other"),
        episode(["elm", "fir"], None, 0),
    ],
    ids=["environment", "agents", "position", "partner", "judge", "no scores"],
)
def test_models_in_different_parts_make_no_pair(other: EpisodeLog) -> None:
    found = compare_models([episode(["oak", "fir"], 5, 0), other], "oak", "elm")
    assert (found.pairs, found.unpaired_a, found.unpaired_b + found.missing_b) == (0, 1, 1)
    for each in found.dimensions:
        assert (each.pairs, each.wins, each.ties, each.losses) == (0, 0, 0, 0)
        assert [each.mean_a, each.mean_b, each.difference, each.low, each.high] == [None] * 5


def test_tags_and_classes_do_not_keep_a_pair_apart() -> None:
    made = [
        episode(["oak", "fir"], 5, 0, tag="oak's run", agent_classes=["A", "B"]),
        episode(["elm", "fir"], 3, 0, tag="elm's run"),
    ]
    assert compare_models(made, "oak", "elm").pairs == 1


def test_several_episodes_of_one_part_are_averaged() -> None:
    made = [episode(["oak", "fir"], score, 0) for score in (1, 2, 6)]
    made += [episode(["elm", "fir"], score, 0) for score in (4, 2)]
    found = goal(compare_models(made, "oak", "elm"))
    assert (found.pairs, found.mean_a, found.mean_b, found.ties) == (1, 3.0, 3.0, 1)


def test_every_position_counts() -> None:
    made = [
        episode(["oak", "elm"], 5, 1),
        episode(["elm", "oak"], 2, 6),
        episode(["elm", "elm"], 3, 4),
    ]
    found = goal(compare_models(made, "oak", "elm"))
    assert (found.pairs, found.mean_a, found.mean_b, found.wins) == (2, 5.5, 3.5, 2)


def test_failed_judgements_are_counted_and_never_zero() -> None:
    made = [*rooms((5, 3)), episode(["oak", "fir"], None, 0, environment="room 0")]
    found = compare_models(made, "oak", "elm")
    assert (found.missing_a, found.missing_b, goal(found).mean_a) == (1, 0, 5.0)


def test_each_dimension_has_its_own_pairs() -> None:
    made = rooms((5, 3), (4, 4), (1, 2))
    for each in made[:4]:
        overall, scores = get_rewards_from_episode(each)[0]
        each.rewards[0] = (overall, scores | {"wit": 1.0})
    found = {each.dimension: each for each in compare_models(made, "oak", "elm").dimensions}
    assert list(found) == ["goal", "wit", "overall_score"]
    assert (found["goal"].pairs, found["wit"].pairs) == (3, 2)
    assert found["wit"].low is not None
    assert [found["goal"].wins, found["goal"].ties, found["goal"].losses] == [1, 1, 1]


def test_an_unplayed_model_is_an_answer() -> None:
    found = compare_models([], "oak", "elm")
    assert (found.pairs, found.unpaired_a, found.unpaired_b) == (0, 0, 0)
    assert len(found.dimensions) == 8


# -------------------------------------------------------------------------------- bootstrap


def test_the_interval_has_the_difference_and_the_seed_decides_it() -> None:
    made = scattered(100)
    found = [goal(compare_models(made, "oak", "elm", resamples=2000, seed=n)) for n in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    first = found[0]
    assert first.low is not None
    assert first.high is not None
    assert first.difference is not None
    # About 1.96 standard errors, of sqrt(2 / 100), to each side.
    assert first.low < first.difference < first.high
    assert first.high - first.low == pytest.approx(2 * 1.96 * 0.02**0.5, rel=0.25)


def test_the_interval_is_the_same_on_every_platform() -> None:
    found = goal(compare_models(rooms((5, 3), (4, 6), (9, 1)), "oak", "elm", resamples=99))
    # With three pairs of 2, -2 and 8, by hand: the draws are int(3 * random()) of seed 0.
    generator = random.Random(0)  # noqa: S311 — statistics, no secret
    differences = [2, -2, 8]
    means = sorted(
        Fraction(sum(differences[int(3 * generator.random())] for _ in range(3)), 3)
        for _ in range(99)
    )
    # The 2.5 % quantile of 99 numbers is at place 2.45, the 97.5 % one at 95.55.
    low = means[2] + (means[3] - means[2]) * Fraction(45, 100)
    high = means[95] + (means[96] - means[95]) * Fraction(55, 100)
    assert found.low == pytest.approx(float(low))
    assert found.high == pytest.approx(float(high))


def test_a_difference_that_never_varies_has_an_interval_of_one_point() -> None:
    found = goal(compare_models(rooms((0.3, 0.1), (0.3, 0.1), (0.3, 0.1)), "oak", "elm"))
    assert found.low == found.high == found.difference == 0.3 - 0.1


def test_a_higher_confidence_has_a_wider_interval() -> None:
    made = scattered(20)
    widths = []
    for confidence in (0.5, 0.9, 0.99):
        found = goal(compare_models(made, "oak", "elm", resamples=500, confidence=confidence))
        widths.append((found.high or 0.0) - (found.low or 0.0))
    assert widths == sorted(set(widths))


SCORES = st.floats(min_value=-10, max_value=10)


@given(
    st.lists(st.tuples(SCORES, SCORES), max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_comparison_is_the_oracle_s_in_any_order(
    pairs: list[tuple[float, float]], shuffler: random.Random
) -> None:
    made = rooms(*pairs)
    found = compare_models(made, "oak", "elm", resamples=20)
    shuffled = shuffler.sample(made, len(made))
    assert compare_models(shuffled, "oak", "elm", resamples=20) == found
    assert found.pairs == len(pairs)
    overall = found.dimensions[-1]
    assert overall.wins == sum(a > b for a, b in pairs)
    assert overall.losses == sum(a < b for a, b in pairs)
    assert overall.wins + overall.ties + overall.losses == len(pairs)
    if pairs:
        exact = sum(Fraction(a) - Fraction(b) for a, b in pairs) / len(pairs)
        assert overall.difference == float(exact)
    swapped = compare_models(made, "elm", "oak", resamples=20).dimensions[-1]
    assert (swapped.wins, swapped.losses) == (overall.losses, overall.wins)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model_b": "oak"}, "with itself"),
        ({"resamples": 0}, "1 or more"),
        ({"resamples": 2.5}, "whole number"),
        ({"seed": None}, "whole number"),
        ({"seed": -1}, "0 or more"),
        ({"confidence": 1.0}, "between 0 and 1"),
        ({"confidence": "0.9"}, "between 0 and 1"),
    ],
    ids=["itself", "no resamples", "half a resample", "no seed", "seed", "confidence", "text"],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        compare_models(**{"episodes": [], "model_a": "oak", "model_b": "elm"} | arguments)


def test_differences_beyond_floats_are_refused() -> None:
    huge = 1.7e308
    for pairs in ([(huge, -huge)], [(huge, 0.0)] * 3, [(huge, 0.0), (-huge, 0.0)]):
        with pytest.raises(EvaluationError, match="more than a float can hold"):
            compare_models(rooms(*pairs), "oak", "elm", confidence=0.999)


# ---------------------------------------------------------------------------------- formats


def test_a_table_has_a_row_for_each_dimension() -> None:
    table = comparison_table(compare_models(rooms((5, 3), (5, 3)), "oak", "elm"), digits=1)
    assert table.header[:5] == ("Dimension", "oak", "elm", "Difference", "Interval")
    assert table.rows == (
        ("GOAL [0, 10]", "5.0", "3.0", "2.0", "2.0 to 2.0", "2", "0", "0", "2"),
        ("Overall", "5.0", "3.0", "2.0", "2.0 to 2.0", "2", "0", "0", "2"),
    )


def test_json_has_everything() -> None:
    found = compare_models(rooms((5, 3)), "oak", "elm", resamples=7, seed=3)
    document = json.loads(comparison_to_json(found))
    assert document == comparison_document(found)
    assert (document["model_a"], document["resamples"], document["seed"]) == ("oak", 7, 3)
    assert document["dimensions"][0]["difference"] == 2.0
    assert document["dimensions"][0]["low"] is None


def test_markdown_keeps_hostile_names_in_their_cells() -> None:
    text = comparison_to_markdown(compare_models([], "a|b\nc", "elm"))
    assert text.startswith("| Dimension | a&#124;b c | elm | Difference |")
    assert "\n| SOC [-10, 0] | - | - | - | - | 0 | 0 | 0 | 0 |\n" in text


def test_csv_has_a_line_for_each_dimension_with_all_digits() -> None:
    found = compare_models(rooms((1 / 3, 0), (2, 1)), "oak", "elm")
    goals, overall = csv.DictReader(io.StringIO(comparison_to_csv(found), newline=""))
    assert (goals["Dimension"], overall["Dimension"]) == ("GOAL [0, 10]", "Overall")
    expected = goal(found)
    assert list(goals.items())[1:] == [
        ("oak", str(expected.mean_a)),
        ("elm", str(expected.mean_b)),
        ("Difference", str(expected.difference)),
        ("Low", str(expected.low)),
        ("High", str(expected.high)),
        ("Wins", "2"),
        ("Ties", "0"),
        ("Losses", "0"),
        ("Pairs", "2"),
    ]


def test_csv_leaves_what_is_not_there_empty_and_guards_names_on_request() -> None:
    found = compare_models([], "=oak", "Difference")
    header, first, *_ = csv.reader(io.StringIO(comparison_to_csv(found), newline=""))
    assert header[:4] == ["Dimension", "=oak", "Difference", "Difference (2)"]
    assert first == ["SOC [-10, 0]", "", "", "", "", "", "0", "0", "0", "0"]
    assert comparison_to_csv(found, guard_formulas=True).startswith("Dimension,'=oak,")


def test_latex_is_a_booktabs_table() -> None:
    found = compare_models(rooms((2, 1), (3, 2)), "oak", "elm")
    lines = comparison_to_latex(found, digits=1).splitlines()
    assert lines[:2] == [r"% needs \usepackage{booktabs}", r"\begin{tabular}{lrrrrrrrr}"]
    assert (
        r"GOAL [0, 10] & $2.5$ & $1.5$ & $1.0$ & $1.0$ to $1.0$ & $2$ & $0$ & $0$ & $2$ \\" in lines
    )
    assert r"& oak\_1 &" in comparison_to_latex(compare_models([], "oak_1", "elm"))
