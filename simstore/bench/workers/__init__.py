"""Programs that are measured, each in a process of its own: see `loop`.

Some are run by a Python that has no simstore, where this package is called ``measured``. What they
share with the others, `loop`, `documents` and `peer`, needs the standard library alone.
"""
