"""The benchmark: its formula by hand, who counts, and what it says where there is no answer."""

import math
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import InvalidArgumentError, MissingDependencyError
from simstore.services.leaderboards import Cell, Leaderboard, leaderboard, student_t
from simstore.services.rewards import MissingReason

pytest.importorskip("mpmath")

BARE = MissingReason.BARE_NUMBER


def scores(goal: float, **others: float) -> tuple[float, dict[str, float]]:
    return goal, {"goal": goal, **others}


def episode(
    models: list[str] | None, *rewards: Any, judge: str = "judge", **fields: Any
) -> EpisodeLog:
    agents = [f"agent-{number}" for number in range(len(rewards))]
    given = {"models": None if models is None else [judge, *models], "environment": "room"}
    return EpisodeLog(**given | {"agents": agents, "messages": [], "rewards": [*rewards]} | fields)


def goals(board: Leaderboard) -> dict[tuple[str | None, ...], Cell]:
    return {tuple(row.keys.values()): row.cells["goal"] for row in board.rows}


# --------------------------------------------------------------------------------- formula


def test_the_margin_is_by_the_mean_of_the_variances_of_both_settings() -> None:
    first = [episode(["oak", "elm"], scores(goal), scores(9)) for goal in (1, 2, 6)]
    second = [episode(["elm", "oak"], scores(9), scores(goal)) for goal in (4, 8)]
    row = leaderboard(first + second, models=["oak"]).rows[0]
    assert (row.model, row.episodes, row.settings, row.missing) == ("oak", 5, 2, {})
    # The variances are 7 and 8, t(0.975, 4) is 2.7764.
    margin = 2.7764451051977987 * math.sqrt(7.5 / 5)
    assert row.cells["goal"].mean == 4.2
    assert row.cells["goal"].margin == pytest.approx(margin, rel=1e-14)
    assert row.cells["goal"].n == 5
    assert row.overall == row.cells["goal"]


def test_a_setting_of_one_score_has_no_variance() -> None:
    board = leaderboard(
        [
            episode(["oak", "elm"], scores(1), scores(0)),
            episode(["oak", "elm"], scores(3), scores(0)),
            episode(["elm", "oak"], scores(0), scores(5)),
        ]
    )
    cell = goals(board)["oak",]
    assert cell.mean == 3.0
    assert cell.margin == pytest.approx(student_t(0.95, 2) * math.sqrt((2 + 0) / 2 / 3))


def test_settings_by_environment_take_each_environment_apart() -> None:
    made = [
        episode(["oak", "elm"], scores(goal), scores(0), environment=room)
        for room, goal in (("a", 1), ("a", 3), ("b", 8), ("b", 9), ("c", 5))
    ]
    row = leaderboard(made, models=["oak"], settings="environment").rows[0]
    assert row.settings == 3
    expected = student_t(0.95, 4) * math.sqrt((2 + 0.5 + 0) / 3 / 5)
    assert row.cells["goal"].margin == pytest.approx(expected)
    assert leaderboard(made, models=["oak"]).rows[0].settings == 1


def test_a_row_says_where_its_margins_are_no_sign_of_a_sure_mean() -> None:
    made = [
        episode(["oak", "elm"], scores(goal), scores(0), environment=room)
        for room, goal in (("a", 1), ("b", 3), ("c", 8))
    ]
    once = leaderboard(made, models=["oak"], settings="environment").rows[0]
    assert (once.cells["goal"].margin, once.settings, once.unrepeated) == (0.0, 3, 3)
    assert once.says_nothing_of_chance
    again = leaderboard([*made, made[0]], models=["oak"], settings="environment").rows[0]
    assert (again.settings, again.unrepeated, again.says_nothing_of_chance) == (3, 2, False)
    usual = leaderboard(made, models=["oak"]).rows[0]
    assert (usual.settings, usual.unrepeated, usual.says_nothing_of_chance) == (1, 0, False)


