"""Commands on scores: rewards, leaderboard and agreement."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simstore.cli.conditions import parse_conditions
from simstore.cli.console import counted, note, say, write, write_json, write_json_lines
from simstore.cli.options import (
    DEFAULT_STORE,
    ConditionsArgument,
    JsonOption,
    OutputOption,
    StoreOption,
    open_store,
)
from simstore.cli.tables import print_table, print_turned
from simstore.domain.episodes import AnnotationForEpisode, EpisodeLog
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.evaluation import OVERALL_SCORE
from simstore.domain.query import field
from simstore.services.agreements import annotation_agreement
from simstore.services.files.streams import open_for_writing
from simstore.services.leaderboards import (
    PUBLISHED,
    Comparison,
    Leaderboard,
    Table,
    compare_models,
    comparison_table,
    comparison_to_json,
    comparison_to_markdown,
    leaderboard_table,
    leaderboard_to_csv,
    leaderboard_to_json,
    leaderboard_to_latex,
    leaderboard_to_markdown,
    leaderboard_to_sotopia_jsonl,
    sotopia_jsonl_name,
)
from simstore.services.leaderboards import leaderboard as rank
from simstore.services.reward_table import reward_rows

_REWARD_COLUMNS = (
    "episode",
    "position",
    "model",
    OVERALL_SCORE,
    *reversed(PUBLISHED),
    "partner",
    "missing",
)
"""What a table of rewards shows; in JSON there is more."""


class BoardFormat(StrEnum):
    """What a leaderboard is written in."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    LATEX = "latex"
    MARKDOWN = "markdown"
    SOTOPIA = "sotopia"


class Settings(StrEnum):
    """What makes a setting of the benchmark."""

    POSITION = "position"
    ENVIRONMENT = "environment"


