"""docs/cli.md tells of every command and every option of the command line, and of no other."""

import re
from typing import Any

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")

import typer

from simstore.cli.app import app
from tests.architecture.project import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
TEXT = re.sub(r"^```console\n.*?^```", "", PAGE, flags=re.DOTALL | re.MULTILINE)
"""The page without its examples, which are tested by being run."""

APPLICATION = typer.main.get_command(app)
COMMANDS = APPLICATION.commands  # type: ignore[attr-defined]  # it is a group
OPTION = re.compile(r"(?<![\w-])(?:--[a-z][a-z-]+|-[a-z])\b")

SECTIONS = {
    heading.split()[1]: (heading, text)
    for heading, text in re.findall(
        r"^## `(simstore [^`]+)`\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE
    )
}


def options_of(command: Any) -> set[str]:
    return {
        name
        for parameter in command.params
        if parameter.param_type_name == "option" and "--help" not in parameter.opts
        for name in parameter.opts
    }


def test_every_command_has_a_section_and_no_other() -> None:
    assert SECTIONS.keys() == COMMANDS.keys()
    assert len(COMMANDS) == 17


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_section_lists_the_options_of_its_command(name: str) -> None:
    _, text = SECTIONS[name]
    listed = set(OPTION.findall(text))
    assert listed == options_of(COMMANDS[name])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_heading_names_the_arguments_of_its_command(name: str) -> None:
    heading, _ = SECTIONS[name]
    arguments = [p for p in COMMANDS[name].params if p.param_type_name == "argument"]
    named = [word.strip("[].") for word in heading.split()[2:]]
    assert named == [(p.metavar or p.name.upper()).strip("[].") for p in arguments]


def test_what_all_commands_share_names_only_options_that_exist() -> None:
    shared = TEXT.partition("\n## `simstore ")[0]
    known = options_of(APPLICATION) | {"--help"}
    for command in COMMANDS.values():
        known |= options_of(command)
    assert set(OPTION.findall(shared)) <= known
    assert options_of(APPLICATION) <= set(OPTION.findall(shared))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_and_argument_has_a_help_text(name: str) -> None:
    for parameter in COMMANDS[name].params:
        assert parameter.help, parameter.name
