"""What shows a report: tables that all outputs share, Markdown, and a page with charts.

The command line prints the same tables: `simstore.cli.bench_tables`.
"""
