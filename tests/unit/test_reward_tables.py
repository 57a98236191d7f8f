"""Rewards as rows and as frames."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simstore
from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import MissingDependencyError
from simstore.samples import sample_path
from simstore.services import jsonl_to_episodes
from simstore.services.reward_table import (
    COLUMNS,
    pandas_reward_frame,
    partner_label,
    polars_reward_frame,
    reward_rows,
)
from simstore.testing.records import episode_logs

FIRST = ["episode", "environment", "tag", "judge", "agent", "position", "model", "partner"]
SEVEN = [
    "believability",
    "relationship",
    "knowledge",
    "secret",
    "social_rules",
    "financial_and_material_benefits",
    "goal",
]


def episode(*rewards: Any, **fields: Any) -> EpisodeLog:
    agents = [f"agent-{number}" for number in range(len(rewards))]
    defaults: dict[str, Any] = {"pk": "e", "environment": "room", "messages": []}
    return EpisodeLog(**defaults | {"agents": agents, "rewards": list(rewards)} | fields)


def two() -> list[EpisodeLog]:
    return [
        episode((2.0, {"wit": 2.0, "goal": 3.0}), 0.0, models=["judge", "oak", "elm"], tag="pilot"),
        episode((1.0, {"tact": 1.0}), pk="f", tag=None),
    ]


def test_columns_are_in_sotopia_s_order() -> None:
    assert list(COLUMNS)[: len(FIRST)] == FIRST
    assert list(COLUMNS)[-8:] == ["overall_score", *SEVEN]


def test_a_row_for_each_agent_with_its_scores_or_the_reason() -> None:
    scored, missing, alone = reward_rows(two())
    empty = dict.fromkeys(COLUMNS)
    assert scored == empty | {
        "episode": "e",
        "environment": "room",
        "tag": "pilot",
        "judge": "judge",
        "agent": "agent-0",
        "position": 0,
        "model": "oak",
        "partner": "elm",
        "overall_score": 2.0,
        "goal": 3.0,
        "wit": 2.0,
    }
    assert missing == empty | {
        "episode": "e",
        "environment": "room",
        "tag": "pilot",
        "judge": "judge",
        "agent": "agent-1",
        "position": 1,
        "model": "elm",
        "partner": "oak",
        "missing": "bare number",
        "number": 0.0,
    }
    assert alone["tag"] is None
    assert list(alone) == [*COLUMNS, "tact"]


def test_partners_are_named_once_or_not_at_all() -> None:
    assert partner_label(["elm"]) == "elm"
    assert partner_label(["oak", "elm", "oak"]) == "elm + oak"
    assert partner_label([]) is None
    assert partner_label(["oak", None]) is None


def test_dimensions_never_share_a_column() -> None:
    names = [
        "model",
        "model (score)",
        "model (score) (score)",
        "number",
        "goal",
        "goal (score)",
        "wit",
    ]
    (row,) = reward_rows([episode((0.0, {name: float(i) for i, name in enumerate(names)}))])
    assert list(row.items())[len(COLUMNS) :] == [
        ("model (score)", 0.0),
        ("model (score) (score)", 1.0),
        ("model (score) (score) (score)", 2.0),
        ("number (score)", 3.0),
        ("goal (score)", 5.0),
        ("wit", 6.0),
    ]
    assert (row["model"], row["number"], row["goal"]) == (None, None, 4.0)


def test_rows_stream_from_a_store(tmp_path: Path) -> None:
    episodes = jsonl_to_episodes(sample_path() / "episodes.jsonl")
    found = []
    for url in ("memory://", f"sqlite:///{tmp_path}/rewards.db"):
        with simstore.connect(url) as store:
            store.episodes.save_many(episodes)
            found.append(list(reward_rows(store.episodes.iterate())))
    assert found[0] == found[1]
    assert len(found[0]) == sum(len(each.agents) for each in episodes)


def test_rows_hold_one_episode_at_a_time() -> None:
    taken = []

    def watched() -> Any:
        for made in two():
            taken.append(made.pk)
            yield made

    rows = reward_rows(watched())
    assert taken == []
    next(rows)
    assert taken == ["e"]


@given(episode_logs())
def test_every_score_is_in_a_row(made: EpisodeLog) -> None:
    rows = list(reward_rows([made]))
    assert [row["position"] for row in rows] == list(range(len(made.agents)))
    for row, reward in zip(rows, made.rewards, strict=True):
        if row["missing"] is None:
            assert not isinstance(reward, float)
            scores = {name: score for name, score in reward[1].items() if name != "overall_score"}
            others = {name: row[name] for name in row if name not in COLUMNS}
            assert len(scores) == len(others) + sum(row[name] is not None for name in SEVEN)
        else:
            assert [row[name] for name in ("overall_score", *SEVEN)] == [None] * 8


# --------------------------------------------------------------------------------- frames


def pandas_records(frame: Any) -> list[dict[str, Any]]:
    pandas = pytest.importorskip("pandas")
    return [
        {name: None if value is pandas.NA else value for name, value in record.items()}
        for record in frame.to_dict("records")
    ]


def test_a_pandas_frame_has_the_rows() -> None:
    pytest.importorskip("pandas")
    frame = pandas_reward_frame(iter(two()))
    assert list(frame.columns) == [*COLUMNS, "wit", "tact"]
    nothing = dict.fromkeys(["wit", "tact"])
    assert pandas_records(frame) == [nothing | row for row in reward_rows(two())]
    assert frame["goal"].mean() == 3.0


def test_an_empty_pandas_frame_has_the_same_columns_and_dtypes() -> None:
    pytest.importorskip("pandas")
    empty, full = pandas_reward_frame([]), pandas_reward_frame(two())
    assert empty.shape == (0, len(COLUMNS))
    assert list(empty.columns) == list(COLUMNS)
    assert list(empty.dtypes) == list(full.dtypes)[: len(COLUMNS)]
    assert {str(dtype) for dtype in full.dtypes} == {"string", "int64", "Float64"}


def test_a_polars_frame_has_the_rows() -> None:
    pytest.importorskip("polars")
    frame = polars_reward_frame(iter(two()))
    assert frame.columns == [*COLUMNS, "wit", "tact"]
    nothing = dict.fromkeys(["wit", "tact"])
    assert frame.to_dicts() == [nothing | row for row in reward_rows(two())]


def test_an_empty_polars_frame_has_the_same_columns_and_dtypes() -> None:
    polars = pytest.importorskip("polars")
    empty, full = polars_reward_frame([]), polars_reward_frame(two())
    assert empty.shape == (0, len(COLUMNS))
    assert empty.dtypes == full.dtypes[: len(COLUMNS)]
    assert set(full.dtypes) == {polars.String, polars.Int64, polars.Float64}


@given(st.lists(episode_logs(), max_size=2))
@settings(max_examples=25)
def test_polars_takes_every_row(episodes: list[EpisodeLog]) -> None:
    pytest.importorskip("polars")
    frame = polars_reward_frame(episodes)
    rows = list(reward_rows(episodes))
    assert frame.to_dicts() == [dict.fromkeys(frame.columns) | row for row in rows]
    assert frame.columns == list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))


@pytest.mark.parametrize(
    ("make", "package"), [(pandas_reward_frame, "pandas"), (polars_reward_frame, "polars")]
)
def test_a_package_that_is_not_installed_is_named(
    make: Callable[[list[EpisodeLog]], Any], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"simstore\[{package}\]"):
        make([])
