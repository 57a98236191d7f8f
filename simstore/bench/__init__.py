"""What storage costs, measured: the same work on every backend, and on what people use instead.

`run_benchmark` measures, and gives a `Report`; ``simstore bench`` shows it.
"""
