"""Whole stores: copied from one backend to another, and compared."""

from simstore.services.transfer.comparing import compare_stores
from simstore.services.transfer.copying import copy_store
from simstore.services.transfer.reports import (
    CollectionComparison,
    CollectionCopy,
    CopyReport,
    Difference,
    Side,
    StoreComparison,
    Unreadable,
)

__all__ = [
    "CollectionComparison",
    "CollectionCopy",
    "CopyReport",
    "Difference",
    "Side",
    "StoreComparison",
    "Unreadable",
    "compare_stores",
    "copy_store",
]
