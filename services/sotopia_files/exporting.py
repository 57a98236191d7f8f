"""Records into a file in Sotopia's layout."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.repository import Repository
from simstore.domain.schema import schema_of
from simstore.domain.store import Store
from simstore.services.files.formats import FileFormat, format_of
from simstore.services.files.meter import Meter
from simstore.services.files.streams import PathOrName
from simstore.services.progress import OnProgress
from simstore.services.sotopia_files.files import write_csv, write_jsonl
from simstore.services.sotopia_files.layouts import SOTOPIA_LAYOUTS
from simstore.services.sotopia_files.lines import MissingProfiles, episode_lines, record_lines


def export_sotopia(  # noqa: PLR0913 — options, by name
    records: Repository[Any] | Iterable[Any],
    path: PathOrName,
    *,
    model: type[BaseModel],
    store: Store | None = None,
    missing_profiles: MissingProfiles = "raise",
    format: str | None = None,  # noqa: A002 — what it is called everywhere
    guard_formulas: bool = False,
    progress: OnProgress | None = None,
) -> int:
    """Write `records` of `model` to the file at `path` as Sotopia does; return how many.

    They are a repository, or an iterable, and streamed. The format is ``jsonl`` or ``csv``, by the
    path's suffix unless `format` says. Episodes' lines say of the profiles in `store` what
    Sotopia's do, and nothing without one; profiles that it does not have are an error, or with
    ``missing_profiles="null"`` leave those values empty. `guard_formulas` and `path` are as in
    `simstore.services.export_records`, and so is `progress`.

    Raises:
        InvalidArgumentError: Sotopia has no files of `model`, or not in that format; or
            `missing_profiles` is neither "raise" nor "null".
        NotFoundError: names every environment that is not stored or, if there is none, every
            agent.
        InvalidRecordError: a record was changed so that it could not be read again.
        WrongModelError: a record is of another model.
        OSError: the file cannot be written.
        SimstoreError: whatever the store raises.
    """
    layouts = {layout.model: layout for layout in SOTOPIA_LAYOUTS}
    if model not in layouts:
        names = ", ".join(known.__name__ for known in layouts)
        raise InvalidArgumentError(
            f"Sotopia has no files of {schema_of(model).collection}; it has those of {names}"
        )
    chosen = format_of(path, format)
    if chosen is FileFormat.PARQUET:
        raise InvalidArgumentError("Sotopia's files are JSON lines or CSV, not Parquet")
    layout, collection = layouts[model], schema_of(model).collection
    totals: dict[str, int] = {}
    items: Any = records
    if hasattr(items, "iterate"):
        if progress is not None:
            totals[collection] = items.count()
        items = items.iterate()
    lines = (
        episode_lines(items, store, missing_profiles)
        if model is EpisodeLog
        else record_lines(layout, items)
    )
    meter = Meter("export", progress, totals)
    counted = meter.counting(lines, collection)
    if chosen is FileFormat.JSONL:
        write_jsonl(layout, counted, path)
    else:
        write_csv(layout, counted, path, guard_formulas=guard_formulas)
    meter.finish()
    return meter.done[collection]
