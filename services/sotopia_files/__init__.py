"""Files in Sotopia's own formats, with its function names."""
