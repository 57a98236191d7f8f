"""Several definitions of one model: a class that is changed, and others that still have the old."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, create_model

from simstore.domain.errors import QueryError
from simstore.domain.fields import FullText, Indexed
from simstore.domain.query import Condition, field
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import Binding, OpenStore
from simstore.testing.contract.concurrency import race
from simstore.testing.contract.helpers import assert_identical, pks_of
from simstore.testing.oracle import before, equal, words_of

Definition = Mapping[str, tuple[Any, Any]]
"""The annotation and the default of each field."""

RepositoryOf = Callable[[type[BaseModel]], Repository[Any]]

TEXT: Any = Annotated[str, Indexed()]
WORDS: Any = Annotated[str, FullText()]
BOTH: Any = Annotated[str, Indexed(), FullText()]
NUMBER: Any = Annotated[int, Indexed()]
REAL: Any = Annotated[float, Indexed()]
TEXTS: Any = Annotated[list[str], Indexed()]


def defined(definition: Definition) -> type[BaseModel]:
    """The class ``Evolving``, as it was written at one time."""
    fields: dict[str, Any] = dict(definition)
    model: type[BaseModel] = create_model("Evolving", pk=(str, ...), **fields)
    model.__module__ = __name__
    return model


CHANGES: dict[str, tuple[list[Definition], list[dict[str, Any]]]] = {
    "an index is added": (
        [{"x": (str, ""), "n": (int, 0)}, {"x": (TEXT, ""), "n": (NUMBER, 0)}],
        [{"x": "one", "n": 2}, {"x": "two", "n": 1}, {"x": "one", "n": 3}],
    ),
    "an index is removed": (
        [{"x": (TEXT, ""), "n": (NUMBER, 0)}, {"x": (str, ""), "n": (NUMBER, 0)}],
        [{"x": "one", "n": 2}, {"x": "two", "n": 1}],
    ),
    "an index moves": (
        [{"x": (TEXT, ""), "y": (str, "")}, {"x": (str, ""), "y": (TEXT, "")}],
        [{"x": "one", "y": "two"}, {"x": "two", "y": "one"}],
    ),
    "an indexed field is renamed": (
        [{"x": (TEXT, "")}, {"y": (TEXT, "")}],
        [{"x": "one"}, {"x": ""}],
    ),
    "indexed fields change places": (
        [{"x": (TEXT, ""), "y": (TEXT, "")}, {"y": (TEXT, ""), "x": (TEXT, "")}],
        [{"x": "one", "y": "two"}, {"x": "three", "y": "four"}],
    ),
    "words are indexed": (
        [{"x": (str, "")}, {"x": (WORDS, "")}, {"x": (BOTH, "")}, {"x": (TEXT, "")}],
        [{"x": "two words"}, {"x": "Words"}, {"x": ""}],
    ),
    "a text becomes a number": (
        [{"x": (TEXT, "")}, {"x": (NUMBER, 0)}],
        [{"x": "5"}, {"x": "10"}, {"x": "9"}],
    ),
    "a number becomes a real one": (
        [{"x": (NUMBER, 0)}, {"x": (REAL, 0.0)}],
        [{"x": 5}, {"x": -1}],
    ),
    "a number becomes a bool": (
        [{"x": (NUMBER, 0)}, {"x": (Annotated[bool, Indexed()], False)}],
        [{"x": 1}, {"x": 0}],
    ),
    "a default is added, and changed": (
        [{}, {"x": (TEXT, "one")}, {"x": (TEXT, "two")}, {"x": (str, "")}],
        [{}, {}],
    ),
    "a default of a field that is not indexed is changed": (
        [{}, {"x": (str, "one")}, {"x": (str, "two")}],
        [{}, {}],
    ),
    "a default factory is changed": (
        [
            {},
            {"x": (TEXTS, Field(default_factory=lambda: ["one"]))},
            {"x": (TEXTS, Field(default_factory=lambda: ["two"]))},
        ],
        [{}, {}],
    ),
    "null becomes allowed": (
        [{"x": (TEXT, "one")}, {"x": (Annotated[str | None, Indexed()], None)}],
        [{"x": "one"}, {"x": "two"}],
    ),
}
"""Definitions, one after the other, and records of the first, whose pks are a, b, c."""

ONE: Definition = {"tag": (TEXT, ""), "note": (str, ""), "size": (NUMBER, 0), "more": (TEXTS, [])}
OTHER: Definition = {"tag": (str, ""), "size": (NUMBER, 0), "note": (BOTH, ""), "more": (TEXTS, [])}

Seen = set[tuple[str, object]]
"""Fields and the values that they had, for one definition or another."""


def assert_agrees(repository: Repository[Any], seen: Seen) -> None:
    """Every call that an index may answer says what the records say, read one by one."""
    items = [repository.get(pk) for pk in repository.pks()]
    assert repository.find() == items
    assert repository.count() == len(items)
    for name in repository.model.model_fields.keys() - {"pk"}:
        values = {item.pk: getattr(item, name) for item in items}
        assert_identical(repository.project([name]), [{name: v} for v in values.values()])
        assert repository.project(["pk", name]) == [{"pk": k, name: v} for k, v in values.items()]
        for value in values.values():
            seen |= {(name, v) for v in (value if isinstance(value, list) else [value])}
        for value in {value for path, value in seen if path == name}:
            _assert_found(repository, name, value, values)
        if not any(isinstance(value, list) for value in values.values()):
            up = sorted(values, key=lambda pk: (values[pk] is None, pk))
            known = [pk for pk in up if values[pk] is not None]
            up[: len(known)] = sorted(known, key=values.__getitem__)
            assert pks_of(repository.find(order_by=name)) == up
            assert pks_of(repository.find(order_by=name, limit=1)) == up[:1]


def _assert_found(
    repository: Repository[Any], name: str, value: Any, values: Mapping[str, Any]
) -> None:
    path = field(name)
    asked: list[tuple[Condition, Callable[[Any], bool]]] = [
        (path == value, lambda v: equal(v, value)),
        (path != value, lambda v: not equal(v, value)),
        (path.contains(value), lambda v: value in v),
    ]
    if value is not None and not isinstance(value, bool):
        asked.append((path <= value, lambda v: equal(v, value) or before(v, value)))
    if isinstance(value, str):
        asked.append(
            (path.startswith(value[:2]), lambda v: v is not None and v.startswith(value[:2]))
        )
        asked += [(path.matches(word), _has_word(word)) for word in words_of(value)]
    for condition, holds in asked:
        try:
            found = repository.pks(condition)
        except QueryError:
            continue  # a value of another definition's type
        assert found == [pk for pk, own in values.items() if holds(own)], condition
        assert repository.count(condition) == len(found)
        assert repository.exists(condition) is bool(found)
        assert pks_of(repository.find(condition)) == found
        assert repository.project(["pk"], condition) == [{"pk": pk} for pk in found]


def _has_word(word: str) -> Callable[[Any], bool]:
    return lambda value: value is not None and word in words_of(value)


class DefinitionContract(Binding):
    """Index entries are those of the definition that asks, whichever one wrote the record."""

    @pytest.fixture(params=("in one store", "in a store each"))
    def repository_of(
        self, request: pytest.FixtureRequest, open_store: OpenStore
    ) -> Iterator[RepositoryOf]:
        with ExitStack() as stack:
            stores: dict[object, Store] = {}

            def repository_of(model: type[BaseModel]) -> Repository[Any]:
                key = model if request.param == "in a store each" else None
                if key not in stores:
                    stores[key] = stack.enter_context(open_store())
                return stores[key].repository(model)

            yield repository_of

    def test_an_update_keeps_what_only_a_newer_definition_knows(
        self, repository_of: RepositoryOf
    ) -> None:
        old = defined({"tag": (TEXT, "")})
        new = defined({"tag": (TEXT, ""), "more": (TEXTS, []), "size": (NUMBER, 0)})
        newer, older = repository_of(new), repository_of(old)
        whole = [new(pk=pk, tag="t", more=["x"], size=2) for pk in "abc"]
        newer.save_many(whole)
        older.update("a", lambda item: item.model_copy(update={"tag": "one"}))
        assert older.update_many(lambda item: setattr(item, "tag", "many"), tag="t") == 2
        tags = ("one", "many", "many")
        kept = [item.model_copy(update={"tag": tag}) for item, tag in zip(whole, tags, strict=True)]
        assert newer.find() == kept
        assert newer.pks(field("more").contains("x"), tag="many") == ["b", "c"]
        assert list(newer.index_faults()) == []
        older.save(old(pk="a", tag="in its place"))
        assert newer.get("a") == new(pk="a", tag="in its place")

    @pytest.mark.parametrize("name", CHANGES)
    def test_a_changed_definition(self, repository_of: RepositoryOf, name: str) -> None:
        definitions, records = CHANGES[name]
        models = [defined(definition) for definition in definitions]
        repository_of(models[0]).save_many(
            models[0](pk=pk, **fields) for pk, fields in zip("abc", records, strict=False)
        )
        seen: Seen = set()
        for _ in range(2):
            for model in models:
                assert_agrees(repository_of(model), seen)
        for number, model in enumerate(models):
            repository_of(model).save(repository_of(model).get("a"))
            assert_agrees(repository_of(model), seen)
            for other in models[: number + 1 : -1]:
                assert_agrees(repository_of(other), seen)

    def test_two_definitions_in_use_at_once(self, repository_of: RepositoryOf) -> None:
        models = [defined(ONE), defined(OTHER)]
        seen: Seen = set()
        for n in range(14):
            repository = repository_of(models[n % 2])
            item = models[n % 2](
                pk=f"{n % 5}", tag=f"t{n % 3}", note=f"note {n % 4}", size=n % 3, more=[f"m{n % 2}"]
            )
            if n % 7 == 3:
                repository.delete_many([f"{n % 4}", "9"])
            elif n % 7 == 4:
                repository.save_many([item, item.model_copy(update={"pk": "9"})])
            elif n % 7 == 5:
                assert repository.delete_many(note="note 1") >= 1
            elif n % 7 == 6:
                repository.update(
                    repository.pks()[0], lambda item: item.model_copy(update={"tag": "updated"})
                )
            else:
                repository.save(item)
            for model in models:
                assert_agrees(repository_of(model), seen)

    def test_two_definitions_in_one_transaction(self, store: Store) -> None:
        one, other = defined(ONE), defined(OTHER)
        store.repository(one).save(one(pk="a", tag="old", note="old"))
        with store.transaction() as transaction:
            assert transaction.repository(one).get("a") == one(pk="a", tag="old", note="old")
            transaction.repository(other).save(other(pk="a", tag="new", note="new"))
            assert transaction.repository(one).get("a") == one(pk="a", tag="new", note="new")
        for model in (one, other):
            assert store.repository(model).pks(tag="new", note="new") == ["a"]
            assert store.repository(model).count(field("note") == "old") == 0
            assert_agrees(store.repository(model), {("tag", "old"), ("note", "old")})

    def test_two_definitions_in_use_by_several_threads(
        self, open_store: OpenStore, store: Store
    ) -> None:
        models = [defined(ONE), defined(OTHER)]

        def work(mine: Store, number: int) -> None:
            model = models[number % 2]
            repository: Repository[Any] = mine.repository(model)
            for n in range(5):
                tag = f"t{number}"
                repository.save(model(pk=f"{number} {n}", tag=tag, note=tag, more=[tag]))
                assert repository.count(tag=tag) == n + 1
                assert repository.count(note=tag) == n + 1
                assert len(repository.find(field("more").contains(tag))) == n + 1
                if n == 3:
                    repository.delete(f"{number} 3")
                    repository.save(model(pk=f"{number} 3", tag=tag, note=tag, more=[tag]))

        race(open_store, work)
        for model in models:
            assert_agrees(store.repository(model), set())
