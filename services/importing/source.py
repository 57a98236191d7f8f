"""The records of a file: what it is written in, and each line as a record or as a fault."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, NamedTuple

from pydantic import BaseModel

from simstore.domain.errors import ImportFileError
from simstore.domain.schema import near_name, schema_of
from simstore.services.files import csv_files, parquet
from simstore.services.files.faults import LineError, fault_at
from simstore.services.files.formats import FileFormat
from simstore.services.files.jsonl import read_objects
from simstore.services.files.layout import COLLECTION_KEY, Layout, Line, own_layout
from simstore.services.files.rows import Row, csv_rows, jsonl_rows, parquet_rows
from simstore.services.files.sizes import size_of, size_when_written
from simstore.services.files.streams import state_of
from simstore.services.importing.recognizing import layouts_of, recognize

MAX_IGNORED_KEYS = 100
"""How many keys that no field stands for are remembered."""


class Item(NamedTuple):
    """A record of the file, the line it came from, and about how many bytes its values take."""

    record: Any
    collection: str
    line: int
    size: int


class _Kind(NamedTuple):
    """Whose records some lines are, and how one is made of a line."""

    layout: Layout[Any]
    collection: str
    load: Callable[[Line], Any]
    known: frozenset[str] | None
    """The keys that its lines may have; None if any."""

    @classmethod
    def of(cls, layout: Layout[Any]) -> "_Kind":
        known = None
        if layout.model.model_config.get("extra") != "allow":
            known = frozenset(layout.fields) | layout.derived
        return cls(layout, schema_of(layout.model).collection, layout.loader(), known)


class Source:
    """The records of a file, as often as they are asked for."""

    def __init__(
        self,
        stream: IO[bytes],
        name: str,
        chosen: FileFormat,
        models: tuple[type[BaseModel], ...],
    ) -> None:
        self.name = name
        self.ignored: dict[str, None] = {}
        self._stream = stream
        self._state = state_of(stream)
        self._start = stream.tell() if stream.seekable() else 0  # "-" may stand anywhere
        self._own = {kind.collection: kind for kind in map(_Kind.of, map(own_layout, models))}
        self._only: _Kind | None = None
        """The kind of all records, None where each line names its collection."""
        keys = self._keys(chosen)
        if keys is not None and COLLECTION_KEY not in keys:
            layouts = layouts_of(kind.layout.model for kind in self._own.values())
            self._only = _Kind.of(recognize(keys, layouts, name))
            self._take_note_of_unknown(self._only, keys)
        elif chosen is not FileFormat.JSONL:
            raise ImportFileError(
                name, 0, COLLECTION_KEY, "only JSON lines hold records of several models"
            )
        self._rows = self._reader(chosen)
        # The reader of JSON lines has written each, to prove it.
        self._size_of = size_of if chosen is FileFormat.JSONL else size_when_written

    def _keys(self, chosen: FileFormat) -> list[str] | None:
        """The keys of the file: a table's columns, or those of the first line that can be read.

        None where no line can be.
        """
        match chosen:
            case FileFormat.CSV:
                return csv_files.column_names(self._stream, self.name)
            case FileFormat.PARQUET:
                return parquet.column_names(self._stream, self.name)
        objects = (content for _, content in read_objects(self._stream, self.name))
        first = next((line for line in objects if not isinstance(line, ImportFileError)), None)
        return None if first is None else list(first)

    def _reader(self, chosen: FileFormat) -> Callable[[int], Iterator[Row]]:
        """What reads the rows after a number, from a stream that stands where they begin."""
        stream, name = self._stream, self.name
        if chosen is FileFormat.JSONL or self._only is None:
            return lambda after: jsonl_rows(stream, name, after)
        layout = self._only.layout
        if chosen is FileFormat.CSV:
            line_of = layout.row_reader()
            return lambda after: csv_rows(stream, name, line_of, after)
        return lambda after: parquet_rows(stream, name, layout.model, after)

    def model(self, collection: str) -> type[BaseModel]:
        return self._own[collection].layout.model

    def key_of(self, collection: str, field: str) -> str:
        """The file's key for a field of a collection's records."""
        kind = self._only or self._own[collection]
        return next((key for key, name in kind.layout.fields.items() if name == field), field)

    def has_changed(self) -> bool:
        """Whether the file was written to since it was opened."""
        return state_of(self._stream) != self._state

    def items(self, after: int = 0) -> Iterator[Item | ImportFileError]:
        """Each record behind line `after`, or what is wrong with its line."""
        self._stream.seek(self._start)
        only = self._only
        for number, content in self._rows(after):
            if isinstance(content, ImportFileError):
                yield content
                continue
            try:
                kind = only or self._tagged(content)
                record = kind.load(content)
            except LineError as error:
                yield fault_at(self.name, number, error)
                continue
            if kind.known is not None and not content.keys() <= kind.known:
                self._take_note_of_unknown(kind, content)
            derived = kind.layout.derived
            kept = [value for key, value in content.items() if key not in derived]
            yield Item(record, kind.collection, number, self._size_of(kept))

    def _take_note_of_unknown(self, kind: _Kind, keys: Iterable[str]) -> None:
        if kind.known is not None:
            for key in keys:
                if len(self.ignored) == MAX_IGNORED_KEYS:
                    return
                if key not in kind.known:
                    self.ignored[key] = None

    def _tagged(self, content: Line) -> _Kind:
        collection = content.pop(COLLECTION_KEY, None)
        if not isinstance(collection, str):
            raise LineError(COLLECTION_KEY, "is missing, and the file's first line has it")
        if collection not in self._own:
            raise LineError(
                COLLECTION_KEY,
                f"is {collection!r}, which is no model's that was given"
                f"{near_name(collection, self._own)}; name the model",
            )
        return self._own[collection]
