"""The layers' contracts bite: a forbidden import breaks them, the symlinks notwithstanding."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.builds import Built

pytestmark = pytest.mark.packaging


def broken(checkout: Path) -> set[str]:
    """The contracts that import-linter finds broken in `checkout`."""
    ran = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = ran.stdout.splitlines()
    assert any("kept" in line and "broken" in line for line in lines), ran.stdout + ran.stderr
    return {line.removesuffix(" BROKEN") for line in lines if line.endswith(" BROKEN")}


LAYERS = "entry points > front door > (adapters | services) > domain"
PURE = "the domain does no I/O and knows no backend"
PORTS = "services reach a database through the ports alone"


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("domain/text.py", "from simstore.adapters import registry", LAYERS),
        ("services/__init__.py", "import simstore.adapters.registry", LAYERS),
        ("adapters/registry.py", "def f(): from simstore.services import x", LAYERS),
        ("simstore/newcomer.py", "", LAYERS),
        ("domain/text.py", "import sqlite3", PURE),
        ("services/__init__.py", "import redis", PORTS),
    ],
)
def test_a_forbidden_import_breaks_its_contract(
    built: Built, file: str, line: str, contract: str
) -> None:
    path = built.checkout / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    try:
        path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
        assert contract in broken(built.checkout)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")


def test_the_checkout_keeps_them(built: Built) -> None:
    assert broken(built.checkout) == set()
