"""Runs the ```console blocks of a page, and holds what they print against what the page shows.

A line that begins with "$ " is a command; the lines below it, up to the next one, are what it
prints, on either stream. A line of "..." stands for any lines, and "..." within a line for any
text. The blocks of a page are run in order in one folder. Calls of simstore are run in this
process, since an interpreter takes half a second to start; other commands by a shell of their own.
"""

import contextlib
import itertools
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from simstore.cli.app import app

BLOCK = re.compile(r"^```console\n(?P<lines>.*?)^```", re.DOTALL | re.MULTILINE)
CALL = re.compile(
    r"simstore (?P<words>(?:'[^']*'|[^'\"|;&<>$`()])*?)"
    r"(?: \| head -n (?P<head>\d+)| (?P<silent>> /dev/null))?(?P<code>; echo \$\?)?"
)
"""A call of simstore, and what a shell is told to do with what it prints."""

VARIABLES = {"SIMSTORE_URL": None, "COLUMNS": None, "FORCE_COLOR": None}
"""What would change what is printed."""


class Command(NamedTuple):
    line: int
    text: str
    printed: str


def commands(page: Path) -> list[Command]:
    """The commands of `page`, each with its line there and what it should print."""
    text = page.read_text(encoding="utf-8")
    found = []
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start("lines")) + 1
        lines = list(enumerate(block["lines"].splitlines(), start=first))
        assert lines[0][1].startswith("$ "), f"{page}:{first}: a block begins with a command"
        starts = [n for n, (_, line) in enumerate(lines) if line.startswith("$ ")]
        for start, end in itertools.pairwise([*starts, len(lines)]):
            after = start + 1
            while lines[after - 1][1].endswith("\\"):  # the command goes on
                after += 1
            found.append(
                Command(
                    lines[start][0],
                    "\n".join(line for _, line in lines[start:after]).removeprefix("$ "),
                    "\n".join(line for _, line in lines[after:end]),
                )
            )
    return found


def run(found: list[Command], folder: Path) -> list[str]:
    """What each of the commands prints, when they are run in `folder`."""
    with contextlib.chdir(folder):
        return [_printed(command.text) for command in found]


def _printed(text: str) -> str:
    call = CALL.fullmatch(text.replace("\\\n", " "))
    if call is None:
        return _by_a_shell(text)
    done = CliRunner().invoke(app, list(_expanded(call["words"])), env=VARIABLES)
    printed = done.stdout
    if call["head"]:
        printed = "".join(printed.splitlines(keepends=True)[: int(call["head"])])
    elif call["silent"]:
        printed = ""
    # One behind the other, as long as a page shows no call that goes on after a note.
    return printed + done.stderr + (f"{done.exit_code}\n" if call["code"] else "")


def _expanded(words: str) -> Iterator[str]:
    """The words as a shell makes them of what is written: quotes taken off, names filled in."""
    for word in re.findall(r"(?:'[^']*'|[^\s'])+", words):
        files = sorted(map(str, Path().glob(word))) if "*" in word and "'" not in word else []
        yield from files or [word.replace("'", "")]


def _by_a_shell(text: str) -> str:
    done = subprocess.run(
        ["bash", "-c", text],
        env={name: value for name, value in os.environ.items() if name not in VARIABLES}
        | {"HOME": str(Path.cwd())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    return done.stdout


def fits(shown: str, printed: str) -> bool:
    """Whether a page's `shown` lines are what was `printed`; blanks at line ends do not count."""
    pattern = "".join(
        "(?:.*\n)*"
        if line.strip() == "..."
        else ".*".join(map(re.escape, line.split("..."))) + "\n"
        for line in map(str.rstrip, shown.splitlines())
    )
    plain = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    return re.fullmatch(pattern, plain) is not None