def test_of_one_episode_or_none_there_is_no_margin_that_could_mislead() -> None:
    made = [episode(["oak", "elm"], scores(1), 0.0)]
    elm, oak = sorted(leaderboard(made).rows, key=lambda row: row.model)
    assert (oak.unrepeated, oak.overall.margin, oak.says_nothing_of_chance) == (1, None, False)
    assert (elm.unrepeated, elm.overall.margin, elm.says_nothing_of_chance) == (0, None, False)


def test_both_positions_once_say_nothing_of_chance() -> None:
    made = [
        episode(["oak", "elm"], scores(1), scores(2)),
        episode(["elm", "oak"], scores(3), scores(8)),
    ]
    for row in leaderboard(made).rows:
        assert (row.overall.margin, row.unrepeated, row.says_nothing_of_chance) == (0.0, 2, True)


def test_a_higher_confidence_has_a_wider_margin() -> None:
    made = [episode(["oak"], scores(goal)) for goal in (1, 2, 4)]
    margins = [
        leaderboard(made, confidence=confidence).rows[0].overall.margin or 0.0
        for confidence in (0.5, 0.9, 0.95, 0.99)
    ]
    assert all(narrow < wide for narrow, wide in pairwise(margins))


def test_one_score_has_a_mean_and_no_margin() -> None:
    board = leaderboard([episode(["oak"], scores(7))])
    assert goals(board) == {("oak",): Cell(7.0, None, 1)}


def test_a_model_without_episodes_has_a_row_without_means() -> None:
    board = leaderboard([episode(["oak"], scores(7))], models=["ash", "oak", "ash"])
    assert [row.model for row in board.rows] == ["oak", "ash"]
    ash = board.rows[1]
    assert (ash.episodes, ash.settings, ash.missing) == (0, 0, {})
    assert set(ash.cells.values()) == {Cell(None, None, 0)}


def test_no_episodes_make_an_empty_leaderboard_with_the_seven() -> None:
    board = leaderboard([])
    assert board.rows == ()
    assert board.dimensions == (
        "social_rules",
        "secret",
        "financial_and_material_benefits",
        "relationship",
        "knowledge",
        "goal",
        "believability",
        "overall_score",
    )


def test_no_models_asked_for_are_no_rows() -> None:
    assert leaderboard([episode(["oak"], scores(7))], models=[]).rows == ()


def test_each_dimension_has_its_own_n() -> None:
    board = leaderboard(
        [
            episode(["oak"], scores(1, wit=4.0)),
            episode(["oak"], scores(3)),
            episode(["elm", "oak"], scores(0), scores(8, tact=2.0, wit=6.0)),
        ]
    )
    oak = next(row for row in board.rows if row.model == "oak")
    assert board.dimensions == ("goal", "tact", "wit", "overall_score")
    assert {name: cell.n for name, cell in oak.cells.items()} == {
        "goal": 3,
        "tact": 1,
        "wit": 2,
        "overall_score": 3,
    }
    # One score in each setting: the formula's variance is 0.
    assert oak.cells["wit"] == Cell(5.0, 0.0, 2)
    assert oak.cells["tact"] == Cell(2.0, None, 1)
    assert next(row for row in board.rows if row.model == "elm").cells["wit"].n == 0


def test_failed_judgements_are_counted_and_never_zero() -> None:
    board = leaderboard(
        [
            episode(["oak", "elm"], scores(8), 0.0),
            episode(["oak", "elm"], 0.0, 0.0),
            episode(["oak", "elm"], (0.0, {}), scores(2)),
            episode(["oak", "elm"], (0.0, {"goal": math.inf}), 0.0),
        ]
    )
    oak, elm = board.rows
    assert (oak.model, oak.overall, oak.episodes) == ("oak", Cell(8.0, None, 1), 1)
    assert oak.missing == {BARE: 1, MissingReason.NO_DIMENSIONS: 1, MissingReason.NOT_FINITE: 1}
    assert (elm.model, elm.overall, elm.missing) == ("elm", Cell(2.0, None, 1), {BARE: 3})


