"""What the architecture tests look at: the checkout, its files, and Pythons of their own."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOVED = ("domain", "adapters", "services")
"""The folders that are top-level in the checkout and `simstore.…` to everybody else."""


GENERATED = {".git", ".venv", "build", "dist", "htmlcov", "__pycache__", ".hypothesis"}


@cache
def files() -> list[Path]:
    """Every file and link of the project, and nothing that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if (ROOT / ".git").exists() and listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:  # an archive of the project: nobody to ask, so caches are known by their names
        paths = [path for path in ROOT.rglob("*") if not _generated(path.relative_to(ROOT))]
    return sorted(path for path in paths if path.is_symlink() or path.is_file())


def _generated(path: Path) -> bool:
    return any(part in GENERATED or part.endswith("_cache") for part in path.parts)


def python_files(*folders: str) -> list[Path]:
    """The Python files under `folders` of the checkout, each once."""
    return [
        path
        for path in files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    ]


def package_files() -> list[Path]:
    """The Python files that are installed."""
    return python_files("simstore", *MOVED)


def imported_names(path: Path) -> Iterator[str]:
    """The modules that `path` imports, anywhere in it, by their full names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def run_python(
    code: str, *options: str, python: str | Path = sys.executable, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run `code` in an interpreter of its own; its output is for the test to judge."""
    return subprocess.run(
        [python, *options, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )
