"""Files take their names when they are complete, and are what their suffixes say."""

import gzip
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

import simstore
from simstore.domain.errors import InvalidArgumentError
from simstore.services.exporting import export_records
from simstore.services.files.streams import open_for_reading, open_for_writing, split_suffix

NAMES = ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst")


def write(path: Path | str, data: bytes) -> None:
    with open_for_writing(path) as stream:
        stream.write(data)


def read(path: Path | str) -> bytes:
    with open_for_reading(path) as stream:
        return stream.read()


@pytest.mark.parametrize("name", [*NAMES, "A.JSONL.GZ"])
@pytest.mark.parametrize("data", [b"", b"x", os.urandom(3_000_000)], ids=["none", "x", "3 MB"])
def test_what_is_written_is_read(tmp_path: Path, name: str, data: bytes) -> None:
    write(tmp_path / name, data)
    assert read(tmp_path / name) == data
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_old_file_alone(
    tmp_path: Path, name: str, error: type[BaseException]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"old")

    def fail() -> None:
        with open_for_writing(path) as stream:
            stream.write(b"x" * 3_000_000)
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_sees_a_part_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"old")
    with open_for_writing(path) as stream:
        stream.write(b"x" * 3_000_000)
        stream.flush()
        assert path.read_bytes() == b"old"
        (beside,) = set(tmp_path.iterdir()) - {path}
        assert beside.name.startswith(".simstore-")
        assert beside.name.endswith(".partial")
    assert path.stat().st_size == 3_000_000


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_new_file_has_the_permissions_of_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.jsonl", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.jsonl").stat().st_mode) == 0o640


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_a_replaced_file_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()
    path.chmod(mode)
    write(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


def test_a_file_that_may_not_be_written_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"old")
    path.chmod(0o444)
    # To root everything may be written, so that the answer is made here.
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    with pytest.raises(PermissionError, match="may not be written"):
        write(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_a_link(tmp_path: Path, there: bool) -> None:
    (tmp_path / "data").mkdir()
    target, link = tmp_path / "data" / "real.jsonl", tmp_path / "a.jsonl"
    if there:
        target.write_bytes(b"old")
    link.symlink_to(Path("data") / "real.jsonl")
    write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert list((tmp_path / "data").iterdir()) == [target]


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        write(tmp_path / "no" / "a.jsonl", b"")
    with pytest.raises(IsADirectoryError):
        write(tmp_path, b"")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", NAMES)
def test_a_named_pipe_is_written_and_read_directly(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(read(path)))
    reader.start()
    write(path, b"through")
    reader.join(10)
    assert got == [b"through"]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("size", [1, 3_000_000])
def test_a_full_device_is_an_error(size: int) -> None:
    with pytest.raises(OSError, match="No space left on device"):
        write("/dev/full", b"x" * size)


def test_gzip_data_has_neither_name_nor_time(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl.gz", b"x")
    data = (tmp_path / "a.jsonl.gz").read_bytes()
    assert data[3:8] == bytes(5)  # flags and time
    assert gzip.decompress(data) == b"x"


def test_standard_streams(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in ("-", "/dev/stdout"):
        write(name, b"out")
        assert not sys.stdout.buffer.closed
    assert capfdbinary.readouterr().out == b"outout"
    (tmp_path / "in").write_bytes(b"in")
    with (tmp_path / "in").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert read("-") == b"in"
        assert not stdin.closed


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a.jsonl", (".jsonl", "")),
        ("a.b.CSV", (".csv", "")),
        ("a.Jsonl.GZ", (".jsonl", ".gz")),
        ("a.gz", ("", ".gz")),
        (".jsonl", ("", "")),
        ("folder.csv/a", ("", "")),
        ("", ("", "")),
    ],
)
def test_suffixes(path: str, parts: tuple[str, str]) -> None:
    assert split_suffix(path) == parts


def test_a_database_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with simstore.connect(f"sqlite:///{path}") as store:
        store.annotators.save(simstore.Annotator(pk="a", name="n", email="e"))
        for target in path, tmp_path / "link.jsonl":
            if target != path:
                target.symlink_to(path)
            with pytest.raises(InvalidArgumentError, match="is a database; name another file"):
                export_records(store, target, models=simstore.Annotator, format="jsonl")
        assert store.annotators.pks() == ["a"]
    assert path.read_bytes().startswith(b"SQLite")
    assert not list(tmp_path.glob("*.partial"))
