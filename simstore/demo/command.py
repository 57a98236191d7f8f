"""The demo's command line.

The demo reads five files in Sotopia's format, stores their records and tells what it asks of them,
what comes out and how long that takes. It needs nothing beyond simstore's core.

The exit code is 0, 1 for data that cannot be used, or 2 for a folder or a store that cannot
be opened.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from simstore.connection import connect
from simstore.demo.story import FILES, tell
from simstore.domain.errors import (
    BackendUnavailableError,
    MissingDependencyError,
    SimstoreError,
    StoreURLError,
)
from simstore.samples import sample_path

DEFAULT_STORE = "memory://"
SAMPLES = "the samples that come with simstore"

BAD_DATA = 1
BAD_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo with command line `arguments`; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m simstore.demo",
        description="See simstore at work on records of simulations.",
    )
    parser.add_argument(
        "--store",
        metavar="URL",
        default=DEFAULT_STORE,
        help=f"where to store the records, such as sqlite:///demo.db (default: {DEFAULT_STORE}); "
        "records of the same keys are replaced",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        help=f"a folder with {', '.join(FILES[:-1])} and {FILES[-1]} in Sotopia's format "
        f"(default: {SAMPLES})",
    )
    options = parser.parse_args(arguments)
    try:
        folder, called = _choose_folder(options.data)
        with connect(options.store) as store:
            tell(store, folder, called, _write, time.perf_counter)
        sys.stdout.flush()  # here, where a closed pipe is no accident
    except (_FolderError, StoreURLError, MissingDependencyError, BackendUnavailableError) as error:
        return _fail(error, BAD_USAGE)
    except SimstoreError as error:
        return _fail(error, BAD_DATA)
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python would flush it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        return _fail(error, BAD_USAGE)
    return 0


class _FolderError(ValueError):
    """A folder that does not hold the five files."""


def _choose_folder(asked: Path | None) -> tuple[Path, str]:
    """The folder to read and what to call it."""
    if asked is None:
        return sample_path(), SAMPLES
    if not asked.is_dir():
        raise _FolderError(f"--data {asked}: there is no such folder")
    missing = [name for name in FILES if not (asked / name).is_file()]
    if missing:
        raise _FolderError(f"--data {asked}: the folder lacks {', '.join(missing)}")
    return asked, str(asked)


def _write(line: str) -> None:
    # The terminal may know fewer characters than the records hold.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")


def _fail(error: Exception, code: int) -> int:
    first_line, *_ = str(error).splitlines() or [type(error).__name__]
    sys.stderr.write(f"simstore.demo: {first_line}\n")
    return code
