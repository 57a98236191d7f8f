"""The records of a file: what it is written in, and each line as a record or as a fault."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from pydantic import BaseModel

from simstore.domain.errors import ImportFileError
from simstore.domain.schema import near_name, schema_of
from simstore.services.exporting import COLLECTION_KEY
from simstore.services.files.formats import FileFormat
from simstore.services.files.layout import Layout, LineError, own_layout
from simstore.services.files.rows import LineOfRow, Row, first_keys, read_file, row_reader
from simstore.services.importing.recognizing import layouts_of, recognize
from simstore.services.sotopia_files.cells import row_reader as sotopia_row_reader


@dataclass(frozen=True, slots=True)
class Item:
    """A record of the file, and the line it came from."""

    record: Any
    collection: str
    line: int
    size: int


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
        self._start = stream.tell() if stream.seekable() else 0  # "-" may stand anywhere
        self._format = chosen
        self._own = {schema_of(model).collection: own_layout(model) for model in models}
        self._models = {collection: layout.model for collection, layout in self._own.items()}
        self._layout = self._recognized()
        self._line_of = self._row_reader() if chosen is FileFormat.CSV else None
        layouts = [*self._own.values(), *([self._layout] if self._layout else [])]
        self._load = {id(layout): layout.loader() for layout in layouts}

    def _recognized(self) -> Layout[Any] | None:
        keys = first_keys(self._stream, self.name, self._format)
        if keys is None or COLLECTION_KEY in keys:
            return None
        layout = recognize(keys, layouts_of(self._models.values()), self.name)
        self._take_note_of_unknown(layout, keys)
        return layout

    def _row_reader(self) -> LineOfRow | None:
        if self._layout is None:
            return None
        own = self._layout in self._own.values()
        return row_reader(self._layout) if own else sotopia_row_reader(self._layout)

    @property
    def of_one_model(self) -> bool:
        return self._layout is not None

    def model(self, collection: str) -> type[BaseModel]:
        return self._models[collection]

    def key_of(self, collection: str, field: str) -> str:
        """The file's key for a field of a collection's records."""
        layout = self._layout or self._own[collection]
        return next((key for key, name in layout.fields.items() if name == field), field)

    def items(self, after: int = 0) -> Iterator[Item | ImportFileError]:
        """Each record behind the line `after`, or what is wrong with its line."""
        self._stream.seek(self._start)
        rows = read_file(
            self._stream, self.name, self._format, self._layout, self._line_of, after=after
        )
        for row in rows:
            if isinstance(row.content, ImportFileError):
                yield row.content
                continue
            try:
                yield self._item(row, row.content)
            except LineError as error:
                fault = ImportFileError(self.name, row.number, error.field, error.reason)
                fault.__cause__ = error.__cause__ or error
                yield fault

    def _item(self, row: Row, content: dict[str, Any]) -> Item:
        layout = self._layout
        if layout is None:
            layout = self._tagged(content)
        record = self._load[id(layout)](content)
        if self._format is FileFormat.JSONL:  # a table's columns are those of its first row
            self._take_note_of_unknown(layout, content)
        return Item(record, schema_of(layout.model).collection, row.number, row.size)

    def _take_note_of_unknown(self, layout: Layout[Any], keys: Iterable[str]) -> None:
        if layout.model.model_config.get("extra") != "allow":
            unknown = [
                key for key in keys if key not in layout.fields and key not in layout.derived
            ]
            self.ignored.update(dict.fromkeys(unknown))

    def _tagged(self, content: dict[str, Any]) -> Layout[Any]:
        collection = content.pop(COLLECTION_KEY, None)
        if not isinstance(collection, str):
            raise LineError(COLLECTION_KEY, "is missing, and the file's first line has it")
        if collection not in self._own:
            raise LineError(
                COLLECTION_KEY,
                f"is {collection!r}, which is no model's that was given"
                f"{near_name(collection, self._own)}; say which model it is",
            )
        return self._own[collection]
