"""Fields that models do not declare are copied and compared as well."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict

import simstore
import simstore.sotopia
from simstore import CorruptRecordError, InvalidRecordError, NotFoundError, Record, TransferError
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.transfer import Difference, compare_stores, copy_store
from simstore.testing.examples import example_records
from simstore.testing.texts import HOSTILE_TEXTS
from tests.unit.transfers import DIRECTIONS, Note, Pair, agents, urls_of

NAMES = [*HOSTILE_TEXTS, "find", "copy", "model_config", "__dict__", "_later", "Note", "stars.x"]
"""What undeclared fields may be called, whatever a class calls so."""

VALUES: list[Any] = [None, False, -0.0, 1, 1.0, 2**63 - 1, float("-inf"), "ü\0", [[{}], {"a": []}]]


class LaterNote(BaseModel):
    """A note of a later version, which has more fields than it says."""

    model_config = ConfigDict(extra="allow", ser_json_inf_nan="constants")

    __collection__: ClassVar[str] = "Note"
    pk: str


class CarelessNote(BaseModel):
    """A note of somebody who overlooks what he does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    __collection__: ClassVar[str] = "Note"
    pk: str
    stars: int = 0


def later(pk: str = "a", **fields: Any) -> LaterNote:
    return LaterNote(pk=pk, **fields)


def save(url: str, *notes: LaterNote) -> None:
    with simstore.connect(url) as store:
        store.repository(LaterNote).save_many(notes)


def stored(url: str) -> list[LaterNote]:
    with simstore.connect(url) as store:
        return store.repository(LaterNote).find()


def exactly(note: LaterNote) -> list[str]:
    """Every field with its value, so that 1 is neither 1.0 nor True."""
    return sorted(map(repr, note.model_dump().items()))


@pytest.fixture(params=DIRECTIONS)
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    return urls_of(request.param, tmp_path)


@pytest.fixture
def stores(urls: tuple[str, str]) -> Iterator[Pair]:
    with simstore.connect(urls[0]) as source, simstore.connect(urls[1]) as target:
        yield Pair(source, target)


@pytest.mark.parametrize("model", [Note, CarelessNote], ids=["forbidden", "ignored"])
def test_undeclared_fields_are_copied(
    urls: tuple[str, str], stores: Pair, model: type[BaseModel]
) -> None:
    names = {name: VALUES[number % len(VALUES)] for number, name in enumerate(NAMES)}
    values = {f"later{number}": value for number, value in enumerate(VALUES)}
    others: list[dict[str, Any]] = [names, values, {}]
    notes = [later(pk, stars=1, words=[], **more) for pk, more in zip("abc", others, strict=True)]
    save(urls[0], *notes)
    report = copy_store(*stores, models=[model])
    assert report.equal
    assert [(each.collection, each.copied) for each in report.collections] == [("Note", 3)]
    assert [exactly(note) for note in stored(urls[1])] == [exactly(note) for note in notes]
    assert compare_stores(*stores, models=[model]).equal
    assert copy_store(*stores, models=[model]).written == 0


def test_stores_that_differ_in_an_undeclared_field_differ(
    urls: tuple[str, str], stores: Pair
) -> None:
    save(urls[0], later("a", x=1, y=[1]), later("b", x=1), later("c"), later("d", x=1, stars=2))
    save(urls[1], later("a", x=1, y=[1.0]), later("b"), later("c", x=None), later("d", x=1))
    comparison = compare_stores(*stores, models=Note)
    (found,) = comparison.collections
    assert [tuple(each) for each in found.different.first] == [
        ("a", "y"),
        ("b", "x"),
        ("c", "x"),
        ("d", "stars"),
    ]
    assert found.left.checksum != found.right.checksum
    assert not comparison.equal


def test_a_target_without_an_undeclared_field_is_in_conflict(
    urls: tuple[str, str], stores: Pair
) -> None:
    save(urls[0], later(x=1))
    stores.target.repository(Note).save(Note(pk="a"))
    with pytest.raises(TransferError, match="other contents"):
        copy_store(*stores, models=[Note])
    skipped = copy_store(*stores, models=[Note], on_conflict="skip").collections[0]
    assert skipped.comparison.different.first == (Difference("a", "x"),)
    assert stored(urls[1]) == [later(words=[], stars=0)]
    assert copy_store(*stores, models=[Note], on_conflict="replace").equal
    assert stored(urls[1]) == [later(x=1, words=[], stars=0)]