def test_a_model_of_failed_judgements_alone_comes_last() -> None:
    board = leaderboard([episode(["oak", "elm"], 0.0, scores(-5))])
    assert [(row.model, row.overall.mean) for row in board.rows] == [("elm", -5.0), ("oak", None)]
    assert (board.rows[1].settings, board.rows[1].missing) == (0, {BARE: 1})


def test_rows_are_by_overall_mean_then_by_name() -> None:
    board = leaderboard(
        [episode(["oak", "elm", "ash", "fir"], scores(1), scores(2), scores(1), scores(-1))]
    )
    assert [row.model for row in board.rows] == ["elm", "ash", "oak", "fir"]


def test_the_overall_score_is_the_reward_s_own() -> None:
    board = leaderboard([episode(["oak"], (4.0, {"goal": 5.0, "wit": 3.0, "overall_score": 4.0}))])
    assert board.rows[0].overall == Cell(4.0, None, 1)


# ------------------------------------------------------------------------------- who counts


def test_nobody_else_s_scores_are_taken() -> None:
    made = [
        episode(["oak", "elm"], scores(1), scores(9)),
        episode(["fir", "elm"], scores(2), scores(9)),
    ]
    assert goals(leaderboard(made, models=["oak"])) == {("oak",): Cell(1.0, None, 1)}


def test_in_self_play_agent_1_counts() -> None:
    assert goals(leaderboard([episode(["oak", "oak"], scores(1), scores(9))])) == {
        ("oak",): Cell(1.0, None, 1)
    }


def test_with_more_than_two_agents_the_first_of_a_model_counts() -> None:
    made = [episode(["elm", "oak", "oak"], scores(1), scores(2), scores(3))]
    assert goals(leaderboard(made)) == {("elm",): Cell(1, None, 1), ("oak",): Cell(2, None, 1)}
    assert goals(leaderboard(made, by=["model", "partner"])) == {
        ("elm", "oak"): Cell(1, None, 1),
        ("oak", "elm + oak"): Cell(2, None, 1),
    }


def test_a_class_chooses_the_agent_that_has_it() -> None:
    made = [
        episode(["oak", "oak"], scores(1), scores(2), agent_classes=["Plain", "Careful"]),
        episode(["oak", "oak"], scores(4), scores(8), agent_classes=["Careful", "Plain"]),
        episode(["oak", "oak"], scores(16), scores(32)),
    ]
    careful = leaderboard(made, agent_class="Careful")
    assert goals(careful)["oak",].mean == 3.0
    assert (careful.rows[0].episodes, careful.rows[0].settings) == (2, 2)
    by_class = goals(leaderboard(made, by=["model", "agent_class"]))
    assert {keys: cell.mean for keys, cell in by_class.items()} == {
        ("oak", "Careful"): 3.0,
        ("oak", "Plain"): 4.5,
        ("oak", None): 16.0,
    }


def test_episodes_without_models_are_counted_apart() -> None:
    board = leaderboard(
        [
            episode(None, scores(1)),
            episode([], scores(1)),
            episode([""], scores(1)),
            episode(["oak"], scores(1)),
        ]
    )
    assert board.unattributed == 3
    assert [row.model for row in board.rows] == ["oak"]


