"""Every ```console block of the README and of docs/ prints what the page shows."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")
pytest.importorskip("mpmath", reason="leaderboards need mpmath")

from tests.unit.console_blocks import CALL, commands, fits, run

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if page.exists() and commands(page)
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="the blocks are for bash")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_shows_what_its_commands_print(page: Path, tmp_path: Path) -> None:
    # Where the checkout has them, in a folder that the commands may fill.
    shutil.copytree(ROOT / "simstore" / "samples", tmp_path / "simstore" / "samples")
    found = commands(page)
    outputs = run(found, tmp_path)
    assert len(outputs) == len(found)
    for command, printed in zip(found, outputs, strict=True):
        assert fits(command.printed, printed), (
            f"{page.name}:{command.line}: $ {command.text}\nprints\n{printed}\n"
            f"and the page shows\n{command.printed}"
        )


def test_the_command_line_has_a_page_of_examples() -> None:
    assert ROOT / "docs" / "cli.md" in PAGES


def test_blocks_are_taken_apart(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "a\n\n```console\n$ one \\\n  more\nout\n$ two\n```\n```console\n$ three\n```\n"
    )
    assert commands(page) == [(4, "one \\\n  more", "out"), (7, "two", ""), (10, "three", "")]


def test_the_commands_run_in_one_folder_and_both_streams_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n"
        "$ echo 'a b' > 'x.txt'; echo oh >&2\n"
        "$ cat x.txt; pwd\n"
        "$ simstore list --store memory://\n"
        "$ simstore show agents 'a b' \\\n  --store memory://; echo $?\n"
        "$ simstore import *.txt > /dev/null; echo $?\n"
        "$ simstore --help | head -n 1\n"
        "```\n"
    )
    outputs = run(commands(page), tmp_path)
    assert outputs[:4] == [
        "oh\n",
        f"a b\n{tmp_path}\n",
        "memory:// holds no records\n",
        "simstore: AgentProfile has no record 'a b'\n1\n",
    ]
    assert outputs[4].startswith("simstore: x.txt: the suffix names no format")
    assert outputs[4].endswith("\n2\n")
    assert outputs[5].count("\n") == 1


def test_the_calls_on_the_page_of_the_command_line_start_no_interpreter() -> None:
    slow = [c.text for c in commands(ROOT / "docs" / "cli.md") if "simstore" in c.text]
    assert [text for text in slow if not CALL.fullmatch(text)] == []


@pytest.mark.parametrize(
    ("shown", "printed", "fit"),
    [
        ("", "", True),
        ("a", "a  \n", True),
        ("a", "a\nb\n", False),
        ("", "a\n", False),
        ("a\n...\nb", "a\nx\ny\nb\n", True),
        ("a\n...\nb", "a\nb\n", True),
        ("a\n...\nb", "a\nx\n", False),
        ("t: ... ms", "t: 1.5 ms\n", True),
        ("t: ... ms", "t: 1.5 s\n", False),
        ("[1.0] (x)", "[1.0] (x)\n", True),
        ("1.0", "1x0\n", False),
    ],
)
def test_dots_stand_for_what_varies(shown: str, printed: str, fit: bool) -> None:
    assert fits(shown, printed) is fit
