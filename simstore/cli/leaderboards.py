"""Commands that rank models: leaderboard and compare."""

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Literal

import typer

from simstore.cli.conditions import parse_conditions
from simstore.cli.console import counted, deliver, is_folder, is_standard, note
from simstore.cli.options import (
    DEFAULT_STORE,
    ConditionsArgument,
    JsonOption,
    OutputOption,
    StoreOption,
    open_store,
)
from simstore.cli.output_formats import chosen_format, with_json
from simstore.cli.tables import plain_table, print_turned
from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.query import field
from simstore.services.leaderboards import (
    Comparison,
    Leaderboard,
    LeaderboardRow,
    Settings,
    Table,
    compare_models,
    comparison_table,
    comparison_to_csv,
    comparison_to_json,
    comparison_to_latex,
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

BoardFormat = Literal["table", "json", "csv", "markdown", "latex", "sotopia"]
ComparisonFormat = Literal["table", "json", "csv", "markdown", "latex"]

ConfidenceOption = Annotated[
    float,
    typer.Option(metavar="P", help="What margins and intervals are for, between 0 and 1."),
]

_COMPARISON_SUFFIXES: dict[str, ComparisonFormat] = {
    ".txt": "table",
    ".json": "json",
    ".csv": "csv",
    ".md": "markdown",
    ".tex": "latex",
}
_BOARD_SUFFIXES: dict[str, BoardFormat] = {**_COMPARISON_SUFFIXES, ".jsonl": "sotopia"}

_BOARD_WRITERS: dict[BoardFormat, Callable[[Leaderboard], str]] = {
    "json": leaderboard_to_json,
    "csv": leaderboard_to_csv,
    "markdown": leaderboard_to_markdown,
    "latex": leaderboard_to_latex,
    "sotopia": leaderboard_to_sotopia_jsonl,
}
_COMPARISON_WRITERS: dict[ComparisonFormat, Callable[[Comparison], str]] = {
    "json": comparison_to_json,
    "csv": comparison_to_csv,
    "markdown": comparison_to_markdown,
    "latex": comparison_to_latex,
}


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
        str | None,
        typer.Option(metavar="TAG", help="Only episodes with this tag; '' is those without."),
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
    ] = "position",
    confidence: ConfidenceOption = 0.95,
    format_: Annotated[
        BoardFormat | None,
        typer.Option("--format", help="By the suffix of --output, or else a table."),
    ] = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Rank models by their mean scores.

    The one with the best overall mean is first. Each mean has its margin: half of the interval
    that holds it at the --confidence. To compare two models in pairs: simstore compare.
    """
    asked: BoardFormat | None = with_json(format_, "json", as_json=as_json)
    if asked is None and is_folder(output):
        asked = "sotopia"
    chosen: BoardFormat = chosen_format(asked, output, _BOARD_SUFFIXES, "table")
    if chosen == "sotopia" and output is not None and is_folder(output):
        if partner is None:
            raise InvalidArgumentError("the name of the file is the partner's: say --partner")
        output = f"{output.rstrip('/')}/{sotopia_jsonl_name(partner)}"
    where = parse_conditions(EpisodeLog, conditions)
    if tag:
        where.append(field("tag") == tag)  # so that an index finds them
    with open_store(store) as opened:
        episodes = _SelfPlay(opened.episodes.iterate(*where))
        board = rank(
            episodes,
            models=model or None,
            judge=judge,
            partner=partner,
            tag=tag,
            agent_class=agent_class,
            by=[key.strip() for key in by.split(",")],
            settings=settings,
            confidence=confidence,
        )
    if chosen != "table":
        deliver(_BOARD_WRITERS[chosen](board), output)
    elif board.rows:
        _deliver_table(leaderboard_table(board), output)
        _explain(board, self_play=episodes.found)
    if not board.rows:
        note("no episodes whose models are known")


class _SelfPlay:
    """Passes episodes on, and sees whether a model plays with itself in one."""

    def __init__(self, episodes: Iterable[EpisodeLog]) -> None:
        self._episodes = episodes
        self.found = False

    def __iter__(self) -> Iterator[EpisodeLog]:
        for episode in self._episodes:
            # The first of the models is the judge's.
            players = [model for model in (episode.models or [])[1:] if model]
            self.found = self.found or len(set(players)) < len(players)
            yield episode


def compare(  # noqa: PLR0913 — the command's options
    model_a: Annotated[str, typer.Argument(metavar="A", help="A model.")],
    model_b: Annotated[str, typer.Argument(metavar="B", help="The one to compare it with.")],
    conditions: ConditionsArgument = None,
    *,
    store: StoreOption = DEFAULT_STORE,
    confidence: ConfidenceOption = 0.95,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the bootstrap.")] = 0,
    format_: Annotated[
        ComparisonFormat | None,
        typer.Option("--format", help="By the suffix of --output, or else a table."),
    ] = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Compare two models where both played the same part.

    A pair is of the same environment, agents in order, position, models of the others, and
    judge. The interval is the bootstrap's; a win is one of A.
    """
    asked: ComparisonFormat | None = with_json(format_, "json", as_json=as_json)
    chosen: ComparisonFormat = chosen_format(asked, output, _COMPARISON_SUFFIXES, "table")
    where = parse_conditions(EpisodeLog, conditions)
    with open_store(store) as opened:
        compared = compare_models(
            opened.episodes.iterate(*where), model_a, model_b, seed=seed, confidence=confidence
        )
    if chosen != "table":
        deliver(_COMPARISON_WRITERS[chosen](compared), output)
    elif compared.pairs:
        _deliver_table(comparison_table(compared), output)
        note(
            f"difference: of the means, {compared.model_a} less {compared.model_b}, with the "
            f"{_percent(confidence)} bootstrap interval"
        )
    if not compared.pairs:
        note("no pairs: nowhere did both play the same part")


def _deliver_table(table: Table, output: str | None) -> None:
    right = table.header[table.keys :]
    if is_standard(output):
        print_turned(table.header, table.rows, right=right)
    else:
        deliver(plain_table(table.header, table.rows, right=right), output)


def _percent(confidence: float) -> str:
    return f"{confidence * 100:g}%"


def _explain(board: Leaderboard, *, self_play: bool) -> None:
    note(
        f"mean ± margin: the {_percent(board.confidence)} interval, by Student's t, over episodes "
        "in settings"
    )
    alone = [row for row in board.rows if row.says_nothing_of_chance]
    if alone:
        names = "all rows" if len(alone) == len(board.rows) else ", ".join(map(_name, alone))
        note(
            f"{names}: no setting has two scores, so the formula makes every margin 0; that tells "
            "nothing of chance"
        )
    if self_play:
        note("a model that plays with itself counts once for each episode, by its first agent")
    if board.unattributed:
        unknown = counted(board.unattributed, "episode")
        note(f"without a known model, and counted for none: {unknown}")


def _name(row: LeaderboardRow) -> str:
    return " ".join(value or "-" for value in row.keys.values())
