"""A leaderboard as tables, JSON, CSV, Markdown, LaTeX and Sotopia's JSON lines."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import InvalidArgumentError
from simstore.services.leaderboards import (
    Leaderboard,
    leaderboard,
    leaderboard_document,
    leaderboard_table,
    leaderboard_to_csv,
    leaderboard_to_json,
    leaderboard_to_latex,
    leaderboard_to_markdown,
    leaderboard_to_sotopia_jsonl,
    sotopia_jsonl_name,
)

pytest.importorskip("mpmath")

PUBLISHED = [
    "SOC [-10, 0]",
    "SEC [-10, 0]",
    "FIN [-5, 5]",
    "REL [-5, 5]",
    "KNO [0, 10]",
    "GOAL [0, 10]",
    "BEL [0, 10]",
]
SEVEN = {
    "believability": 9.0,
    "relationship": 1.0,
    "knowledge": 2.0,
    "secret": -0.5,
    "social_rules": -3.0,
    "financial_and_material_benefits": 4.0,
    "goal": 8.0,
}


def episode(model: str, reward: Any, **fields: Any) -> EpisodeLog:
    return EpisodeLog(
        environment="room",
        agents=["ada"],
        models=["judge", model],
        messages=[],
        rewards=[reward],
        **fields,
    )


def board(**arguments: Any) -> Leaderboard:
    made = [
        episode("oak", (3.0, SEVEN)),
        episode("oak", (4.0, SEVEN | {"goal": 10.0, "wit": -0.001})),
        episode("elm", (5.0, {"goal": 6.0})),
        episode("ash", 0.0),
    ]
    return leaderboard(made, **arguments)


def named(*models: str) -> Leaderboard:
    return leaderboard([episode(model, (1.0, {"goal": 1.0})) for model in models])


# ---------------------------------------------------------------------------------- tables


def test_the_table_has_the_published_columns_then_others_then_the_overall_score() -> None:
    table = leaderboard_table(board())
    assert list(table.header) == [
        "Model",
        *PUBLISHED,
        "wit",
        "Overall",
        "Settings",
        "Episodes",
        "Missing",
    ]
    assert table.keys == 1


def test_other_dimensions_are_in_alphabetical_order() -> None:
    made = leaderboard([episode("oak", (1.0, dict.fromkeys("hfdbgeca", 1.0)))])
    assert made.dimensions == (*"abcdefgh", "overall_score")


def test_cells_have_mean_and_margin_and_what_is_not_there_is_a_dash() -> None:
    elm, oak, ash = leaderboard_table(board()).rows
    # The variance is 2, and t(0.975, 1) is 12.706: the margin of goal is 12.706 too.
    assert oak[6:10] == ("9.00 ± 12.71", "9.00 ± 0.00", "0.00", "3.50 ± 6.35")
    assert elm == ("elm", *["-"] * 5, "6.00", "-", "-", "5.00", "1", "1", "0")
    assert ash == ("ash", *["-"] * 9, "0", "0", "1")


def test_digits_can_be_chosen() -> None:
    assert leaderboard_table(board(), digits=0).rows[0][6] == "6"
    assert leaderboard_table(board(), digits=4).rows[1][8] == "-0.0010"


def test_every_key_is_a_column() -> None:
    table = leaderboard_table(board(by=["agent_class", "model", "judge"]))
    assert table.header[:3] == ("Agent class", "Model", "Judge")
    assert table.rows[0][:3] == ("-", "elm", "judge")
    assert table.keys == 3


# ------------------------------------------------------------------------------------ JSON


def test_json_has_everything_under_its_stored_name() -> None:
    made = board(by=["model", "tag"], judge="judge")
    document = json.loads(leaderboard_to_json(made))
    assert document == leaderboard_document(made)
    assert {name: document[name] for name in document if name != "rows"} == {
        "by": ["model", "tag"],
        "filters": {"judge": "judge"},
        "settings": "position",
        "confidence": 0.95,
        "unattributed": 0,
        "dimensions": [
            "social_rules",
            "secret",
            "financial_and_material_benefits",
            "relationship",
            "knowledge",
            "goal",
            "believability",
            "wit",
            "overall_score",
        ],
    }
    elm, oak, ash = document["rows"]
    assert (elm["model"], elm["tag"], elm["settings"], elm["episodes"]) == ("elm", None, 1, 1)
    assert (elm["unrepeated"], oak["unrepeated"], ash["unrepeated"]) == (1, 0, 0)
    assert elm["scores"]["goal"] == {"mean": 6.0, "margin": None, "n": 1}
    assert oak["scores"]["goal"]["margin"] == pytest.approx(12.706204736)
    assert ash["missing"] == {"bare number": 1}
    assert ash["scores"]["goal"] == {"mean": None, "margin": None, "n": 0}


# ------------------------------------------------------------------------------------- CSV


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_mean_margin_and_n_of_each_dimension_with_all_digits() -> None:
    elm, oak, ash = read(leaderboard_to_csv(board()))
    assert list(elm)[:7] == [
        "Model",
        "Settings",
        "Episodes",
        "Missing",
        *(f"SOC [-10, 0]{end}" for end in ("", " margin", " n")),
    ]
    assert (elm["GOAL [0, 10]"], elm["GOAL [0, 10] margin"], elm["GOAL [0, 10] n"]) == (
        "6.0",
        "",
        "1",
    )
    assert float(oak["GOAL [0, 10] margin"]) == board().rows[1].cells["goal"].margin
    assert (ash["Overall"], ash["Overall n"], ash["Missing"]) == ("", "0", "1")


@given(st.sets(st.text(min_size=1), min_size=1, max_size=5))
def test_csv_brings_back_any_name(models: set[str]) -> None:
    assert [row["Model"] for row in read(leaderboard_to_csv(named(*models)))] == sorted(models)


def test_csv_columns_are_distinct_whatever_dimensions_are_called() -> None:
    odd = dict.fromkeys(["Model", "goal", "goal margin", "GOAL [0, 10] margin", "Overall"], 1.0)
    made = leaderboard([episode("oak", (1.0, odd))])
    header = next(csv.reader([leaderboard_to_csv(made).splitlines()[0]]))
    assert len(set(header)) == len(header) == 4 + 3 * 6
    assert "Model (2)" in header


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_formulas_are_guarded_on_request(start: str) -> None:
    name = f"{start}1+1"
    assert [row["Model"] for row in read(leaderboard_to_csv(named(name)))] == [name]
    made = leaderboard([episode(name, (-1.0, {f"{start}wit": -1.0}))])
    (row,) = read(leaderboard_to_csv(made, guard_formulas=True))
    assert row["Model"] == f"'{name}"
    assert row[f"'{start}wit"] == "-1.0"


# ----------------------------------------------------------------------- Markdown and LaTeX


def test_markdown_is_a_table_of_github_s() -> None:
    assert leaderboard_to_markdown(named("oak")) == (
        "| Model | GOAL [0, 10] | Overall | Settings | Episodes | Missing |\n"
        "| :-- | --: | --: | --: | --: | --: |\n"
        "| oak | 1.00 | 1.00 | 1 | 1 | 0 |\n"
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a|b", "a&#124;b"),
        ("a\nb\r\nc", "a b c"),
        ("org/gpt_4-mini", r"org/gpt\_4-mini"),
        ("a\\|b", r"a\\&#124;b"),
        ("<b>*x*</b>", r"\<b\>\*x\*\</b\>"),
        ("[x](y)", r"\[x\](y)"),
        ("`x`", r"\`x\`"),
    ],
)
def test_names_are_no_markdown(name: str, shown: str) -> None:
    assert leaderboard_to_markdown(named(name)).splitlines()[2].startswith(f"| {shown} | 1.00 |")


@given(st.text(min_size=1))
def test_any_name_leaves_a_markdown_table_its_rows_and_columns(name: str) -> None:
    lines = leaderboard_to_markdown(named(name)).splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.replace(r"\\", "").replace(r"\|", "").count("|") == 7


def test_latex_is_a_booktabs_table() -> None:
    made = leaderboard([episode("oak", (-1.0, {"goal": goal})) for goal in (-1, 1)], models=["oak"])
    assert leaderboard_to_latex(made) == (
        "% needs \\usepackage{booktabs}\n"
        "\\begin{tabular}{lrrrrr}\n"
        "\\toprule\n"
        "Model & GOAL [0, 10] & Overall & Settings & Episodes & Missing \\\\\n"
        "\\midrule\n"
        "oak & $0.00 \\pm 12.71$ & $-1.00 \\pm 0.00$ & $1$ & $2$ & $0$ \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
    )
    assert "ash & -- & -- &" in leaderboard_to_latex(leaderboard([], models=["ash"]))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a&b%c$d#e_f{g}", r"a\&b\%c\$d\#e\_f\{g\}"),
        ("~^\\", r"\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("<|>", r"\textless{}\textbar{}\textgreater{}"),
        ("[1em]", "{[}1em]"),
        ("*x", "{*}x"),
        ("gpt-4--x,,y", "gpt-4-{}-x,{},y"),
        ("?`'", r"?\textasciigrave{}\textquotesingle{}"),
        ("a\nb", "a b"),
    ],
)
def test_names_are_no_latex(name: str, shown: str) -> None:
    assert f"\\midrule\n{shown} & $1.00$" in leaderboard_to_latex(named(name))


# ----------------------------------------------------------------------- Sotopia's JSON lines


def test_sotopia_s_lines_have_each_model_s_means_in_the_published_order() -> None:
    text = leaderboard_to_sotopia_jsonl(board())
    elm, oak = text.splitlines()
    assert text.endswith("\n")
    assert oak == (
        '{"model_name": "oak", "SOC [-10, 0]": -3.0, "SEC [-10, 0]": -0.5, "FIN [-5, 5]": 4.0, '
        '"REL [-5, 5]": 1.0, "KNO [0, 10]": 2.0, "GOAL [0, 10]": 9.0, "BEL [0, 10]": 9.0}'
    )
    nothing: dict[str, Any] = dict.fromkeys(PUBLISHED)
    assert json.loads(elm) == {"model_name": "elm"} | nothing | {"GOAL [0, 10]": 6.0}


def test_sotopia_s_lines_need_no_scores() -> None:
    assert leaderboard_to_sotopia_jsonl(leaderboard([], models=["oak"])) == ""


def test_sotopia_s_lines_are_of_one_model_each() -> None:
    with pytest.raises(InvalidArgumentError, match="by model, partner"):
        leaderboard_to_sotopia_jsonl(board(by=["model", "partner"]))


def test_the_file_is_named_after_the_partner() -> None:
    assert sotopia_jsonl_name("gpt-4o") == "models_vs_gpt-4o.jsonl"
    partner = "together_ai/meta-llama/Llama-3-70b-chat-hf"
    assert sotopia_jsonl_name(partner) == "models_vs_Llama-3-70b-chat-hf.jsonl"
    assert sotopia_jsonl_name("../..") == "models_vs_...jsonl"
    for hostile in ("a\x00b", "..\\..\\x", "a\nb"):
        with pytest.raises(InvalidArgumentError, match="no file can be named"):
            sotopia_jsonl_name(hostile)
