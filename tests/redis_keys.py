"""Where the Redis backend keeps the indexes of the kit's own model."""

from simstore.adapters.codec import RecordCodec
from simstore.domain.schema import schema_of
from simstore.testing import Specimen

_SIGNATURE = RecordCodec(Specimen, schema_of(Specimen), keeps_objects=False).indexes.signature


def indexes_at(base: str) -> str:
    """What the keys of its indexes begin with, in the bucket of `base`."""
    return f"{base}:{_SIGNATURE}"
