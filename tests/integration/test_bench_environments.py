"""Virtual environments for peers: made once, whole or not at all, and never in vain for long."""

import base64
import hashlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

from simstore.bench import environments
from simstore.bench.environments import Environment, python_of
from simstore.domain.errors import BenchmarkError
from tests.servers.binaries import unavailable

TINY = Environment("tiny", ("tiny==1.0",))


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two wheels, the only ones that pip knows; and a cache of the test's own."""
    if find_spec("virtualenv") is None:
        unavailable("virtualenv is not installed: make test does it", expected=False)
    folder = tmp_path / "wheels"
    folder.mkdir()
    write_wheel(folder, "tiny")
    write_wheel(folder, "needy", "nowhere")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")
    return folder


def write_wheel(folder: Path, name: str, *needs: str) -> Path:
    """A package with one module, which is empty."""
    information = f"{name}-1.0.dist-info"
    required = "".join(f"Requires-Dist: {each}\n" for each in needs)
    files = {
        f"{name}.py": "",
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{required}",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\nRoot-Is-Purelib: true\n",
    }
    record = [f"{information}/RECORD,,"]
    for file, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        record.append(f"{file},sha256={digest.rstrip('=')},{len(text)}")
    files[f"{information}/RECORD"] = "\n".join(record)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return path


def imports(python: Path, module: str) -> bool:
    ran = subprocess.run([python, "-I", "-c", f"import {module}"], check=False, capture_output=True)
    return ran.returncode == 0


def test_an_environment_has_its_packages_alone_and_is_made_once(wheels: Path) -> None:
    both = Environment("both", ("tiny==1.0",), alone=("needy==1.0",))
    python = python_of(both)
    assert imports(python, "tiny")
    assert imports(python, "needy")
    assert not imports(python, "pydantic")
    shutil.rmtree(wheels)
    assert python_of(both) == python


def test_what_was_not_made_to_the_end_is_made_anew() -> None:
    python = python_of(TINY)
    marks = [path for path in TINY.folder.iterdir() if path.name.startswith("simstore")]
    for path in [*marks, *TINY.folder.glob("lib*/**/tiny.py")]:
        path.unlink()
    assert not imports(python, "tiny")
    assert imports(python_of(TINY), "tiny")


def test_one_whose_python_is_gone_is_made_anew() -> None:
    python = python_of(TINY)
    python.unlink()
    assert imports(python_of(TINY), "tiny")


def test_two_runs_at_once_make_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    make = environments._make

    def counted(environment: Environment, folder: Path) -> None:
        made.append(folder)
        make(environment, folder)

    monkeypatch.setattr(environments, "_make", counted)
    with ThreadPoolExecutor(2) as threads:
        pythons = set(threads.map(python_of, [TINY, TINY]))
    assert [imports(python, "tiny") for python in pythons] == [True]
    assert made == [TINY.folder]


def test_what_lies_on_the_callers_path_is_not_taken_for_installed(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZipFile(wheels / "tiny-1.0-py3-none-any.whl") as wheel:
        wheel.extractall(tmp_path / "here")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "here"))
    assert imports(python_of(TINY), "tiny")


@pytest.mark.parametrize(
    "environment",
    [
        Environment("none", ("nowhere==1.0",)),
        Environment("none", ("tiny==1.0",), ("nowhere==1.0",)),
    ],
    ids=["with what it needs", "alone"],
)
def test_a_package_that_is_not_there_is_an_error_with_pips_reason(
    environment: Environment,
) -> None:
    for _ in range(2):  # what failed is tried again
        with pytest.raises(
            BenchmarkError, match=r"of none cannot be installed: .*No matching .* for nowhere==1\.0"
        ):
            python_of(environment)


def test_other_pins_have_another_folder() -> None:
    pins = [(("a==1",), ()), (("a==2",), ()), (("a==1", "b==1"), ()), (("a==1",), ("b==1",))]
    assert len({Environment("x", *pin).folder for pin in pins}) == len(pins)


def test_making_is_bounded_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "MAKING_SECONDS", 0.01)
    with pytest.raises(BenchmarkError, match=r"within 0\.01 seconds"):
        python_of(TINY)


def test_so_is_waiting_for_somebody_who_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock  # noqa: PLC0415 — of an extra

    monkeypatch.setattr(environments, "MAKING_SECONDS", 0.2)
    TINY.folder.parent.mkdir(parents=True)
    with (
        FileLock(f"{TINY.folder}.lock"),
        pytest.raises(BenchmarkError, match="another process is still making"),
    ):
        python_of(TINY)
