"""A benchmark's report in Markdown, as GitHub reads it."""

import re
from itertools import pairwise
from typing import Any

import pytest

from simstore.bench.output.markdown import report_markdown
from simstore.bench.output.numbers import NOTHING
from simstore.bench.output.tables import tables_of
from simstore.bench.output.wording import UNSOUND
from simstore.services.rendering.visible import one_line
from tests.unit.bench_reports import (
    HOSTILE,
    NAMES,
    hostile_report,
    small_report,
    whole_report,
)

markdown_it = pytest.importorskip("markdown_it", reason="rich, of the extra cli, brings it")

PARSER = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])

Grid = list[list[str]]


def text_of(token: Any) -> str:
    """What an inline token shows, if it is text, code or strong."""
    allowed = {"text", "strong_open", "strong_close", "code_inline"}
    assert {child.type for child in token.children} <= allowed
    return "".join(child.content for child in token.children)


def tables(markdown: str) -> list[Grid]:
    """The cells of each table."""
    found: list[Grid] = []
    tokens = PARSER.parse(markdown)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in {"th_open", "td_open"} and following is not None:
            found[-1][-1].append(text_of(following))
    return found


def headings(markdown: str) -> list[tuple[str, str]]:
    tokens = PARSER.parse(markdown)
    return [
        (token.tag, text_of(following))
        for token, following in pairwise(tokens)
        if token.type == "heading_open"
    ]


def test_every_table_is_there_with_the_contenders_before_them() -> None:
    report = whole_report()
    contenders, *others = tables(report_markdown(report))
    assert [row[0] for row in contenders] == ["contender", *NAMES]
    made = tables_of(report)
    assert len(others) == len(made)
    for grid, table in zip(others, made, strict=True):
        assert grid[0] == [*table.labels, *(column.name for column in table.columns)]
        assert [row[0] for row in grid[1:]] == [row.labels[0] for row in table.rows]
        assert {len(row) for row in grid} == {len(table.labels) + len(table.columns)}


def test_cells_have_the_fastest_in_bold() -> None:
    lines = report_markdown(whole_report()).splitlines()
    (save_many, *_) = [line for line in lines if line.startswith(r"| save\_many |")]
    assert save_many.split(" | ")[1:3] == ["**64.0** ±6% (1x)", "235 ±6% (3.7x)"]
    assert save_many.split(" | ")[7] == NOTHING


def test_growth_ends_with_a_bare_factor() -> None:
    (_, _, _, get, *_) = tables(report_markdown(whole_report()))
    assert get[1] == ["memory://", "6.00 ±8%", "6.04 ±8%", "6.08 ±8%", "1.01x"]


def test_machine_settings_and_versions_stand_above_the_tables() -> None:
    above, _, below = report_markdown(whole_report()).partition("### Works")
    for fact in ("AMD EPYC 7B13, 2 cores, 7.8 GiB", "2,000 episodes of 21 KB, 5 rounds", "8.2.3"):
        assert fact in above
    assert "**Left out:**\n\n- fakeredis" in above
    assert "± how far the furthest round was from it" in below


def test_captions_say_what_ratios_are_to() -> None:
    text = report_markdown(whole_report(), baseline="redis-om")
    parts = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    assert ["that of redis-om" in part for part in parts] == [True, False, True, False]
    assert "then how many times the least" in parts[-1]


def test_headings_can_be_deeper() -> None:
    assert headings(report_markdown(small_report(), level=3)) == [
        ("h3", "What storage costs"),
        ("h4", "Works"),
        ("h5", "Works, µs a record"),
    ]


def test_what_is_unsound_is_said_first() -> None:
    report = whole_report(failures=["sotopia: boom"], disagreements=["redis-om: all: 3 differ"])
    text = report_markdown(report)
    assert UNSOUND not in report_markdown(whole_report())
    assert text.index(UNSOUND) < text.index("redis-om: all") < text.index("sotopia: boom")
    assert text.index("sotopia: boom") < text.index("| contender |")


def test_foreign_texts_are_no_markdown() -> None:
    text = report_markdown(hostile_report())
    contenders, works, *_ = tables(text)
    seen = one_line(HOSTILE)
    assert contenders[1] == [seen, "simstore", seen, f"{seen} {seen}"]
    assert works[0] == ["work", seen]
    assert works[1][0] == seen
    assert len(tables(text)) == 5
    assert {token.type for token in PARSER.parse(text)}.isdisjoint({"html_block", "fence"})


def test_a_small_report_is_short() -> None:
    assert len(tables(report_markdown(small_report()))) == 2
    assert report_markdown(small_report()).endswith("| save, one by one | **68.0** (1x) |\n")
