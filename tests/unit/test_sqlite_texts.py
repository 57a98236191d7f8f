"""Documents that somebody else wrote into the file as TEXT are read and written as any other."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import pytest

import simstore
from simstore import AgentProfile, FullText, Indexed, Record, field
from simstore.domain.repository import Repository
from simstore.testing.contract.helpers import specimen
from simstore.testing.models import Specimen

TEXT = "ä ' \" \\ \u2028 😀"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "texts.db"


@pytest.fixture
def store(path: Path) -> Iterator[simstore.Store]:
    """A store with an agent and a specimen, ``a`` both, whose documents are TEXT."""
    with simstore.connect(f"sqlite:///{path}") as store:
        store.agents.save(AgentProfile(pk="a", first_name="Ada", last_name=TEXT, tag="t"))
        store.repository(Specimen).save(specimen("a", tag="t", bio=TEXT))
        as_text(path)
        yield store


def as_text(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE simstore_records SET document = CAST(document AS TEXT)")
    assert kinds_of_documents(path) == {"text"}


def kinds_of_documents(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as file:
        return {kind for (kind,) in file.execute("SELECT typeof(document) FROM simstore_records")}


# One is read without pydantic, the other by it.
@pytest.fixture(params=[AgentProfile, Specimen])
def texts(store: simstore.Store, request: pytest.FixtureRequest) -> Repository[AgentProfile]:
    repository: Repository[AgentProfile] = store.repository(request.param)
    return repository


def test_a_version_is_that_of_the_same_document_as_a_blob(
    path: Path, texts: Repository[AgentProfile]
) -> None:
    item, version = texts.get_versioned("a")
    assert item == texts.get("a")
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE simstore_records SET document = CAST(document AS BLOB)")
    assert texts.get_versioned("a") == (item, version)


def test_a_version_is_good_for_one_save(path: Path, texts: Repository[AgentProfile]) -> None:
    item, version = texts.get_versioned("a")
    item.tag = "mine"
    texts.save(item, if_version=version)
    assert texts.get("a") == item
    assert kinds_of_documents(path) == {"blob", "text"}
    as_text(path)
    with pytest.raises(simstore.ConflictError):
        texts.save(item, if_version=version)
    texts.save(item, if_version=texts.get_versioned("a")[1])


def test_what_somebody_wrote_since_is_a_conflict(
    path: Path, texts: Repository[AgentProfile]
) -> None:
    item, version = texts.get_versioned("a")
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("""UPDATE simstore_records SET document = replace(document, '"t"', '"T"')""")
    assert kinds_of_documents(path) == {"text"}
    with pytest.raises(simstore.ConflictError):
        texts.save(item, if_version=version)
    assert texts.get("a").tag == "T"


CHANGES: dict[str, Callable[[simstore.Store, Repository[AgentProfile]], object]] = {
    "update": lambda _, texts: texts.update("a", lambda item: setattr(item, "tag", "new")),
    "transaction": lambda store, texts: _update_within(store, texts.model),
    "save": lambda _, texts: texts.save(texts.get("a").model_copy(update={"tag": "new"})),
}


def _update_within(store: simstore.Store, model: type[AgentProfile]) -> None:
    with store.transaction() as transaction:
        within = transaction.repository(model)
        within.save(within.get("a").model_copy(update={"tag": "new"}))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_leaves_a_record_and_entries_as_everywhere(
    store: simstore.Store, texts: Repository[AgentProfile], change: str
) -> None:
    before = texts.get("a")
    CHANGES[change](store, texts)
    assert texts.get("a") == before.model_copy(update={"tag": "new"})
    assert texts.pks(tag="new") == ["a"]
    assert texts.pks(tag="t") == []
    assert list(texts.index_faults()) == []


def test_a_condition_that_no_index_answers_deletes_one(texts: Repository[AgentProfile]) -> None:
    assert texts.delete_many(field("tag").startswith("t"), ~(field("pk") == "b")) == 1
    assert texts.count() == 0


class Before(Record):
    __collection__ = "Note"
    text: str


class After(Record):
    __collection__ = "Note"
    text: Annotated[str, Indexed(), FullText()]


def test_new_indexes_know_it(path: Path) -> None:
    with simstore.connect(f"sqlite:///{path}") as store:
        store.repository(Before).save(Before(pk="a", text=TEXT))
    as_text(path)
    with simstore.connect(f"sqlite:///{path}") as store:
        assert store.repository(After).pks(text=TEXT) == ["a"]
        assert list(store.repository(After).index_faults()) == []


def test_text_that_is_no_utf8_is_a_damaged_record_not_a_damaged_file(
    path: Path, texts: Repository[AgentProfile]
) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE simstore_records SET document = CAST(x'7bff7d' AS TEXT)")
    with pytest.raises(simstore.CorruptRecordError, match="'a'"):
        texts.get("a")
    with pytest.raises(simstore.CorruptRecordError, match="'a'"):
        texts.get_versioned("a")
