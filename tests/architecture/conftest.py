"""Distributions, and an environment with one installed, made once for all tests."""

import shutil
from pathlib import Path

import pytest

from tests.architecture.builds import Built, build, fresh_python, run
from tests.architecture.project import ROOT, files


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    base = tmp_path_factory.mktemp("built")
    for path in files():
        copy = base / "checkout" / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy, follow_symlinks=False)
    return build(base / "checkout", base)


@pytest.fixture(scope="session")
def consumer(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment that has the wheel, its dependencies and no extra."""
    python = fresh_python(tmp_path_factory.mktemp("consumer"))
    run(python, "-m", "pip", "install", "--quiet", built.wheel)
    return python
