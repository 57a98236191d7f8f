"""Programs that are measured, each in a process of its own: see `loop`.

Some are run by a Python that has nothing else of simstore, `simstore.bench.peers` says how. What
they share with the others, `loop`, `documents` and `peer`, needs the standard library alone.
"""
