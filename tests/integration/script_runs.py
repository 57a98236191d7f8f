"""Runs a script of ``tests/scripts`` as a program, but in this process."""

import contextlib
import io
import runpy
import warnings
from pathlib import Path

import pytest

from simstore.domain.store import Store
from simstore.samples import sample_path
from simstore.services import import_records
from simstore.sotopia import binding, current_store
from simstore.sotopia.environment import Environment

ROOT = Path(__file__).resolve().parents[2]

FOLDER = ROOT / "tests" / "scripts"

SCRIPTS = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}

VARIABLES = ("SIMSTORE_URL", "SOTOPIA_STORAGE_BACKEND", "REDIS_OM_URL")
"""Those that name the environment's store."""


def printed_by(script: Path, folder: Path, **variables: str) -> str:
    """What it prints, run in `folder` with these `variables` and no other that names a store."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        for name, text in variables.items():
            patch.setenv(name, text)
        patch.setattr(binding, "_environment", Environment())  # nothing is open yet
        patch.chdir(folder)
        warnings.simplefilter("ignore")  # some use pydantic's old names
        try:
            with contextlib.redirect_stdout(printed):
                runpy.run_path(str(script), run_name="__main__")
        finally:
            current_store().close()
    return printed.getvalue()


def expected(script: Path) -> str:
    """What it is to print."""
    return script.with_suffix(".txt").read_text(encoding="utf-8")


def fill(store: Store) -> None:
    """Store the samples."""
    for path in sorted(sample_path().glob("*.jsonl")):
        import_records(path, store)
