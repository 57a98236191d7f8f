"""How far people and the model agree: correlations, errors, and where there are none."""

import json
import math
import statistics
from collections.abc import Sequence
from typing import Any
from weakref import ref

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import simstore
from simstore import AnnotationForEpisode, EpisodeLog, InvalidArgumentError
from simstore.domain.episodes import Reward
from simstore.domain.evaluation import OVERALL_SCORE
from simstore.services.agreements import (
    Agreement,
    DimensionAgreement,
    agreement,
    annotation_agreement,
    pearson,
    spearman,
)
from simstore.services.annotations import map_human_annotations_to_episode_logs
from simstore.testing.records import episode_logs
from simstore.testing.values import floats
from tests.contract.broken import Sound, WrappedStore

# Anscombe, "Graphs in Statistical Analysis" (1973): four sets, one correlation.
X = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0]
X4 = [8.0] * 7 + [19.0] + [8.0] * 3
Y1 = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
Y2 = [9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74]
Y3 = [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73]
Y4 = [6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89]


def episode(*rewards: Reward, pk: str = "e") -> EpisodeLog:
    return EpisodeLog(
        pk=pk,
        environment="park",
        agents=[str(number) for number in range(len(rewards))],
        messages=[],
        rewards=list(rewards),
    )


def goals(*scores: float) -> EpisodeLog:
    return episode(*((score, {"goal": score}) for score in scores))


# ----------------------------------------------------------------------------- coefficients


@pytest.mark.parametrize(
    ("x", "y", "r"), [(X, Y1, 0.81642), (X, Y2, 0.81624), (X, Y3, 0.81629), (X4, Y4, 0.81652)]
)
def test_anscombe_s_quartet(x: list[float], y: list[float], r: float) -> None:
    assert pearson(x, y) == pytest.approx(r, abs=5e-6)


