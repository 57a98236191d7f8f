"""Our exports of the samples, held against what Sotopia 0.1.5 wrote of the same records.

The lines of the samples are as its exporters write them. ``golden/sotopia_tables.json`` has the
rows, header first, of the CSV files that they made of the samples; of the episodes, the first.
What they cannot write (three agents, an agent_constraint, a story that is None) is not in it.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import simstore
from simstore import services
from simstore.domain.store import Store
from simstore.samples import sample_path

GOLDEN: dict[str, list[list[str]]] = json.loads(
    (Path(__file__).parents[1] / "golden" / "sotopia_tables.json").read_text(encoding="utf-8")
)


class Kind(NamedTuple):
    """One kind of record, by its sample file's name, and the functions for it."""

    file: str
    load: Callable[[Path], Sequence[Any]]
    load_csv: Callable[[Path], Sequence[Any]]
    to_jsonl: Callable[..., None]
    to_csv: Callable[..., None]

    def records(self) -> Sequence[Any]:
        return self.load(sample_path() / f"{self.file}.jsonl")


KINDS = [
    Kind(
        file,
        getattr(services, f"jsonl_to_{name}"),
        getattr(services, f"csv_to_{name}"),
        getattr(services, f"{name}_to_jsonl"),
        getattr(services, f"{name}_to_csv"),
    )
    for file, name in (
        ("agent_profiles", "agentprofiles"),
        ("environment_profiles", "environmentprofiles"),
        ("relationship_profiles", "relationshipprofiles"),
        ("env_agent_combo_storages", "envagnetcombostorage"),
        ("episodes", "episodes"),
    )
]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.file)


@pytest.fixture
def store() -> Iterator[Store]:
    with simstore.connect("memory://") as opened:
        opened.agents.save_many(KINDS[0].records())
        opened.environments.save_many(KINDS[1].records())
        yield opened


def options(kind: Kind, store: Store) -> dict[str, Store]:
    return {"store": store} if kind.file == "episodes" else {}


@each_kind
def test_lines_are_sotopias_to_the_last_letter(kind: Kind, store: Store, tmp_path: Path) -> None:
    kind.to_jsonl(kind.records(), tmp_path / "lines", **options(kind, store))
    ours = (tmp_path / "lines").read_text(encoding="utf-8").split("\n")
    theirs = (sample_path() / f"{kind.file}.jsonl").read_text(encoding="utf-8").split("\n")
    assert len(ours) == len(theirs)
    for line, expected in zip(
        map(json.loads, ours[:-1]), map(json.loads, theirs[:-1]), strict=True
    ):
        # As text, in which the order of the keys counts, within the values too.
        assert json.dumps({key: line[key] for key in expected}) == json.dumps(expected)
        assert list(line)[: len(expected)] == list(expected)


@each_kind
def test_rows_are_sotopias_to_the_last_letter(kind: Kind, store: Store, tmp_path: Path) -> None:
    header, *expected = GOLDEN[kind.file]
    kind.to_csv(kind.records()[: len(expected)], tmp_path / "table", **options(kind, store))
    with (tmp_path / "table").open(newline="", encoding="utf-8") as file:
        found = [row[: len(header)] for row in csv.reader(file)]
    assert found == [header, *expected]


@each_kind
def test_its_tables_are_read(kind: Kind, tmp_path: Path) -> None:
    rows = GOLDEN[kind.file]
    with (tmp_path / "table").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    loaded = kind.load_csv(tmp_path / "table")
    expected = kind.records()[: len(rows) - 1]
    if kind.file == "agent_profiles":  # five columns: the others cannot be read from it
        kept = ("pk", "first_name", "last_name", "age", "occupation")
        expected = [type(each)(**{name: getattr(each, name) for name in kept}) for each in expected]
    assert loaded == expected
