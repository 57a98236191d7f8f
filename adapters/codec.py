"""One JSON codec for every backend: records to documents to bytes, and back.

A record is stored as JSON, and only if it comes back equal: what JSON or the model would
change on the way is refused when it is saved, not discovered when it is read.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, from_json, to_json

from simstore.adapters.plain_models import PlainModel
from simstore.adapters.storage import Content, Indexes, Values
from simstore.adapters.type_hints import holds_no_number
from simstore.domain.errors import (
    CorruptRecordError,
    InvalidRecordError,
    WrongModelError,
)
from simstore.domain.fields import FullText, Indexed, check_pk
from simstore.domain.numbers import holds_infinity
from simstore.domain.query import Scalar
from simstore.domain.record import dumper_of, loader_of
from simstore.domain.schema import FieldPath, ModelSchema, scalar
from simstore.domain.text import shown
from simstore.domain.views import record_class

T = TypeVar("T", bound=BaseModel)

Document = dict[str, Any]
"""A record in JSON's own types, keyed by field name, with its ``pk``."""

FAULTS = (
    PydanticSerializationError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What serializers and validators raise of what they cannot take, a model's own included."""


class RecordCodec(Generic[T]):
    """Encodes and decodes the records of one model, for a storage that keeps JSON or objects."""

    def __init__(self, model: type[T], schema: ModelSchema, *, keeps_objects: bool) -> None:
        self._model = model
        self._record_class = record_class(model)
        self._keeps_objects = keeps_objects
        self._schema = schema
        self._dump_item = dumper_of(model)
        self._load = loader_of(model)
        self._plain = PlainModel.of(model)
        self._fields_with_numbers = [
            name
            for name, field in model.model_fields.items()
            if not holds_no_number(field.annotation)
        ]
        self._may_have_extras = model.model_config.get("extra") == "allow"
        self.indexes = Indexes(
            exact=[field.path for field in schema.indexed if field.shape.indexed],
            words=[field.path for field in schema.indexed if field.shape.full_text],
            details=_rules(schema),
        )
        by_path = [schema.resolve(path) for path in self.indexes.paths]
        self._read_values = _reader_of(by_path)

    def encode(self, item: T) -> tuple[str, Content, Values]:
        """The pk of `item`, what is stored of it, and its indexed values.

        Raises:
            WrongModelError: it is not of the codec's model.
            InvalidPkError: its pk is not allowed.
            InvalidRecordError: it is not valid, or would not come back as it is.
        """
        if type(item) is not self._model:
            raise WrongModelError(self._wrong_model(item))
        pk = check_pk(item.pk)  # type: ignore[attr-defined]  # the schema made sure of it
        written = None if self._plain is None else self._plain.write(item)
        if written is not None:
            copied, data = written
            return pk, copied if self._keeps_objects else _trimmed(data), self.values(copied)
        try:
            document = self._dump_item(item)
            back = self._load(document)
        except ValidationError as error:
            field, reason = first_fault(error)
            raise self._invalid(item, f"{field}: {reason}") from error
        except FAULTS as error:
            raise self._invalid(item, f"{self._field_not_json(item)}: {error}") from error
        data = self._dump(item, document)
        if item.__dict__ != back.__dict__ or (
            self._may_have_extras and item.__pydantic_extra__ != back.__pydantic_extra__
        ):
            self._refuse_change(item, back)
        return pk, data, self.values(back)

    def values(self, item: T) -> Values:
        """The indexed values of `item`, in the order of ``indexes.paths``."""
        return self._read_values(item)

    def values_of(self, pk: str, content: Content) -> Values | None:
        """The indexed values of a stored record; None if it cannot be read."""
        try:
            return self.values(self.decode(pk, content))
        except CorruptRecordError:
            return None

    def decode(self, pk: str, content: Content) -> T:
        """The record of what is stored.

        Raises:
            CorruptRecordError: names the field that the model cannot read.
        """
        item = self._read(content)
        if item is not None and item.pk == pk:  # type: ignore[attr-defined]  # as above
            return item
        document = loads(self._schema.collection, pk, json_of(content))
        try:
            if document.get("pk", "") != pk:
                document = self._with_pk(pk, document)
            return self._load(document)
        except ValidationError as error:
            field, reason = first_fault(error)
            raise CorruptRecordError(self._schema.collection, pk, field, reason) from error
        except FAULTS as error:
            # From a validator of the model's own, which did not expect what it met.
            reason = f"{type(error).__name__}: {error}"
            raise CorruptRecordError(self._schema.collection, pk, "", reason) from error

    def with_undeclared(self, content: Content, stored: Content) -> Content:
        """`content` with those fields of `stored` that the model does not declare.

        A newer version of it may have written them, or another program. A model that takes
        undeclared fields has them in its records itself; one with validators of its own may read
        another record with them, and then does without.

        Raises:
            InvalidRecordError: one of them cannot be written again as it is.
        """
        if self._may_have_extras or self._is_kept(stored):
            return content
        extended = with_undeclared(self._model, content, stored)
        if self._plain is None and extended is not content:
            return extended if self._reads_the_same(content, extended) else content
        return extended

    def _reads_the_same(self, content: Content, extended: Content) -> bool:
        name = self._schema.collection
        try:
            one, other = (self._load(loads(name, "", json_of(c))) for c in (content, extended))
        except (CorruptRecordError, *FAULTS):
            return False
        return one == other

    def _read(self, content: Content) -> T | None:
        """The record, if it is of a plain model and nothing of it is in doubt."""
        if self._plain is None:
            return None
        if isinstance(content, bytes):
            return self._plain.read(content)
        return self._plain.clone(content) if self._is_kept(content) else None

    def _is_kept(self, content: Content) -> bool:
        """Whether it is a record of this model: of another definition, it may have other fields."""
        kind = type(content)
        return kind is self._model or (
            not isinstance(content, bytes) and record_class(kind) is self._record_class
        )

    def _with_pk(self, pk: str, document: Document) -> Document:
        if document.get("pk"):
            raise CorruptRecordError(
                self._schema.collection,
                pk,
                "pk",
                f"it is stored under another pk: {document['pk']!r}",
            )
        return {**document, "pk": pk}

    def _dump(self, item: T, document: Document) -> bytes:
        names = document if self._may_have_extras else self._fields_with_numbers
        infinite = False
        for name in names:
            try:
                infinite = holds_infinity(document.get(name)) or infinite
            except ValueError as error:
                colon = "" if str(error).startswith("[") else ": "
                raise self._invalid(item, f"{name}{colon}{error}") from error
        try:
            if not infinite:
                return _trimmed(orjson.dumps(document))
            data = _dumps_infinite(document)
            from_json(data)  # it takes less depth than was written
        except (TypeError, ValueError) as error:
            raise self._invalid(item, f"{_field_at_fault(document)}: {error}") from error
        return data

    def _field_not_json(self, item: T) -> str:
        serialize = self._model.__pydantic_serializer__.to_python
        for name in self._model.model_fields:
            try:
                serialize(item, mode="json", include={name}, warnings=False)
            except FAULTS:
                return name
        return "a field"

    def _refuse_change(self, item: T, back: T) -> None:
        kept, returned = self._stored_values(item), self._stored_values(back)
        for name, value in kept.items():
            if name not in returned:
                raise self._invalid(item, f"{name}: it would not come back")
            if value != returned[name]:
                raise self._invalid(
                    item, f"{name}: {shown(value)} would come back as {shown(returned[name])}"
                )

    def _stored_values(self, item: T) -> dict[str, Any]:
        fields = self._model.model_fields.items()
        declared = {name: getattr(item, name) for name, field in fields if not field.exclude}
        return declared | (item.__pydantic_extra__ or {})

    def _invalid(self, item: T, why: str) -> InvalidRecordError:
        pk = item.pk  # type: ignore[attr-defined]  # as above
        return InvalidRecordError(f"{self._model.__name__} {pk!r} cannot be stored: {why}")

    def _wrong_model(self, item: object) -> str:
        expected, found = self._model, type(item)
        if found.__qualname__ == expected.__qualname__:
            return (
                f"this {found.__qualname__} is of another definition of the class "
                f"({found.__module__}) than the repository's ({expected.__module__}); give one of "
                "that, or store.repository() its own class"
            )
        return f"a repository of {expected.__name__} does not take a {found.__name__}"


def _reader_of(fields: Sequence[FieldPath]) -> Callable[[BaseModel], Values]:
    """A function that reads the values of `fields` as they are compared."""
    if len(fields) > 1 and all(field.plain for field in fields):
        read_all = itemgetter(*(field.path for field in fields))
        return lambda item: read_all(item.__dict__)
    readers = [field.scalars for field in fields]
    return lambda item: tuple([read(item) for read in readers])


def _field_at_fault(document: Document) -> str:
    """The field whose value JSON does not take: text that is half of a surrogate pair, say."""
    for name, value in document.items():
        try:
            to_json(value)
        except (PydanticSerializationError, UnicodeError):
            return name
    return "a field"


def loads(collection: str, pk: str, data: bytes) -> Document:
    """The document that `data` holds.

    Raises:
        CorruptRecordError: it is not a JSON object.
    """
    try:
        document = orjson.loads(data)
    except (orjson.JSONDecodeError, TypeError):
        try:
            document = from_json(data)  # the reader that knows infinities
        except (ValueError, TypeError) as error:
            raise CorruptRecordError(collection, pk, "", f"it is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise CorruptRecordError(collection, pk, "", "it is not a JSON object")
    return document


def dumps(document: Document) -> bytes:
    """A document as JSON, in the bytes that `RecordCodec.encode` makes of it."""
    return _dumps_infinite(document) if holds_infinity(document) else orjson.dumps(document)


def _trimmed(data: bytes) -> bytes:
    """A copy: what orjson returns keeps the room that it was written in, several times its length.

    That would be for as long as a bulk write holds it.
    """
    return bytes(memoryview(data))


def _dumps_infinite(value: object) -> bytes:
    # orjson would write an infinity as null.
    return to_json(value, inf_nan_mode="constants")


def dumps_values(values: Values) -> bytes:
    """Indexed values as JSON, infinities included."""
    return _dumps_infinite(values) if holds_infinity(values) else orjson.dumps(values)


def loads_values(data: bytes) -> Values:
    """What `dumps_values` wrote.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return tuple(orjson.loads(data))
    except orjson.JSONDecodeError:
        return tuple(from_json(data))  # the reader that knows infinities


def json_of(content: Content) -> bytes:
    """What is stored, as JSON."""
    return content if isinstance(content, bytes) else orjson.dumps(content.__dict__)


def with_undeclared(model: type[BaseModel], content: Content, stored: Content) -> Content:
    """`content`, of a record of `model`, with those fields of `stored` that neither has.

    Raises:
        InvalidRecordError: one of them cannot be written again as it is.
    """
    own = model.model_fields.keys() | model.model_computed_fields.keys()
    old = json_of(stored)
    # For most there are none; the standard library reads integers of any size.
    if loads(model.__name__, "", old).keys() <= own:
        return content
    new = json_of(content)
    own |= json.loads(new).keys()
    try:
        others = {name: value for name, value in json.loads(old).items() if name not in own}
        return new[:-1] + b"," + dumps(others)[1:] if others else content
    except FAULTS as error:
        raise InvalidRecordError(
            f"a {model.__name__} cannot be updated: a field that the model does not declare "
            f"cannot be written again: {error}"
        ) from error


def version_of(content: Content) -> str:
    """The version of what is stored: a digest of its JSON, which Redis scripts have too."""
    return hashlib.sha1(json_of(content), usedforsecurity=False).hexdigest()


def _rules(schema: ModelSchema) -> str:
    """What of a model decides how documents are indexed, or whether they can be read at all."""
    fields = schema.model.model_fields
    required = ",".join(name for name, field in fields.items() if field.is_required())
    rules = [f"required:{required}"]
    for indexed in schema.indexed:
        top = fields[indexed.path.partition(".")[0]]
        shape = indexed.shape
        kinds = ",".join(sorted(shape.kinds))
        choices = sorted(map(repr, shape.choices or ()))
        limits = [repr(mark) for mark in top.metadata if not isinstance(mark, Indexed | FullText)]
        # A function's repr has its address, which is another one in every process.
        stable = [limit for limit in limits if " at 0x" not in limit]
        rules.append(f"{kinds}:{shape.many}:{choices}:{stable}:{_default_of(top)}")
    return ";".join(rules)


def _default_of(field: FieldInfo) -> str:
    """The default that documents without the field are read with, if it is always the same."""
    if field.is_required() or field.default_factory_takes_validated_data:
        return ""
    once, again = (scalar(field.get_default(call_default_factory=True)) for _ in range(2))
    return repr(once) if isinstance(once, Scalar | list) and once == again else ""


def first_fault(error: ValidationError) -> tuple[str, str]:
    """(field path, reason) of the first complaint."""
    first = error.errors(include_url=False, include_context=False)[0]
    # The names below the first one also hold pydantic's own labels of union members.
    field = ".".join(str(part) for part in first["loc"][:1])
    reason = first["msg"].removeprefix("Value error, ")
    if field and len(first["loc"]) > 1:
        reason = f"{reason} (at {'.'.join(str(part) for part in first['loc'])})"
    if first["type"] == "missing":
        reason = "it is missing, and the model has no default for it"
    elif first["type"] != "value_error":
        reason = f"{reason}, not {shown(first['input'])}"
    return field, reason
