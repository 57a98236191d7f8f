"""The command bench: what storage costs on this machine."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from simstore.bench.report import Report, Settings
from simstore.cli.bench_tables import print_report
from simstore.cli.console import deliver, is_folder, is_standard
from simstore.cli.exit_codes import PROBLEM
from simstore.cli.options import JsonOption
from simstore.cli.progress import progress_bar
from simstore.domain.errors import InvalidArgumentError

_GROWTH = (0.5, 2, 8)
"""Numbers of agents to measure among, for each episode."""

_FEWEST_AGENTS = 200
_IDS = 50
"""How many small records to list over a slow link, for each episode."""


def bench(  # noqa: PLR0913 — the command's options
    *,
    store: Annotated[
        list[str] | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="A store to measure, in a namespace of its own; may be repeated. By default one "
            "of each backend that is installed.",
        ),
    ] = None,
    peers: Annotated[
        bool,
        typer.Option(
            "--peers",
            help="Measure what people use without simstore as well: redis-om, Sotopia, redis-py.",
        ),
    ] = False,
    episodes: Annotated[int, typer.Option(min=10, metavar="N", help="How many episodes.")] = 2_000,
    size: Annotated[
        float, typer.Option(min=1, max=1_000, metavar="KB", help="How large an episode is.")
    ] = 21.0,
    rounds: Annotated[
        int, typer.Option(min=1, max=100, metavar="N", help="How often each work is measured.")
    ] = 5,
    link: Annotated[
        list[float] | None,
        typer.Option(
            "--link",
            min=0,
            max=1_000,
            metavar="MS",
            help="A round trip to servers that are far away; may be repeated; 0 for none. "
            "By default 1 and 20.",
        ),
    ] = None,
    work: Annotated[
        list[str] | None,
        typer.Option(
            "--work",
            metavar="NAME",
            help="Only this, such as save_many or find_10; may be repeated.",
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Write Markdown.")] = False,
    as_json: JsonOption = False,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the report to this file as well: .html with charts, .json or .md; "
            "may be repeated.",
        ),
    ] = None,
) -> None:
    """Measure what storage costs here, backend by backend.

    The same work on each, in turn, some rounds of it: saving, reading, finding, counting,
    changing, deleting, files, messages; then the same among more and more records, and over slow
    links. It takes minutes, and tells medians. The exit code is 1 if a backend failed, or
    answered otherwise than the first.
    """
    if markdown and as_json:
        raise InvalidArgumentError("--json and --markdown exclude each other")
    writers = {path: _writer(path) for path in output or ()}
    settings = _settings(episodes, size, rounds, link)
    from simstore.bench.run import run_benchmark  # noqa: PLC0415 — other commands start without it

    with progress_bar() as progress:
        report = run_benchmark(
            settings, stores=store or (), peers=peers, works=work or (), progress=progress
        )
    # The files first, each for itself: standard output may be a pipe whose reader has left.
    failed = [error for path, write in writers.items() if (error := _written(report, path, write))]
    if markdown or as_json:
        deliver(_as_json(report) if as_json else _as_markdown(report), None)
    else:
        print_report(report)
    if failed:
        raise failed[0]
    if not report.sound:
        raise typer.Exit(PROBLEM)


def _settings(episodes: int, size: float, rounds: int, link: Sequence[float] | None) -> Settings:
    first = max(_FEWEST_AGENTS, int(episodes * _GROWTH[0]))
    return Settings(
        episodes=episodes,
        kilobytes=size,
        rounds=rounds,
        links=[each for each in Settings().links if each]
        if link is None
        else sorted(set(link) - {0}),
        growth=[int(first * share / _GROWTH[0]) for share in _GROWTH],
        ids=episodes * _IDS,
    )


def _writer(path: str) -> Callable[[Report], str]:
    """What makes the report that `path` is for; before minutes are spent on measuring."""
    if is_standard(path):
        raise InvalidArgumentError("--output is a file; say --json or --markdown instead of -")
    if is_folder(path):
        raise InvalidArgumentError(f"--output {path} is a folder; name a file in it")
    if not Path(path).parent.is_dir():
        raise InvalidArgumentError(f"--output {path}: there is no folder {Path(path).parent}")
    match Path(path).suffix:
        case ".json":
            return _as_json
        case ".md":
            return _as_markdown
        case ".html":
            from simstore.bench.output.html import report_html  # noqa: PLC0415 — needs matplotlib

            return report_html
    raise InvalidArgumentError(
        f"{path}: the suffix names no form of a report; use .html, .json or .md"
    )


def _written(report: Report, path: str, write: Callable[[Report], str]) -> OSError | None:
    """Write a file; what kept it from being written."""
    try:
        deliver(write(report), path, "the report is in")
    except OSError as error:
        return error
    return None


def _as_json(report: Report) -> str:
    return f"{report.model_dump_json(indent=2)}\n"


def _as_markdown(report: Report) -> str:
    from simstore.bench.output.markdown import report_markdown  # noqa: PLC0415 — as above

    return report_markdown(report)