def rewards(
    conditions: ConditionsArgument = None,
    *,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Show what each agent was given.

    A row for each agent of each episode: its scores, or why it has none.
    """
    with open_store(store) as opened:
        where = parse_conditions(EpisodeLog, conditions)
        rows = reward_rows(opened.episodes.iterate(*where))
        if as_json:
            write_json_lines(rows)
            return
        shown = [[row[name] for name in _REWARD_COLUMNS] for row in rows]
    if not shown:
        note("no episodes")
        return
    titles = [_short_title(name) for name in _REWARD_COLUMNS]
    print_table(titles, shown, right=["position", *titles[3:-2]])


def _short_title(name: str) -> str:
    """``SOC`` for social_rules, as the published table has it."""
    return "overall" if name == OVERALL_SCORE else PUBLISHED.get(name, name).partition(" ")[0]


def leaderboard(  # noqa: PLR0913 — the command's options
    conditions: ConditionsArgument = None,
    *,
    store: StoreOption = DEFAULT_STORE,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME", help="A model to rank; by default all."),
    ] = None,
    judge: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what this model judged.")
    ] = None,
    partner: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only play with this model.")
    ] = None,
    tag: Annotated[
        str | None, typer.Option(metavar="TAG", help="Only episodes with this tag.")
    ] = None,
    agent_class: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only agents of this class.")
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="KEYS",
            help="What makes a row: model and any of judge, partner, tag, agent_class, "
            "joined by commas.",
        ),
    ] = "model",
    settings: Annotated[
        Settings,
        typer.Option(
            help="What variances are taken within: an agent's position, or also the environment."
        ),
    ] = Settings.POSITION,
    confidence: Annotated[
        float, typer.Option(metavar="P", help="What the margins are for, between 0 and 1.")
    ] = 0.95,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="A B",
            help="Instead, compare these two models where both played the same part.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="With --compare: of its bootstrap interval.")] = 0,
    format_: Annotated[
        BoardFormat, typer.Option("--format", help="What to write.")
    ] = BoardFormat.TABLE,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Rank models by their mean scores.

    Each mean has its margin: half of the interval that holds it at the --confidence.
    """
    chosen = BoardFormat.JSON if as_json else format_
    if chosen is BoardFormat.TABLE and output is not None:
        raise InvalidArgumentError("--output needs a --format that is for files, such as csv")
    where = parse_conditions(EpisodeLog, conditions)
    if tag is not None:
        where.append(field("tag") == tag)  # so that an index finds them
    with open_store(store) as opened:
        if compare is not None:
            compared = compare_models(
                opened.episodes.iterate(*where), *compare, seed=seed, confidence=confidence
            )
            _show_comparison(compared, chosen, output)
            return
        board = rank(
            opened.episodes.iterate(*where),
            models=model or None,
            judge=judge,
            partner=partner,
            agent_class=agent_class,
            by=[key.strip() for key in by.split(",")],
            settings=settings.value,
            confidence=confidence,
        )
    if chosen is BoardFormat.TABLE:
        if not board.rows:
            note("no episodes whose models are known")
            return
        _print(leaderboard_table(board))
        _explain(board)
        return
    if chosen is BoardFormat.SOTOPIA and output is not None and output.is_dir():
        if partner is None:
            raise InvalidArgumentError("the name of the file is the partner's: say --partner")
        output /= sotopia_jsonl_name(partner)
    _deliver(_BOARD_WRITERS[chosen](board), output)


_BOARD_WRITERS: dict[BoardFormat, Callable[[Leaderboard], str]] = {
    BoardFormat.JSON: leaderboard_to_json,
    BoardFormat.CSV: leaderboard_to_csv,
    BoardFormat.LATEX: leaderboard_to_latex,
    BoardFormat.MARKDOWN: leaderboard_to_markdown,
    BoardFormat.SOTOPIA: leaderboard_to_sotopia_jsonl,
}

_COMPARISON_WRITERS: dict[BoardFormat, Callable[[Comparison], str]] = {
    BoardFormat.JSON: comparison_to_json,
    BoardFormat.MARKDOWN: comparison_to_markdown,
}


def agreement(
    conditions: ConditionsArgument = None,
    *,
    store: StoreOption = DEFAULT_STORE,
    each_annotation: Annotated[
        bool,
        typer.Option(
            "--each-annotation",
            help="Count each annotation by itself, not the mean of an episode's.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare the judge's scores with people's.

    The people's are those of the annotations in the store. Conditions are on annotations, such
    as annotator_id=ann.
    """
    with open_store(store) as opened:
        where = parse_conditions(AnnotationForEpisode, conditions)
        found = annotation_agreement(
            opened.annotations.iterate(*where), store=opened, aggregate=not each_annotation
        )
    if as_json:
        write_json(found.as_dict())
        return
    if not found.agents:
        note("no annotations of episodes that are in the store")
        return
    columns = ["dimension", "n", "skipped", "pearson", "spearman", "mse", "reason"]
    rows = [[row[name] for name in columns] for row in found.to_rows()]
    print_table(columns, rows, right=columns[1:-1])
    note(f"{counted(found.agents, 'agent')} in {counted(found.episodes, 'episode')}")


def _show_comparison(compared: Comparison, chosen: BoardFormat, output: Path | None) -> None:
    if chosen is BoardFormat.TABLE:
        _print(comparison_table(compared))
        if not any(each.pairs for each in compared.dimensions):
            note("no pairs: nowhere did both play the same part")
        return
    if chosen not in _COMPARISON_WRITERS:
        known = ", ".join(["table", *_COMPARISON_WRITERS])
        raise InvalidArgumentError(f"a comparison is written as one of {known}")
    _deliver(_COMPARISON_WRITERS[chosen](compared), output)


def _print(table: Table) -> None:
    print_turned(table.header, table.rows, right=table.header[table.keys :])


def _explain(board: Leaderboard) -> None:
    percent = f"{board.confidence:.0%}"
    note(f"mean ± margin: the {percent} interval, by Student's t, over episodes in settings")
    if board.unattributed:
        note(f"without a known model, and counted for none: {counted(board.unattributed, 'agent')}")


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        write(text)
        return
    with open_for_writing(output) as stream:
        stream.write(text.encode())
    say(f"written to {output}")
