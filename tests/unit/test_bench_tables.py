"""A benchmark's figures as tables: what is fastest, how many times that the others cost."""

import pytest

from simstore.bench.output.numbers import (
    NOTHING,
    amount,
    between,
    spread,
    three_digits,
    times,
    with_unit,
)
from simstore.bench.output.tables import (
    Cell,
    Table,
    growth_tables,
    link_curves,
    link_tables,
    memory_tables,
    tables_of,
    works_tables,
)
from simstore.bench.report import Figure, Report
from simstore.bench.works import LINK_WORKS, WORKS, Work
from tests.unit.bench_reports import (
    NAMES,
    SERVED,
    contender,
    figure,
    small_report,
    whole_report,
)

GET = next(work for work in WORKS if work.name == "get")


def shown(cell: Cell) -> str:
    return " ".join(filter(None, [cell.value, cell.spread, cell.times]))


def row_of(table: Table, *labels: str) -> list[str]:
    return [shown(cell) for row in table.rows for cell in row.cells if row.labels == labels]


def best_of(table: Table, *labels: str) -> list[str]:
    return [
        column.name
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
        if row.labels == labels and cell.best
    ]


def report_of(*figures: Figure, **changed: object) -> Report:
    names = ["memory://", "sqlite://", "redis-om"]
    given = {"contenders": [contender(name, cannot=[]) for name in names], "figures": figures}
    return whole_report(**(given | changed))


# --------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.01234, "0.0123"),
        (0.9996, "1.00"),
        (1.234, "1.23"),
        (9.996, "10.0"),
        (12.34, "12.3"),
        (99.96, "100"),
        (123.4, "123"),
        (1234.5, "1,230"),
        (99_960, "100,000"),
    ],
)
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert three_digits(value) == text


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0.5, "0.500 µs"),
        (9_994, "9,990 µs"),
        (9_996, "10.0 ms"),
        (141_032, "141 ms"),
        (9_994_000, "9,990 ms"),
        (9_996_000, "10.0 s"),
        (12_345_678, "12.3 s"),
    ],
)
def test_times_are_in_a_unit_that_suits_them(microseconds: float, text: str) -> None:
    assert with_unit(microseconds, "µs a call") == text
    assert amount(microseconds, "µs a record") == text.removesuffix(" µs")


def test_bytes_are_in_kb() -> None:
    assert amount(24_567, "bytes a record") == "24.6"
    assert with_unit(480, "bytes a record") == "0.480 KB"


def test_the_unit_of_two_figures_is_written_once() -> None:
    assert between(63.9, 78.94, "µs a call") == "63.9 to 78.9 µs"
    assert between(9_800, 10_200, "µs a call") == "9,800 µs to 10.2 ms"


def test_a_spread_is_the_furthest_round_s_in_percent_rounded_up() -> None:
    assert spread(95, 100, 109) == "±9%"
    assert spread(85, 100, 109.1) == "±15%"
    assert spread(99.99, 100, 100) == "±1%"
    assert spread(10, 100, 1500) == "±1,400%"
    assert spread(100, 100, 100) == ""


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.0, "1x"),
        (0.034, "0.03x"),
        (0.83, "0.83x"),
        (1.001, "1.00x"),
        (1.04, "1.04x"),
        (1.999, "2.0x"),
        (9.94, "9.9x"),
        (9.96, "10x"),
        (45.4, "45x"),
        (2312, "2,310x"),
    ],
)
def test_ratios_have_two_or_three_digits(ratio: float, text: str) -> None:
    assert times(ratio) == text


# ----------------------------------------------------------------------------------- works


def test_works_are_rows_and_contenders_columns_simstore_s_first() -> None:
    report = whole_report(contenders=[contender(name) for name in reversed(NAMES)])
    records, calls = works_tables(report)
    assert (records.heading, calls.heading) == ("Works, µs a record", "Works, µs a call")
    names = [column.name for column in records.columns]
    assert names == [*reversed(NAMES[:4]), *reversed(NAMES[4:])]
    assert [column.peer for column in records.columns] == [False] * 4 + [True] * 5
    rows = [row.labels for table in (records, calls) for row in table.rows]
    by_unit = sorted(WORKS, key=lambda work: work.unit == "call")
    assert rows == [(work.title,) for work in by_unit]


def test_a_cell_has_median_spread_and_ratio_to_the_fastest() -> None:
    records, calls = works_tables(whole_report())
    assert row_of(records, "save_many")[:3] == ["64.0 ±6% 1x", "235 ±6% 3.7x", "130 ±18% 2.0x"]
    assert row_of(calls, "pks of all")[4] == "141 ms ±6% 2,310x"
    assert best_of(records, "save_many") == ["memory://"]
    assert best_of(records, "export to Sotopia's CSV") == ["sqlite://"]


def test_the_median_counts_not_the_mean_and_not_the_best_round() -> None:
    report = report_of(
        figure("memory://", GET, 0, samples=[1, 50, 60]),
        figure("sqlite://", GET, 0, samples=[40, 40, 400]),
    )
    (table,) = works_tables(report)
    assert row_of(table, GET.title) == ["50.0 ±98% 1.25x", "40.0 ±900% 1x"]
    assert best_of(table, GET.title) == ["sqlite://"]


