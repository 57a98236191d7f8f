"""A benchmark's report as the command line prints it: on terminals of any width, and in a pipe."""

import io
import re
import sys

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")

from rich.cells import cell_len

from simstore.bench.output.wording import UNSOUND
from simstore.bench.report import Report
from simstore.bench.works import WORKS
from simstore.cli.bench_tables import print_report
from simstore.services.rendering.visible import one_line
from tests.unit.bench_reports import HOSTILE, NAMES, hostile_report, small_report, whole_report

STYLE = re.compile(r"\x1b\[[\d;]*m")


class Screen(io.StringIO):
    """What is written, as if to a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def on_a_terminal(report: Report, width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_report(report)
    return screen.getvalue()


def in_a_pipe(report: Report, capsys: pytest.CaptureFixture[str], baseline: str = "") -> str:
    print_report(report, baseline=baseline or None)
    return capsys.readouterr().out


def works_of(text: str) -> str:
    return text.partition("\nWorks\n=====\n")[2].partition("\nGrowth\n")[0]


def test_a_pipe_gets_each_table_whole(capsys: pytest.CaptureFixture[str]) -> None:
    works = works_of(in_a_pipe(whole_report(), capsys))
    for heading in ("Works, µs a record", "Works, µs a call"):
        header = works.partition(f"\n{heading}\n")[2].partition("\n")[0]
        assert re.split(r"  +", header) == ["work", *NAMES]
    (save_many,) = re.findall(r"^save_many .*$", works, re.MULTILINE)
    cells = re.split(r"  +", save_many)
    assert cells[:3] == ["save_many", "64.0* ±6% 1x", "235 ±6% 3.7x"]
    assert len(cells) == 1 + len(NAMES)


def test_the_fastest_has_a_sign(capsys: pytest.CaptureFixture[str]) -> None:
    works = works_of(in_a_pipe(whole_report(), capsys))
    assert works.count("*") == len(WORKS) + 1  # and in the caption
    assert "* is the fastest" in " ".join(works.split())


@pytest.mark.parametrize("width", [80, 200])
def test_the_fastest_stands_out_on_a_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    works = works_of(on_a_terminal(whole_report(), width, monkeypatch))
    stands_out = re.findall(r"\x1b\[1m([^\x1b]*±[^\x1b]*)\x1b\[0m", works)
    assert len(stands_out) == len(WORKS)
    assert all("*" in text for text in stands_out)


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_nothing_is_wider_than_the_terminal_and_no_figure_is_cut(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STYLE.sub("", on_a_terminal(whole_report(), width, monkeypatch))
    assert max(cell_len(line.rstrip()) for line in text.splitlines()) <= width
    figures = re.compile(r"[\d.,]+(?: ms| s)?\*? +±\d+% +[\d.,]+x")
    works = works_of(text)
    assert "…" not in works
    monkeypatch.undo()
    whole = works_of(in_a_pipe(whole_report(), capsys))
    spaced = [
        sorted(" ".join(found.split()) for found in figures.findall(each))
        for each in (works, whole)
    ]
    assert len(spaced[0]) > 100
    assert spaced[0] == spaced[1]


def test_a_narrow_terminal_gets_all_contenders_of_a_work_below_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    works = works_of(STYLE.sub("", on_a_terminal(whole_report(), 80, monkeypatch)))
    blocks = [
        [line.split("  ")[0].strip() for line in block.splitlines()]
        for block in re.split(r"\n\s*\n", works)
    ]
    rows = [names[-len(NAMES) :] for names in blocks if names[-1] == NAMES[-1]]
    assert len(rows) >= 4
    assert all(names == list(NAMES) for names in rows)


def test_ratios_can_be_to_a_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    text = in_a_pipe(whole_report(), capsys, baseline="redis-om")
    assert "then how many times that of redis-om" in " ".join(text.split())
    (save_many,) = re.findall(r"^save_many .*$", works_of(text), re.MULTILINE)
    assert "0.09x" in save_many


def test_what_is_unsound_is_said_before_the_figures_and_after_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = in_a_pipe(whole_report(failures=["sotopia: boom"]), capsys)
    assert text.count(UNSOUND) == text.count("sotopia: boom") == 2
    assert text.index("sotopia: boom") < text.index("Works")
    assert UNSOUND not in in_a_pipe(whole_report(), capsys)


@pytest.mark.parametrize("width", [80, 400])
def test_foreign_texts_do_nothing(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = on_a_terminal(hostile_report(), width, monkeypatch)
    assert "\x1b[31m" not in text
    assert "\u202e" not in text
    # Its brackets are no markup of Rich's.
    assert "[red]" in " ".join(STYLE.sub("", text).split())
    assert one_line(HOSTILE) in " ".join(STYLE.sub("", text).split())


def test_a_small_report_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    text = in_a_pipe(small_report(), capsys)
    assert text.endswith("save, one by one   68.0* 1x\n")
    assert "Growth" not in text
