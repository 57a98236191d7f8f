"""What a SQLite file says of itself, and what of that would lose records."""

import sqlite3
from pathlib import Path

from simstore.domain.maintenance import Inspection

_SYNCHRONOUS = {0: "off", 1: "normal", 2: "full", 3: "extra"}


def inspect_file(connection: sqlite3.Connection, path: str) -> Inspection:
    """Ask the database of `path` for its settings, and read every page of it."""
    ((mode,),) = connection.execute("PRAGMA journal_mode")
    ((synchronous,),) = connection.execute("PRAGMA synchronous")
    (first, *_) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return inspection_of(
        path=path,
        size=sum(_size(f"{path}{suffix}") for suffix in ("", "-wal")),
        mode=mode,
        synchronous=_SYNCHRONOUS.get(synchronous, str(synchronous)),
        quick_check=first,
    )


def inspection_of(
    *, path: str, size: int, mode: str, synchronous: str, quick_check: str
) -> Inspection:
    """What those settings mean; `size` is in bytes, the write-ahead log included."""
    warnings: list[str] = []
    if mode != "wal":
        warnings.append(
            f"the journal mode is {mode}: readers and writers wait for one another. Close every "
            "program that has the file open, and open it anew: simstore sets the mode to wal"
        )
    if synchronous not in {"full", "extra"}:
        warnings.append(
            f"synchronous is {synchronous}: a power cut may lose the last acknowledged writes. "
            "Leave synchronous=normal out of the URL if that must not be"
        )
    if quick_check != "ok":
        warnings.append(
            f"the file is damaged ({quick_check}): copy what can be read into a new file, "
            "with simstore copy --on-unreadable skip, or go back to a backup"
        )
    facts = {
        "database": f"SQLite {sqlite3.sqlite_version}",
        "file": path,
        "size": f"{size:,} bytes",
        "journal": mode,
        "synchronous": synchronous,
        "quick check": quick_check,
    }
    return Inspection(facts, tuple(warnings))


def _size(path: str) -> int:
    file = Path(path)
    return file.stat().st_size if file.exists() else 0
