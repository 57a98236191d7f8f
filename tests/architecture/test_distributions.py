"""What is in the wheel and the sdist, and what installing them puts where."""

import csv
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.architecture.builds import Built, fresh_python, run
from tests.architecture.project import MOVED, ROOT, files, run_python

pytestmark = pytest.mark.packaging

TOP_FILES = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "pyproject.toml",
}

WORKS_WITHOUT_EXTRAS = """
import importlib.util, simstore
assert not any(map(importlib.util.find_spec, ("domain", "adapters", "services", "tests")))
for url in "memory://", "sqlite:///a.db":
    with simstore.connect(url) as store:
        ada = store.agents.save(simstore.AgentProfile(first_name="Ada", last_name="Lovelace"))
        assert store.agents.find(first_name="Ada") == [ada]
try:
    import simstore.testing
except simstore.MissingDependencyError as error:
    print(error)
"""


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def expected_files() -> set[str]:
    """The names that the checkout's files have in a wheel."""
    inside = {}
    for path in files():
        if not path.is_symlink():
            parts = path.relative_to(ROOT).parts
            if parts[0] == "simstore" or parts[0] in MOVED:
                inside["/".join(parts if parts[0] == "simstore" else ("simstore", *parts))] = path
    return set(inside)


def test_both_roads_lead_to_the_same_wheel(built: Built) -> None:
    assert contents(built.wheel) == contents(built.wheel_of_sdist)


def test_the_wheel_holds_the_package_and_nothing_else(built: Built) -> None:
    names = set(contents(built.wheel))
    assert {name for name in names if ".dist-info/" not in name} == expected_files()
    assert "simstore/py.typed" in names
    assert "simstore/domain/query.py" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_record_has_one_top_level_name(built: Built) -> None:
    (record,) = [text for name, text in contents(built.wheel).items() if name.endswith("/RECORD")]
    tops = {row[0].split("/")[0] for row in csv.reader(record.decode().splitlines())}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"simstore"}


def test_the_sdist_holds_the_sources_and_no_links(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        members = archive.getmembers()
    assert all(member.isfile() for member in members)
    names = {member.name.split("/", 1)[1] for member in members}
    present = {path.relative_to(ROOT).as_posix() for path in files() if not path.is_symlink()}
    # Notes and logs that lie about at the top of a checkout stay out; the rest is complete.
    expected = {name for name in present if "/" in name or name in TOP_FILES}
    assert names - {".gitignore", "PKG-INFO"} == expected


def test_an_installed_simstore_works_without_any_extra(consumer: Path, tmp_path: Path) -> None:
    ran = run_python(WORKS_WITHOUT_EXTRAS, "-W", "error", python=consumer, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().endswith("pip install 'simstore[testing]'")


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the oldest dependencies have wheels for 3.11 alone"
)
def test_the_oldest_dependencies_suffice(built: Built, tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = [dependency.replace(">=", "==") for dependency in project["dependencies"]]
    python = fresh_python(tmp_path)
    run(python, "-m", "pip", "install", "--quiet", built.wheel, *oldest)
    ran = run_python(WORKS_WITHOUT_EXTRAS, "-W", "error", python=python, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr


def test_an_editable_install_copies_nothing(built: Built, tmp_path: Path) -> None:
    # A copy of domain/ in site-packages would go stale, unseen, at the first change of a file.
    python = fresh_python(tmp_path)
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--editable", str(built.checkout))
    installed = tmp_path.glob("lib/python3*/site-packages/*simstore*")
    assert sorted(path.suffix for path in installed) == [".dist-info", ".pth"]
    where = "import importlib.util as u; print(u.find_spec('simstore').origin)"
    found = run_python(where, python=python, cwd=tmp_path).stdout.strip()
    assert found == str(built.checkout / "simstore/__init__.py")
