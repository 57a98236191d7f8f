"""Runs the ```console blocks of a page, and holds what they print against what the page shows.

A line that begins with "$ " is run by a shell; the lines below it, up to the next one, are what
it prints, on either stream. A line of "..." stands for any lines, and "..." within a line for any
text. All blocks of a page are run in order by one shell, which keeps its folder and variables.
"""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```console\n(?P<lines>.*?)^```", re.DOTALL | re.MULTILINE)
MARK = "=== the end of what it prints ==="


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
    """What each of the commands prints, when one shell runs them in `folder`."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"SIMSTORE_URL", "COLUMNS", "FORCE_COLOR"}
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment["HOME"] = str(folder)
    script = "".join(f"{command.text}\nprintf '%s\\n' '{MARK}'\n" for command in found)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=True,
        timeout=300,
    )
    return done.stdout.split(f"{MARK}\n")[:-1]


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