def test_the_stores_go_on_with_the_model_and_with_its_views(stores: Pair) -> None:
    class AgentProfile(simstore.AgentProfile):
        """Another view of agents."""

    profile = agents(1)[0]
    stores.source.agents.save(profile)
    assert copy_store(*stores).equal
    for store in stores:
        assert store.agents.find() == [profile]
        for view in (AgentProfile, simstore.sotopia.AgentProfile):
            views = store.repository(view)
            assert [type(item) for item in views.find()] == [view]
            views.save(view(**profile.model_dump()))
        assert type(store.agents.get(profile.pk)) is simstore.AgentProfile
        assert list(store.agents.index_faults()) == []
    assert compare_stores(*stores).equal


def test_errors_are_those_of_the_model(stores: Pair) -> None:
    class Nameless(BaseModel):
        text: str

    class Elsewhere(Record):
        __collection__: ClassVar[str] = "Note"

    with pytest.raises(simstore.ModelError, match="Nameless has no field 'pk'"):
        copy_store(*stores, models=[Nameless])
    stores.source.repository(Note)
    with pytest.raises(
        simstore.ModelError, match=r"Elsewhere and tests\.unit\.transfers\.Note are"
    ):
        copy_store(*stores, models=[Elsewhere])


def write_raw(path: Path, text: str) -> None:
    """Store a note as it is, past every check."""
    save(f"sqlite:///{path}", later())
    with closing(sqlite3.connect(path)) as file, file:
        changed = file.execute("UPDATE simstore_records SET document = ?", (text.encode(),))
        assert changed.rowcount == 1


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw.db"


def test_an_integer_that_the_target_cannot_hold_is_refused(raw: Path) -> None:
    write_raw(raw, f'{{"pk":"a","x":{2**63}}}')
    with simstore.connect(f"sqlite:///{raw}") as source, simstore.connect("memory://") as target:
        with pytest.raises(InvalidRecordError, match=r"Note 'a' cannot be stored: x: .* 64 bits"):
            copy_store(source, target, models=[Note])
        assert target.collections() == []


@pytest.mark.parametrize(
    "value", ["NaN", f"[Infinity, {2**70}]", "[" * 500 + "]" * 500], ids=["nan", "big", "deep"]
)
def test_what_is_no_json_is_unreadable(raw: Path, value: str) -> None:
    write_raw(raw, f'{{"pk":"a","x":{value}}}')
    with simstore.connect(f"sqlite:///{raw}") as source, simstore.connect("memory://") as target:
        with pytest.raises(
            CorruptRecordError, match="'a' of Note cannot be read: it is no"
        ) as caught:
            copy_store(source, target, models=[Note])
        assert caught.value.__cause__ is not None
        (found,) = compare_stores(source, source, models=[Note]).collections
        assert [each.pk for each in found.left.unreadable.first] == ["a"]
        assert not found.equal
        report = copy_store(source, target, models=[Note], on_unreadable="skip")
        assert report.written == 0
        with pytest.raises(NotFoundError):
            target.repository(Note).get("a")


def test_those_within_embedded_models_are_not_copied(stores: Pair) -> None:
    class Home(Record):
        street: str

    class Person(Record):
        home: Home

    class Loose(BaseModel):
        __collection__: ClassVar[str] = "Person"
        pk: str
        home: dict[str, str]

    home = {"pk": "h", "street": "s"}
    with simstore.connect(stores.source.url) as other:
        other.repository(Loose).save(Loose(pk="a", home={**home, "later": "x"}))
    assert copy_store(*stores, models=[Person]).equal
    with simstore.connect(stores.target.url) as other:
        assert other.repository(Loose).get("a").home == home


def test_every_model_of_records_is_copied_with_them(urls: tuple[str, str], stores: Pair) -> None:
    def open_models(store: Store) -> Iterator[Any]:
        for model in RECORD_MODELS:
            allow = {"model_config": ConfigDict(extra="allow"), "__module__": model.__module__}
            yield store.repository(type(model.__name__, (model,), allow))

    with simstore.connect(urls[0]) as source:
        items = example_records()
        for repository in open_models(source):
            item = next(item for item in items if type(item) is repository.model.__base__)
            repository.save(repository.model(**item.model_dump(), later={"x": [1]}))
    assert copy_store(*stores).equal
    with simstore.connect(urls[1]) as target:
        for repository in open_models(target):
            assert [item.later for item in repository.find()] == [{"x": [1]}]