def test_spearman_of_the_textbook() -> None:
    # Ten people's IQ and hours of television: 1 - 6 * 194 / (10 * 99).
    iq = [106.0, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    hours = [7.0, 27, 2, 50, 28, 29, 20, 12, 6, 17]
    assert spearman(iq, hours) == pytest.approx(-29 / 165)


def test_equal_numbers_share_their_mean_rank() -> None:
    # Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: the deviations' products are 4.5, the squares 4.5 and 5.
    assert spearman([1, 2, 2, 9], [1, 3, 2, 4]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    # Ranks 2, 2, 2, 4 and 1, 2, 3, 4: 3, with squares 3 and 5.
    assert spearman([0, 0, 0, 1], [5, 6, 7, 8]) == pytest.approx(3 / math.sqrt(3 * 5))


def test_correlations_by_hand() -> None:
    assert pearson([1, 2, 3], [1, 2, 3]) == 1.0
    assert pearson([1, 2, 3], [0.3, 0.2, 0.1]) == pytest.approx(-1.0)
    assert pearson([1, 2, 3, 4], [1, -1, -1, 1]) == 0.0
    assert pearson([0, 0, 1], [0, 1, 1]) == 0.5
    assert spearman([1, 2, 3], [1, 10, 1000]) == 1.0


@pytest.mark.parametrize(
    ("x", "y", "fault"),
    [
        ([], [], "n is 0, and a correlation needs 2"),
        ([1.0], [1.0], "n is 1, and a correlation needs 2"),
        ([1.0, 2.0], [1.0], "2 and 1 numbers do not make pairs"),
        ([1.0, 1.0], [1.0, 2.0], "all of the first numbers are equal"),
        ([1.0, 2.0], [0.0, -0.0], "all of the second numbers are equal"),
        ([1.0, 1.0], [2.0, 2.0], "all of the first numbers and of the second numbers are equal"),
        ([1.0, math.inf], [1.0, 2.0], "not all numbers are finite"),
        ([1.0, 2.0], [1.0, math.nan], "not all numbers are finite"),
    ],
)
def test_where_there_is_no_correlation(x: list[float], y: list[float], fault: str) -> None:
    for coefficient in (pearson, spearman):
        with pytest.raises(InvalidArgumentError, match=fault):
            coefficient(x, y)


FINITE = floats().filter(math.isfinite)
POINTS = st.lists(st.tuples(FINITE, FINITE), min_size=2, max_size=12)
SCORES = st.lists(st.tuples(st.integers(-10, 10), st.integers(-10, 10)), min_size=2, max_size=12)


def apart(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    x, y = [float(a) for a, _ in points], [float(b) for _, b in points]
    assume(min(x) < max(x) and min(y) < max(y))
    return x, y


@given(POINTS)
def test_coefficients_are_bounded_and_symmetric_whatever_the_numbers(
    points: list[tuple[float, float]],
) -> None:
    x, y = apart(points)
    for coefficient in (pearson, spearman):
        r = coefficient(x, y)
        assert -1 <= r <= 1
        assert coefficient(y, x) == r
        assert coefficient(x[::-1], y[::-1]) == r
        assert coefficient(x, x) == 1
        assert coefficient(x, [-each for each in y]) == -r


@given(SCORES, st.integers(1, 9), st.integers(-9, 9))
def test_coefficients_do_not_change_with_scale_and_origin(
    points: list[tuple[int, int]], scale: int, origin: int
) -> None:
    x, y = apart(points)
    moved = [scale * each + origin for each in x]
    assert pearson(moved, y) == pytest.approx(pearson(x, y))
    assert spearman(moved, y) == spearman(x, y)
    assert spearman([each**3 for each in x], y) == spearman(x, y)


@given(SCORES)
def test_coefficients_are_those_of_the_definitions(points: list[tuple[int, int]]) -> None:
    x, y = apart(points)

    def rank(numbers: list[float], one: float) -> float:
        below = sum(other < one for other in numbers)
        return below + (sum(other == one for other in numbers) + 1) / 2

    assert pearson(x, y) == pytest.approx(statistics.correlation(x, y))
    assert spearman(x, y) == pytest.approx(
        statistics.correlation([rank(x, each) for each in x], [rank(y, each) for each in y])
    )


# --------------------------------------------------------------------------------- episodes


def test_agents_of_all_episodes_are_held_against_each_other() -> None:
    found = agreement([(goals(1, 2), goals(2, 4)), (goals(3, 4), goals(6, 8))])
    assert (found.episodes, found.agents, found.bare) == (2, 4, 0)
    assert found["goal"] == DimensionAgreement(
        dimension="goal", n=4, skipped=0, pearson=1.0, spearman=1.0, mse=(1 + 4 + 9 + 16) / 4
    )
    assert found[OVERALL_SCORE].mse == 7.5
    assert agreement([(goals(1.5, 0.25), goals(1, 1.25))])["goal"].mse == (0.25 + 1) / 2
    with pytest.raises(KeyError, match="wit"):
        found["wit"]


def test_dimensions_are_sotopia_s_then_others_by_name_and_the_overall_score_last() -> None:
    judged = episode((1.0, {"wit": 1.0, "goal": 1.0, OVERALL_SCORE: 5.0, "secret": 0, "art": 1}))
    found = agreement([(judged, judged)])
    assert [row.dimension for row in found.dimensions] == [
        "secret",
        "goal",
        "art",
        "wit",
        OVERALL_SCORE,
    ]


def test_the_overall_score_is_the_reward_s_own() -> None:
    human = episode((1.0, {OVERALL_SCORE: 9.0}), (2.0, {}))
    model = episode((3.0, {}), (4.0, {OVERALL_SCORE: 7.0}))
    found = agreement([(human, model)])
    assert found.dimensions == (
        DimensionAgreement(
            dimension=OVERALL_SCORE, n=2, skipped=0, pearson=1.0, spearman=1.0, mse=4.0
        ),
    )


def test_scores_that_one_of_them_lacks_are_skipped_and_counted() -> None:
    human = episode(
        (1.0, {"goal": 1.0, "wit": 1.0}), (2.0, {"goal": 2.0}), 0.0, (3.0, {"goal": 3.0})
    )
    model = episode(
        (1.0, {"goal": 3.0}), (2.0, {"wit": 2.0}), (3.0, {"goal": 3.0}), (3.0, {"goal": 5.0})
    )
    found = agreement([(human, model)])
    assert (found.agents, found.bare) == (4, 1)
    assert found["goal"] == DimensionAgreement(
        dimension="goal", n=2, skipped=2, pearson=1.0, spearman=1.0, mse=4.0
    )
    assert found["wit"] == DimensionAgreement(
        dimension="wit",
        n=0,
        skipped=4,
        pearson=None,
        spearman=None,
        mse=None,
        reason="n is 0, and a correlation needs 2",
    )
    assert (found[OVERALL_SCORE].n, found[OVERALL_SCORE].skipped) == (3, 1)


@pytest.mark.parametrize(
    ("human", "model", "mse", "reason"),
    [
        ((1,), (3,), 4.0, "n is 1, and a correlation needs 2"),
        ((1, 1), (2, 3), 2.5, "all of people's scores are equal"),
        ((1, 2), (3, 3), 2.5, "all of the model's scores are equal"),
        ((1, 1), (3, 3), 4.0, "all of people's scores and of the model's scores are equal"),
        ((), (), None, "n is 0, and a correlation needs 2"),
    ],
)
def test_a_coefficient_that_is_not_defined_is_none_with_its_reason(
    human: tuple[float, ...], model: tuple[float, ...], mse: float | None, reason: str
) -> None:
    row = agreement([(goals(*human), goals(*model))])[OVERALL_SCORE]
    assert (row.pearson, row.spearman, row.mse, row.reason) == (None, None, mse, reason)


def test_infinite_scores_are_skipped_and_errors_beyond_floats_are_none() -> None:
    row = agreement([(goals(1, math.inf, 2, 3), goals(1, 2, -math.inf, 3))])["goal"]
    assert (row.n, row.skipped, row.mse) == (2, 2, 0.0)
    row = agreement([(goals(1e308, -1e308), goals(-1e308, 1e308))])["goal"]
    assert (row.pearson, row.mse) == (-1.0, None)
    assert row.reason == "the squared error is beyond the range of floats"


def test_no_pairs_agree_on_nothing() -> None:
    found = agreement([])
    assert (found.episodes, found.agents, found.bare) == (0, 0, 0)
    assert [row.n for row in found.dimensions] == [0]


def test_a_pair_is_of_one_episode() -> None:
    with pytest.raises(InvalidArgumentError, match="a pair is one episode"):
        agreement([(goals(1, 2), goals(1))])


def test_rows_and_dicts_are_json() -> None:
    found = agreement([(goals(1, 2), goals(2, 4))])
    assert found.to_rows()[0] == {
        "dimension": "goal",
        "n": 2,
        "skipped": 0,
        "pearson": 1.0,
        "spearman": 1.0,
        "mse": 2.5,
        "reason": "",
    }
    assert found.as_dict() == {
        "episodes": 1,
        "agents": 2,
        "bare": 0,
        "dimensions": found.to_rows(),
    }
    json.dumps(found.as_dict(), allow_nan=False)


@given(st.lists(episode_logs(), max_size=3))
def test_every_episode_agrees_with_itself(episodes: list[EpisodeLog]) -> None:
    found = agreement((each, each) for each in episodes)
    json.dumps(found.as_dict(), allow_nan=False)
    assert found.agents == sum(len(each.agents) for each in episodes)
    for row in found.dimensions:
        assert row.n + row.skipped == found.agents
        assert (row.mse or 0) == 0
        assert {row.pearson, row.spearman} in ({1.0}, {None})
        assert bool(row.reason) == (row.pearson is None)


# ------------------------------------------------------------------------------ annotations


def annotation(pk: str, of: str, *scores: float) -> AnnotationForEpisode:
    return AnnotationForEpisode(
        pk=pk,
        episode=of,
        annotator_id="someone",
        rewards=[(score, {"goal": score}) for score in scores],
        reasoning="",
    )


def test_annotations_are_held_against_what_the_store_has() -> None:
    given_ = [annotation("a", "e1", 1, 2), annotation("b", "e1", 3, 6), annotation("c", "e2", 0, 9)]
    with simstore.connect("memory://") as store:
        store.episodes.save(goals(2, 4).model_copy(update={"pk": "e1"}))
        with pytest.raises(simstore.NotFoundError, match="e2"):
            annotation_agreement(given_, store=store)
        mean: Agreement = annotation_agreement(given_, store=store, missing="skip")
        single = annotation_agreement(given_, store=store, missing="skip", aggregate=False)
    assert (mean.episodes, mean["goal"].n, mean["goal"].mse) == (1, 2, 0.0)
    assert (single.episodes, single["goal"].n, single["goal"].mse) == (2, 4, (1 + 4 + 1 + 4) / 4)


@given(st.lists(st.tuples(st.integers(0, 4), floats(), floats()), max_size=8), st.booleans())
def test_annotations_agree_as_the_pairs_made_of_them_do(
    judged: list[tuple[int, float, float]], aggregate: bool
) -> None:
    given_ = [
        annotation(str(number), f"e{of}", *scores) for number, (of, *scores) in enumerate(judged)
    ]
    with simstore.connect("memory://") as store:
        store.episodes.save_many(
            goals(number, 1).model_copy(update={"pk": f"e{number}"}) for number in range(4)
        )
        options: dict[str, Any] = {"store": store, "aggregate": aggregate, "missing": "skip"}
        try:
            pairs = map_human_annotations_to_episode_logs(given_, True, **options)
        except simstore.RewardsUnavailableError:
            with pytest.raises(simstore.RewardsUnavailableError):
                annotation_agreement(given_, **options)
            return
        assert annotation_agreement(given_, **options) == agreement(pairs.values())


def test_episodes_are_read_a_few_at_a_time_and_the_missing_ones_all_named() -> None:
    held: list[int] = []
    given_out: list[ref[EpisodeLog]] = []

    class Watched(Sound):
        def get_many(self, pks: Sequence[str], **others: Any) -> Any:
            held.append(sum(each() is not None for each in given_out) + len(pks))
            found = self.inner.get_many(pks, **others)
            given_out.extend(map(ref, found))
            return found

    with simstore.connect("memory://") as store:
        store.episodes.save_many(
            goals(number).model_copy(update={"pk": f"e{number:03}"}) for number in range(450)
        )
        watched = WrappedStore(store, Watched, {})
        given_ = [annotation(f"a{number}", f"e{number:03}", number) for number in range(450)]
        found = annotation_agreement(given_, store=watched)
        assert (found.episodes, found["goal"].pearson) == (450, 1.0)
        assert max(held) <= 200
        assert len(held) >= 4
        store.episodes.delete("e010")
        store.episodes.delete("e440")
        with pytest.raises(simstore.NotFoundError) as caught:
            annotation_agreement(given_, store=watched)
    assert caught.value.pks == ("e010", "e440")
    assert str(caught.value) == (
        "EpisodeLog has no record 'e010', 'e440'; annotations name them: store the episodes "
        "first, or skip what is missing"
    )


def test_what_to_do_about_the_missing_is_raise_or_skip() -> None:
    with simstore.connect("memory://") as store, pytest.raises(InvalidArgumentError, match="'skip"):
        annotation_agreement([], store=store, missing="ignore")  # type: ignore[arg-type]  # wrong