def various() -> list[EpisodeLog]:
    return [
        episode(["oak", "elm"], scores(1), scores(2), tag="pilot"),
        episode(["oak", "ash"], scores(4), scores(8), tag=None),
        episode(["elm", "oak"], scores(16), scores(32), judge="other"),
        episode(["oak", "ash", "elm"], scores(64), scores(128), scores(256), tag="pilot"),
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"tag": "pilot"}, {"oak": 65.0, "elm": 258.0, "ash": 128.0}),
        ({"tag": ""}, {"oak": 36.0, "elm": 16.0, "ash": 8.0}),
        ({"judge": "other"}, {"oak": 32.0, "elm": 16.0}),
        ({"partner": "elm"}, {"oak": 33.0}),
        ({"partner": "ash + elm"}, {"oak": 64.0}),
        ({"partner": "elm", "judge": "judge"}, {"oak": 1.0}),
        ({"tag": "none"}, {}),
        ({"models": ["elm"], "tag": "pilot"}, {"elm": 258.0}),
    ],
    ids=["tag", "no tag", "judge", "partner", "partners", "two", "nothing", "model"],
)
def test_filters_choose_episodes(filters: Any, expected: dict[str, float]) -> None:
    board = leaderboard(various(), **filters)
    totals = {row.model: (row.cells["goal"].mean or 0) * row.episodes for row in board.rows}
    assert totals == expected
    assert board.filters == {name: value for name, value in filters.items() if name != "models"}


def test_rows_can_be_by_several_keys_in_the_order_given() -> None:
    board = leaderboard(various(), by=["tag", "model", "judge", "partner"], models=["oak", "yew"])
    assert board.by == ("tag", "model", "judge", "partner")
    assert goals(board) == {
        ("pilot", "oak", "judge", "ash + elm"): Cell(64, None, 1),
        (None, "oak", "other", "elm"): Cell(32, None, 1),
        (None, "oak", "judge", "ash"): Cell(4, None, 1),
        ("pilot", "oak", "judge", "elm"): Cell(1, None, 1),
        (None, "yew", None, None): Cell(None, None, 0),
    }


def test_a_model_without_episodes_has_the_filters_in_its_keys() -> None:
    board = leaderboard([], models=["oak"], tag="pilot", by=["model", "tag", "judge"])
    assert [row.keys for row in board.rows] == [{"model": "oak", "tag": "pilot", "judge": None}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": ["model", "juge"]}, "by 'juge'; did you mean 'judge'"),
        ({"by": ["model", "xyz"]}, "there are model, judge, partner, tag, agent_class"),
        ({"by": ["judge"]}, "'model' must be among their keys"),
        ({"by": []}, "'model' must be among their keys"),
        ({"by": "judge"}, r"as a list, such as \['model', 'judge'\]"),
        ({"by": ["model", "tag", "tag"]}, "given twice"),
        ({"models": "oak"}, r"as a list, such as \['oak'\]"),
        ({"settings": "room"}, "one of position, environment"),
        ({"confidence": 95}, "between 0 and 1"),
        ({"confidence": math.nan}, "between 0 and 1"),
    ],
)
def test_arguments_out_of_range_are_refused_before_anything_is_read(
    arguments: Any, message: str
) -> None:
    def never() -> Iterator[EpisodeLog]:
        pytest.fail("an episode was read")
        yield

    with pytest.raises(InvalidArgumentError, match=message):
        leaderboard(never(), **arguments)


def test_without_mpmath_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpmath", None)
    with pytest.raises(MissingDependencyError, match=r"simstore\[stats\]"):
        leaderboard([])


def test_stores_of_both_kinds_have_the_same_leaderboard(tmp_path: Path) -> None:
    boards = []
    for url in ("memory://", f"sqlite:///{tmp_path}/board.db"):
        with simstore.connect(url) as store:
            store.episodes.save_many(various())
            boards.append(leaderboard(store.episodes.iterate()))
    assert boards[0] == boards[1] == leaderboard(various())


def test_margins_beyond_floats_are_none() -> None:
    board = leaderboard([episode(["oak"], scores(goal)) for goal in (1.7e308, -1.7e308)])
    assert goals(board)["oak",] == Cell(0.0, None, 2)


def test_large_scores_that_differ_little_keep_their_variance() -> None:
    board = leaderboard([episode(["oak"], scores(1e15 + add)) for add in (0, 1, 2)])
    expected = student_t(0.95, 2) * math.sqrt(1 / 3)
    cell = goals(board)["oak",]
    assert cell.mean == 1e15 + 1
    assert cell.margin == pytest.approx(expected, rel=1e-14)
