"""What is SQLite's own: its URLs, its file, and what it says when the file will not do."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Annotated

import pytest

import simstore
from simstore import AgentProfile, Indexed, Record, field


def agent(**fields: object) -> AgentProfile:
    return AgentProfile.model_validate({"first_name": "Ada", "last_name": "L", **fields})


def test_a_relative_path_has_three_slashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with simstore.connect("sqlite:///here%20or there.db") as store:
        store.agents.save(agent())
    assert (tmp_path / "here or there.db").is_file()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite://file.db", "sqlite:///:memory:"]
)
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(simstore.StoreURLError, match="names no file"):
        simstore.connect(url)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("timeout=soon", "number of seconds"),
        ("timeout=-1", "number of seconds"),
        ("timeout=nan", "number of seconds"),
        ("synchronous=off", "full or normal"),
        ("synchronus=full", "did you mean 'synchronous'"),
        ("timeout=1&timeout=2", "twice"),
    ],
)
def test_a_wrong_option_is_refused(tmp_path: Path, option: str, reason: str) -> None:
    with pytest.raises(simstore.StoreURLError, match=reason):
        simstore.connect(f"sqlite:///{tmp_path}/a.db?{option}")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, not a database\n" * 100)
    with pytest.raises(simstore.BackendUnavailableError, match="not a database") as caught:
        simstore.connect(f"sqlite:///{path}")
    assert isinstance(caught.value, ConnectionError)
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert path.read_text().startswith("these are my notes")


@pytest.mark.parametrize(
    ("path", "reason"), [("missing/a.db", "there is no folder .*missing"), (".", "is a folder")]
)
def test_a_path_that_cannot_be_opened_is_refused(tmp_path: Path, path: str, reason: str) -> None:
    with pytest.raises(simstore.BackendUnavailableError, match=reason):
        simstore.connect(f"sqlite:///{tmp_path}/{path}")


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "future.db"
    simstore.connect(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE simstore_meta SET value = 99 WHERE name = 'layout'")
    with pytest.raises(simstore.BackendUnavailableError, match="layout 99"):
        simstore.connect(f"sqlite:///{path}")


def test_a_lock_held_by_somebody_else_is_a_timeout(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    with (
        simstore.connect(f"sqlite:///{path}?timeout=0.1") as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        store.agents.save(agent(pk="a"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(simstore.BackendTimeoutError, match=r"locked .* for 0\.1 s") as caught:
            store.agents.save(agent(pk="b"))
        assert isinstance(caught.value, TimeoutError)
        with pytest.raises(simstore.SaveManyError) as many:
            store.agents.save_many([agent(pk="c"), agent(pk="d")])
        assert many.value.not_stored == ("c", "d")
        assert isinstance(many.value.__cause__, simstore.BackendTimeoutError)
        # Readers do not wait for writers.
        assert store.agents.pks() == ["a"]
        other.execute("ROLLBACK")
        store.agents.save(agent(pk="b"))
        assert store.agents.pks() == ["a", "b"]


def test_other_peoples_tables_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE agents (name)")
        connection.execute("INSERT INTO agents VALUES ('theirs')")
    with simstore.connect(f"sqlite:///{path}") as store:
        store.agents.save(agent())
        store.agents.delete_many(store.agents.pks())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM agents").fetchall() == [("theirs",)]


def test_namespaces_are_apart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    with simstore.connect(url) as plain, simstore.connect(f"{url}?namespace=pilot") as pilot:
        plain.agents.save(agent(pk="a", tag="x"))
        pilot.agents.save(agent(pk="a", tag="y"))
        pilot.agents.save(agent(pk="b", tag="x"))
        assert plain.agents.pks(tag="x") == ["a"]
        assert pilot.agents.pks(tag="x") == ["b"]
        assert plain.agents.delete_many(field("tag").in_(["x", "y"])) == 1
        assert pilot.agents.count() == 2


def test_expired_records_leave_the_file_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with simstore.connect(f"sqlite:///{path}") as store:
        store.agents.save_many([agent(tag="short") for _ in range(5)], ttl=0.001)
        threading.Event().wait(0.01)
        store.agents.save(agent(pk="kept"))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT pk FROM simstore_records").fetchall() == [("kept",)]
            pks = connection.execute("SELECT DISTINCT pk FROM simstore_entries").fetchall()
            assert pks == [("kept",)]


def test_many_values_of_in_are_found(tmp_path: Path) -> None:
    with simstore.connect(f"sqlite:///{tmp_path}/a.db") as store:
        store.agents.save_many([agent(tag=f"t{n}") for n in range(300)])
        for number in (10_000, 10_001, 40_000):
            assert store.agents.count(field("tag").in_([f"t{n}" for n in range(number)])) == 300
        wide = field("tag") == "t0"
        for number in range(1, 300):
            wide = wide | (field("tag") == f"t{number}")  # type: ignore[assignment]
        assert store.agents.count(wide) == 300


def test_several_threads_share_a_store(tmp_path: Path) -> None:
    with simstore.connect(f"sqlite:///{tmp_path}/a.db") as store:
        faults: list[BaseException] = []

        def work(name: str) -> None:
            try:
                for number in range(20):
                    store.agents.save(agent(tag=name, age=number))
                    assert store.agents.count(tag=name) == number + 1
            except BaseException as error:  # noqa: BLE001 — shown by the assertion below
                faults.append(error)

        threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        assert store.agents.count() == 120


class Before(Record):
    __collection__ = "Person"
    name: str


class After(Record):
    __collection__ = "Person"
    name: Annotated[str, Indexed()]


def test_an_unreadable_record_does_not_stop_new_indexes(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with simstore.connect(f"sqlite:///{path}") as store:
        store.repository(Before).save_many([Before(pk="a", name="x"), Before(pk="b", name="x")])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE simstore_records SET document = x'00' WHERE pk = 'a'")
    with simstore.connect(f"sqlite:///{path}") as store:
        people = store.repository(After)
        assert people.explain(name="x").index
        assert people.pks(name="x") == ["b"]
        with pytest.raises(simstore.CorruptRecordError, match="'a'"):
            people.get("a")
