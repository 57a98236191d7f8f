"""Use cases over the ports: files in and out, score models. They know no backend."""
