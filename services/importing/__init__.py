"""Records out of a file into a store: all of them, or those that are good, or none."""

from simstore.services.importing.importer import ImportReport
from simstore.services.importing.records import import_records

__all__ = ["ImportReport", "import_records"]
