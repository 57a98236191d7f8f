"""Virtual environments for what is measured beside simstore: its packages clash with ours."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

from simstore.domain.errors import BenchmarkError, MissingDependencyError

MAKING_SECONDS = 600.0
"""So long may making one take, and so long is waited for another process that makes it."""

TOLD_LINES = 3
"""How many of pip's last lines an error repeats, each of them up to `TOLD_WIDTH` characters."""

TOLD_WIDTH = 160

_WHOLE = "simstore-whole"
"""The file in an environment that has all of its packages; written last."""


@dataclass(frozen=True)
class Environment:
    """What a virtual environment has.

    `requirements` are installed with all that they need, `alone` without: packages that need
    much more than what is measured of them.
    """

    name: str
    requirements: tuple[str, ...]
    alone: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it is kept: in the user's cache, apart from those of other pins and Pythons."""
        import platformdirs  # noqa: PLC0415 — of an extra

        parts = (sys.version, sys.base_prefix, *self.requirements, "", *self.alone)
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
        cache = platformdirs.user_cache_path("simstore", appauthor=False)
        return cache / "bench" / f"{self.name}-{digest}"


def python_of(environment: Environment) -> Path:
    """The Python of the environment, which is made first if it is not there: once for all runs.

    Packages come from where pip's configuration says, as wheels: none is built here.

    Raises:
        MissingDependencyError: without simstore's extra ``bench-peers``.
        BenchmarkError: a package cannot be installed, with pip's reason, or it took too long.
    """
    try:
        import filelock  # noqa: PLC0415 — of an extra, as the two others
        import platformdirs  # noqa: F401, PLC0415
        import virtualenv  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingDependencyError("measuring peers", "bench-peers") from error
    folder = environment.folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{folder}.lock", timeout=MAKING_SECONDS):
            if not _whole(folder):
                _make(environment, folder)
    except filelock.Timeout as error:
        raise BenchmarkError(f"another process is still making {folder}") from error
    except OSError as error:
        raise BenchmarkError(f"{folder} cannot be made: {error.strerror or error}") from error
    return _python(folder)


def _whole(folder: Path) -> bool:
    """Whether it was made to the end, and the Python that it was made of is still there."""
    return (folder / _WHOLE).exists() and _python(folder).exists()


def _make(environment: Environment, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    # -P and -I: neither a folder of the caller nor PYTHONPATH may stand in for a package.
    making = [sys.executable, "-P", "-m", "virtualenv", "--no-periodic-update", str(folder)]
    _run(making, f"{folder.name} cannot be made")
    pip = [str(_python(folder)), "-I", "-m", "pip", "install"]
    pip += ["--no-input", "--disable-pip-version-check", "--quiet", "--only-binary=:all:"]
    failed = f"the packages of {environment.name} cannot be installed"
    _run([*pip, *environment.requirements], failed)
    if environment.alone:
        _run([*pip, "--no-deps", *environment.alone], failed)
    (folder / _WHOLE).touch()


def _run(command: Sequence[str], failed: str) -> None:
    try:
        ran = subprocess.run(  # noqa: S603 — virtualenv and pip
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=MAKING_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchmarkError(f"{failed} within {MAKING_SECONDS:g} seconds") from error
    if ran.returncode:
        told = [line for line in ran.stdout.splitlines() if line.strip()][-TOLD_LINES:]
        reason = "; ".join(shorten(line, TOLD_WIDTH, placeholder=" …") for line in told)
        raise BenchmarkError(f"{failed}: {reason}")


def _python(folder: Path) -> Path:
    if sys.platform == "win32":
        return folder / "Scripts" / "python.exe"
    return folder / "bin" / "python"
