"""The shape of the checkout: folders, links, sizes, and what the texts must not say."""

import os
import re

import pytest

from tests.architecture.project import MOVED, ROOT, files, package_files

MOST_LINES = 400
"""A file that needs more has more than one subject."""

NAMES_AN_INDEX = re.compile(
    r"""index-url | find-links | trusted-host | \[\[?tool\.uv\.index | https?://[^\s"')]+/simple\b
      | files\.pythonhosted\.org | upload\.pypi\.org""",
    re.VERBOSE,
)
"""Where packages come from is the business of whoever installs, never of the project."""


@pytest.mark.parametrize("folder", MOVED)
def test_the_import_name_of_each_folder_is_a_relative_link_to_it(folder: str) -> None:
    link = ROOT / "simstore" / folder
    assert link.is_symlink()
    assert os.readlink(link) == f"../{folder}"  # noqa: PTH115 — the text of the link, not a path


def test_every_folder_with_code_is_a_package() -> None:
    # import-linter passes over folders without __init__.py, and its contracts with them.
    folders = {path.parent for path in package_files()}
    folders |= {parent for folder in folders for parent in folder.parents if ROOT in parent.parents}
    bare = [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()]
    assert len(folders) >= 4
    assert bare == []


def test_no_file_is_too_long_to_have_one_subject() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in package_files()}
    assert len(lengths) > 10
    assert {str(path): lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_file_says_where_packages_come_from() -> None:
    guilty = []
    for path in files():
        if path.is_symlink() or path.name == "test_layout.py":
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        guilty += [f"{path.name}: {found[0]}" for found in NAMES_AN_INDEX.finditer(text)]
    assert guilty == []


def test_a_reader_meets_the_two_commands_first() -> None:
    commands = re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert commands[:2] == ["demo", "test"]
