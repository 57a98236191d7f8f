"""Files in Sotopia's own formats, with its function names."""

from simstore.services.sotopia_files.exporting import export_sotopia

__all__ = ["export_sotopia"]
