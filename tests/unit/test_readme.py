"""Every Python block of the README and of docs/ runs, as a reader would run them: in order."""

import re
from contextvars import copy_context
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python[^\n]*\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path) -> list[tuple[int, str]]:
    """(line of the first statement, code) of each Python block of `page`."""
    text = page.read_text(encoding="utf-8")
    return [(text.count("\n", 0, b.start("code")), b["code"]) for b in BLOCK.finditer(text)]


PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if page.exists() and blocks(page)
]


def test_the_readme_has_python_to_run() -> None:
    assert ROOT / "README.md" in PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    context = copy_context()  # a page may bind a store
    for line, code in blocks(page):
        # Empty lines above, so that a traceback names the page's own line and shows it.
        program = compile("\n" * line + code, str(page), "exec")
        context.run(exec, program, namespace)
