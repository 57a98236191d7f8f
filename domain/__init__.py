"""Records, queries and ports of simstore: pydantic and the standard library only, no I/O."""