def test_all_that_are_fastest_are_marked() -> None:
    report = report_of(*(figure(name, GET, 30, samples=[30]) for name in ("memory://", "redis-om")))
    (table,) = works_tables(report)
    assert row_of(table, GET.title) == ["30.0 1x", "30.0 1x"]
    assert best_of(table, GET.title) == ["memory://", "redis-om"]


def test_ratios_can_be_to_a_baseline() -> None:
    figures = [
        figure(name, work, median, samples=[median])
        for name, work, median in [
            ("memory://", GET, 30),
            ("redis-om", GET, 960),
            ("memory://", WORKS[0], 64),
        ]
    ]
    (table,) = works_tables(report_of(*figures), baseline="redis-om")
    assert row_of(table, GET.title) == ["30.0 0.03x", "960 1x"]
    assert best_of(table, GET.title) == ["memory://"]
    # It has no such figure, so there is no ratio to it.
    assert row_of(table, WORKS[0].title) == ["64.0", "?"]


def test_a_baseline_that_has_no_links_leaves_them_without_ratios() -> None:
    tables = link_tables(whole_report(), baseline="memory://")
    assert not [cell for table in tables for row in table.rows for cell in row.cells if cell.times]


def test_what_is_not_done_is_a_dash_and_what_is_missing_a_question() -> None:
    report = report_of(
        figure("memory://", GET, 30),
        figure("sqlite://", WORKS[0], 64),
        contenders=[contender("memory://", cannot=["save"]), contender("sqlite://", cannot=[])],
    )
    (table,) = works_tables(report)
    assert row_of(table, GET.title)[1] == "?"
    assert row_of(table, WORKS[0].title)[0] == NOTHING


# ----------------------------------------------------------------- growth, links and memory


def test_growth_has_the_factor_from_the_fewest_to_the_most() -> None:
    growing = [
        figure(name, GET, median, samples=[median], part="growth", records=records)
        for name, records, median in [
            ("memory://", 10_000, 6),
            ("memory://", 1_000, 6),
            ("redis-om", 1_000, 900),
            ("redis-om", 10_000, 9_000),
            ("sqlite://", 1_000, 120),
        ]
    ]
    (table,) = growth_tables(report_of(*growing))
    assert table.heading == f"{GET.title}, µs a record"
    assert [column.name for column in table.columns] == ["1,000", "10,000", "growth"]
    assert row_of(table, "memory://") == ["6.00", "6.00", "1x"]
    assert row_of(table, "redis-om") == ["900", "9,000", "10x"]
    assert row_of(table, "sqlite://") == ["120", "?", NOTHING]
    assert best_of(table, "memory://") == ["1,000", "10,000"]
    assert best_of(table, "redis-om") == []


def test_one_number_of_records_shows_no_growth() -> None:
    (table,) = growth_tables(report_of(figure("memory://", GET, 6, part="growth")))
    assert row_of(table, "memory://")[-1] == NOTHING


def test_each_link_has_its_works_and_those_alone_who_use_it() -> None:
    tables = link_tables(whole_report())
    titles = [f"Over a link of {link} ms" for link in ("0.5", "5", "50")]
    assert [table.title for table in tables] == [title for title in titles for _ in range(2)]
    records, calls = tables[:2]
    assert tuple(column.name for column in records.columns) == SERVED
    labels = {row.labels[0] for table in (records, calls) for row in table.rows}
    named = {work.name: work.title for work in WORKS}
    assert labels == {*(named[name] for name in LINK_WORKS), "all ids of 100,000"}


def test_loopback_is_a_link_as_well() -> None:
    links = [figure("memory://", GET, 1, part="links", link=link) for link in (0, 5)]
    tables = link_tables(report_of(*links))
    assert [table.title for table in tables] == ["Over loopback", "Over a link of 5 ms"]
    (curve,) = link_curves(report_of(*links))
    assert [column.name for column in curve.columns] == ["loopback", "5 ms", "growth"]


def test_memory_names_what_holds_it() -> None:
    (table,) = memory_tables(whole_report())
    assert table.heading == "A record, kept, KB a record"
    assert row_of(table, "memory://", "in the process") == ["24.3 1x"]
    assert row_of(table, "redis+om://", "on the server") == ["31.5 1.30x"]
    assert best_of(table, "memory://", "in the process") == ["held"]


# ----------------------------------------------------------------------------------- wholes


def test_all_tables_come_in_the_order_of_the_parts_and_are_whole() -> None:
    tables = tables_of(whole_report())
    assert list(dict.fromkeys(table.part for table in tables)) == [
        "works", "growth", "links", "memory",
    ]  # fmt: skip
    for table in tables:
        for row in table.rows:
            assert len(row.labels) == len(table.labels)
            assert len(row.cells) == len(table.columns)


def test_a_small_report_has_one_small_table() -> None:
    (table,) = tables_of(small_report())
    assert row_of(table, "save, one by one") == ["68.0 1x"]
    assert tables_of(small_report(figures=[])) == []


def test_a_report_comes_back_from_json() -> None:
    report = whole_report(failures=["redis-om: get"], disagreements=["redis-om: all"])
    again = Report.model_validate_json(report.model_dump_json())
    assert again == report
    assert tables_of(again) == tables_of(report)
    assert not again.sound


def test_the_works_of_growth_are_apart() -> None:
    works = [Work("grown_get", "get", "call"), Work("grown_find", "find 10", "call")]
    growing = [figure("memory://", work, 5, part="growth") for work in works]
    assert [table.title for table in growth_tables(report_of(*growing))] == ["get", "find 10"]
