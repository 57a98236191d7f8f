"""Runs the command line in this process."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

import simstore
from simstore.cli.app import app
from simstore.samples import sample_path


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.split("\n") if line]


def cli(*arguments: str | Path, stdin: str | bytes = "") -> Ran:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    return Ran(done.exit_code, done.stdout, done.stderr)


def failure(*arguments: str | Path, code: int = 2) -> str:
    """The line that a call which fails says; that it is one line, and the exit code."""
    ran = cli(*arguments)
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.startswith("simstore")
    assert "Traceback" not in ran.err
    return ran.err


def import_samples(url: str) -> None:
    assert cli("import", *sorted(sample_path().glob("*.jsonl")), "--store", url).code == 0


def one_agent(**fields: Any) -> simstore.AgentProfile:
    return simstore.AgentProfile(**{"first_name": "Ada", "last_name": "Lovelace", **fields})
