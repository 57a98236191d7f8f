"""The messages of a channel as JSON, and back: only what comes back equal is published."""

from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

import orjson
from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import from_json

from simstore.adapters.codec import dumps, first_fault
from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Entry
from simstore.domain.channels import Channel, Received
from simstore.domain.errors import (
    CorruptMessageError,
    InvalidRecordError,
    ModelError,
    WrongModelError,
)
from simstore.domain.record import dumper_of, loader_of
from simstore.domain.text import shown

M = TypeVar("M")

_TAKES = "messages are pydantic models of one class, or of a union of some"

_dumper = lru_cache(maxsize=256)(dumper_of)
_loader = lru_cache(maxsize=256)(loader_of)


class ChannelCodec(Generic[M]):
    """Encodes and decodes the messages of one channel."""

    def __init__(self, channel: Channel[M]) -> None:
        self._channel = channel
        kind = channel.message_type
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            self._load = _loader(kind)
        elif isinstance(kind, type):
            raise ModelError(f"{channel} cannot have the type {kind.__name__}: {_TAKES}")
        else:
            self._load = _union_loader(channel)

    def encode(self, message: M) -> bytes:
        """What is kept of a message.

        Raises:
            WrongModelError: it is not of the channel's type.
            InvalidRecordError: it is not valid, or would not come back as it is.
        """
        if not isinstance(message, BaseModel):
            raise WrongModelError(
                f"{self._channel} takes pydantic models, not a {type(message).__name__}"
            )
        kind = type(message)
        try:
            document = _dumper(kind)(message)
            back = self._load(document)
        except ValidationError as error:
            if not self._is_of_type(message):
                raise self._wrong(message) from error
            field, reason = first_fault(error)
            raise self._invalid(message, f"{field}: {reason}") from error
        except Exception as error:  # a validator's of the model: whatever it raises
            raise self._invalid(message, str(error)) from error
        try:
            data = dumps(document)
        except (TypeError, ValueError) as error:
            raise self._invalid(message, str(error)) from error
        if type(back) is not kind:
            if not self._is_of_type(message):
                raise self._wrong(message)
            raise self._invalid(message, f"it would come back as a {type(back).__name__}")
        for name in _kept_fields(message):
            kept, returned = getattr(message, name), getattr(back, name)
            if kept != returned:
                raise self._invalid(
                    message, f"{name}: {shown(kept)} would come back as {shown(returned)}"
                )
        return data

    def decode(self, id_: MessageId, body: bytes) -> M:
        """The message of what is kept.

        Raises:
            CorruptMessageError: the channel's type cannot read it.
        """
        try:
            try:
                document = orjson.loads(body)
            except orjson.JSONDecodeError:
                document = from_json(body)  # the reader that knows infinities
            return cast("M", self._load(document))
        except ValidationError as error:
            field, reason = first_fault(error)
            why = f"{field}: {reason}" if field else reason
            raise CorruptMessageError(self._channel.name, str(id_), why) from error
        except Exception as error:  # a validator's of the model: whatever it raises
            why = f"{type(error).__name__}: {error}"
            raise CorruptMessageError(self._channel.name, str(id_), why) from error

    def received(self, entry: Entry) -> Received[M]:
        """An entry as it arrives.

        Raises:
            CorruptMessageError: as `decode`.
        """
        return Received(
            str(entry.id),
            self.decode(entry.id, entry.body),
            entry.id.moment,
            None if entry.original is None else str(entry.original),
        )

    def _is_of_type(self, message: BaseModel) -> bool:
        kind = self._channel.message_type
        if isinstance(kind, type):
            return type(message) is kind
        try:
            _adapter(kind).validate_python(message)
        except ValidationError:
            return False
        return True

    def _wrong(self, message: object) -> WrongModelError:
        kind = self._channel.message_type
        name = getattr(kind, "__name__", str(kind))
        return WrongModelError(f"{self._channel} takes {name}, not {type(message).__name__}")

    def _invalid(self, message: object, why: str) -> InvalidRecordError:
        return InvalidRecordError(
            f"this {type(message).__name__} cannot be published on {self._channel}: {why}"
        )


def _kept_fields(message: BaseModel) -> list[str]:
    """The names of the fields that are kept; those with ``exclude=True`` are not."""
    fields = type(message).model_fields.items()
    names = [name for name, field in fields if not field.exclude]
    return names + list(message.__pydantic_extra__ or ())


def _adapter(kind: Any) -> TypeAdapter[Any]:
    try:
        return _cached_adapter(kind)
    except TypeError:  # not hashable
        return TypeAdapter(kind)


@lru_cache(maxsize=256)
def _cached_adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _union_loader(channel: Channel[Any]) -> Any:
    try:
        validate = _adapter(channel.message_type).validator.validate_python
    except (PydanticUserError, TypeError, NameError) as error:
        raise ModelError(
            f"{channel} cannot have the type {channel.message_type!r}: {_TAKES}"
        ) from error

    def load(document: Any) -> Any:
        return validate(document, strict=False, by_alias=False, by_name=True)

    return load
