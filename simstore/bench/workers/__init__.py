"""Programs that are measured, each in a process of its own: see `loop`.

They are run by their path, some by a Python that has no simstore; what they share, `loop` and
`documents`, needs the standard library alone.
"""
