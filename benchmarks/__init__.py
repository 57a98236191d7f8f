"""What simstore costs, measured: ``python -m benchmarks``. See benchmarks/README.md."""
