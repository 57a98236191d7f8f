"""``simstore list``, ``show``, ``find`` and ``delete``."""

import errno
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")

import simstore
from simstore.cli import deleting, records
from simstore.cli.app import app
from simstore.domain.store import RECORD_MODELS
from simstore.services.rendering.visible import visible
from tests.unit.cli_runs import cli, failure, import_samples, one_agent

INES = "01HZS4HB00HKGPXQ9T4J81GXTT"


@pytest.fixture(params=["memory", "sqlite"])
def url(
    request: pytest.FixtureRequest, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A store with the samples, which SIMSTORE_URL names."""
    name = "memory://cli" if request.param == "memory" else f"sqlite:///{tmp_path}/cli.db"
    monkeypatch.setenv("SIMSTORE_URL", name)
    with simstore.connect(name):  # one in memory lasts while it is open
        import_samples(name)
        yield name


@pytest.mark.usefixtures("url")
def test_collections_are_listed() -> None:
    ran = cli("list")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split() for line in ran.out.splitlines()[2:]] == [
        ["agents", "AgentProfile", "6"],
        ["env_agent_combos", "EnvAgentComboStorage", "8"],
        ["environments", "EnvironmentProfile", "4"],
        ["episodes", "EpisodeLog", "4"],
        ["relationships", "RelationshipProfile", "5"],
    ]
    assert {"collection": "EpisodeLog", "name": "episodes", "records": 4} in cli(
        "list", "--json"
    ).json


def test_an_empty_store_holds_no_records() -> None:
    assert cli("list", "--store", "memory://").out == "memory:// holds no records\n"
    assert cli("list", "--store", "memory://", "--json").json == []


@pytest.mark.usefixtures("url")
def test_the_records_of_a_collection() -> None:
    ran = cli("list", "agents", "-n", "2")
    assert ran.out.count("\n") == 4
    assert INES in ran.out
    assert "tag" not in ran.out.splitlines()[0]  # empty in all of them
    assert ran.err == "6 records, 4 of them not shown: --limit\n"
    assert len(cli("list", "AgentProfile", "--json").lines) == 6
    assert cli("list", "agents", "--json", "--fields", "age", "-n", "1").lines == [
        {"pk": INES, "age": 34}
    ]


@pytest.mark.usefixtures("url")
def test_conditions_find_records() -> None:
    ran = cli("find", "agents", "age>=50", "occupation^=Ret", "--json")
    assert [each["first_name"] for each in ran.lines] == ["Gwendolyn"]
    ages = [each["age"] for each in cli("find", "agents", "--order-by=-age", "--json").lines]
    assert ages == sorted(ages, reverse=True)
    assert cli("find", "agents", "age<18") == (0, "", "0 records\n")
    assert cli("find", "agents", "age<18", "--json") == (0, "", "")
    assert cli("find", "agents", "age>=50", "--count").out == "2\n"
    assert cli("find", "agents", "age>=50", "--count", "--json").json == {"count": 2}
    assert cli("find", "agents", "age>=50", "--explain").out.endswith("by index: age >= 50\n")
    assert cli("find", "agents", "age>=50", "--explain", "--json").json["reads_all"] is False


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("collection", "condition", "count"),
    [
        ("agents", "age=34", 1),
        ("agents", "age==34", 1),
        ("agents", "age!=34", 5),
        ("agents", "tag=", 6),
        ("agents", "first_name==Ines", 1),
        ("agents", 'first_name="Ines"', 1),
        ("agents", "first_name=null", 0),
        ("relationships", "relationship=acquaintance", 1),
        ("relationships", "relationship=2", 1),
        ("relationships", "background_story~=honey DOORSTEP", 1),
        ("episodes", "models*=sample-oak", 4),
        ("episodes", 'models=["a"]', 0),
    ],
)
def test_what_conditions_mean(collection: str, condition: str, count: int) -> None:
    assert cli("find", collection, condition, "--count", "--json").json == {"count": count}


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["find", "agents", "age"], "in quotes: a shell takes > and < for itself"),
        (["find", "agents", "=18"], "is not a condition"),
        (["find", "agents", "age >= 18"], "without blanks"),
        (["find", "agents", "age=abc"], "'abc' is no number"),
        (["find", "agents", "age=NaN"], "NaN"),
        (["find", "agents", "frist_name=x"], "did you mean 'first_name'?"),
        (["find", "agents", "age*=1"], "is not a list"),
        (["find", "relationships", "relationship=foe"], "there are stranger, know_by_name"),
        (["find", "episodes", "agents=x"], "write *= to ask whether it has a value"),
        (["find", "agents", "--order-by", "nope"], "has no field 'nope'"),
        (["find", "agents", "--fields", "nope"], "has no field 'nope'"),
        (["find", "agents", "--fields", "a.b"], "only a record's own fields"),
        (["find", "agents", "--limit", "0"], "--limit"),
        (["find", "agents", "--nosuch"], "See: simstore find --help"),
        (["find"], "Missing argument"),
        (["list", "agnets"], "did you mean 'agents'?"),
        (["nosuch"], "No such command"),
        (["fnd"], "Did you mean 'find'? See: simstore --help"),
        (["list", "--store", "nonsense"], "is not a store URL"),
        (["list", "--store", "sqlite:///no/file.db"], "Import something first"),
        (["list", "--store", "papyrus://u:hunter2@x"], "papyrus://u:***@x"),
        (["list", "--type", "X"], "write module:Class"),
        (["list", "--type", ":X"], "write module:Class"),
        (["list", "--type", "nomodule_x:X"], "No module named"),
        (["list", "--type", "json:X"], "json has no class 'X'"),
        (["list", "--type", "json:JsonDecoder"], "did you mean 'JSONDecoder'?"),
        (["list", "--type", "my_models.py:X"], "a module, not a file: my_models:X"),
        (["list", "--type", "./a/my_models.py:X"], "a module, not a file: a.my_models:X"),
        (["list", "AgentProfil"], "did you mean 'AgentProfile'?"),
        (["find", "agents", "-n", "0"], "must be at least 1"),
        (["find", "agents", "--count", "--explain"], "--count and --explain exclude each other"),
        (["list", "--type", "json:dumps"], "it is no class"),
        (["list", "--type", "json:JSONDecoder"], "is not a pydantic model"),
        (["delete", "agents", "tag=x", "key"], "not both"),
        (["delete", "agents", "age>=18"], "Delete 6 records of AgentProfile from"),
        (["show", "agents", "01HZS4"], "several records of AgentProfile begin with '01HZS4'"),
    ],
    ids=lambda value: None if isinstance(value, str) else " ".join(value),
)
def test_wrong_calls_say_what_to_do_and_exit_with_2(arguments: list[str], part: str) -> None:
    line = failure(*arguments)
    assert part in line
    assert "hunter2" not in line


@pytest.mark.parametrize("command", [["show", "agents"], ["delete", "agents"], ["render"]])
@pytest.mark.usefixtures("url")
def test_a_missing_key_is_a_problem_and_exits_with_1(command: list[str]) -> None:
    assert "has no record 'nope'" in failure(*command, "nope", code=1)


@pytest.mark.usefixtures("url")
def test_a_record_is_shown_whole_by_the_beginning_of_its_key() -> None:
    ran = cli("show", "relationships", "01HZY9AS")
    assert "relationship      acquaintance" in ran.out
    assert "background_story  Ines and Tobias live wall to wall." in ran.out
    assert cli("show", "relationships", "01HZY9AS", "--json").json["relationship"] == 2


@pytest.mark.usefixtures("url")
def test_records_are_deleted_by_key_or_by_conditions() -> None:
    assert cli("delete", "agents", INES, "--yes").out == "deleted 1 record\n"
    assert cli("delete", "agents", "age>=50", "-y").out == "deleted 2 records\n"
    assert cli("delete", "agents", "age>=50", "-y") == (0, "nothing to delete\n", "")
    assert cli("find", "agents", "--count").out == "3\n"


@pytest.mark.usefixtures("url")
def test_one_missing_key_and_nothing_is_deleted() -> None:
    failure("delete", "agents", INES, "nope", "--yes", code=1)
    assert cli("find", "agents", "--count").out == "6\n"


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("answer", "left"), [("y\n", 5), ("YES\n", 5), ("n\n", 6), ("\n", 6), ("", 6), ("yellow\n", 6)]
)
def test_delete_asks_first(answer: str, left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "_somebody_is_there", lambda: True)
    ran = cli("delete", "agents", INES, stdin=answer)
    assert ran.code == 0
    assert ran.err.startswith("Delete 1 record of AgentProfile from")
    assert ("nothing was deleted" in ran.err) == (left == 6)
    assert cli("find", "agents", "--count").out == f"{left}\n"


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize("key", ["tag=x", "a=b", "age>=18", "x <y"])
def test_a_key_may_look_like_a_condition(url: str, key: str) -> None:
    with simstore.connect(url) as store:
        store.agents.save(one_agent(pk=key))
    assert cli("delete", "agents", key, INES, "--yes").out == "deleted 2 records\n"
    assert cli("find", "agents", "--count").out == "5\n"


def test_records_that_cannot_be_read_can_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMSTORE_URL", f"sqlite:///{tmp_path}/cli.db")
    import_samples(f"sqlite:///{tmp_path}/cli.db")
    with closing(sqlite3.connect(tmp_path / "cli.db")) as file, file:
        file.execute("UPDATE simstore_records SET document = '{}' WHERE pk = ?", [INES])
    assert "cannot be read" in failure("show", "agents", INES, code=1)
    assert cli("delete", "agents", INES, "--yes") == (0, "deleted 1 record\n", "")


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("target", "part"),
    [
        (INES[:-1], f"delete takes whole keys; did you mean '{INES}'?"),
        ("01HZS4", "delete takes whole keys; several of AgentProfile begin with '01HZS4'"),
        ("age >= 18", "no blanks are around the sign"),
        ("nope=1", "AgentProfile has no field 'nope'"),
    ],
)
def test_what_is_no_key_deletes_nothing(target: str, part: str) -> None:
    assert part in failure("delete", "agents", target, "--yes")
    assert cli("find", "agents", "--count").out == "6\n"


@pytest.mark.usefixtures("url")
def test_a_dry_run_lists_what_would_be_deleted() -> None:
    ran = cli("delete", "agents", "age>=50", "--dry-run", "--yes")
    assert ran.out.splitlines() == ["01HZS4PYPB5MW3QV2N375PEKCS", "01HZS4TPFX0R44G9QPAAXFSAX9"]
    assert ran.err == "2 records of AgentProfile would be deleted; nothing was\n"
    assert cli("find", "agents", "--count").out == "6\n"


HOSTILE = [
    "[red]x[/red]",
    "[link=https://example.org]x[/link]",
    "[/]",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "a\nb\r\nc\x00\x85\u2028d",
    "\u202egnp.exe",
    "=cmd|' /C calc'!A0",
    "é漢字🎉",
    "x" * 100_000,
    "{task.description}",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_neither_acts_nor_breaks_json(text: str) -> None:
    with simstore.connect("memory://hostile") as store:
        agent = store.agents.save(one_agent(first_name=text, tag=text, secret=text))
        options = ["--store", "memory://hostile"]
        for ran in (
            cli("list", "agents", *options),
            cli("find", "agents", f"tag={json.dumps(text)}", *options),
            cli("show", "agents", agent.pk, *options),
        ):
            assert ran.code == 0, ran.err
            assert set(ran.out) <= set(visible(ran.out))
            assert "\x1b" not in ran.out
            assert "\u202e" not in ran.out
            assert " ".join(visible(text).split()) in " ".join(ran.out.split())
        assert cli("show", "agents", agent.pk, "--json", *options).json["secret"] == text
        assert cli("list", "agents", "--json", *options).lines[0]["tag"] == text


def test_hostile_arguments_do_not_act_on_the_terminal() -> None:
    for line in (
        failure("list", "\x1b[31m[red]", "--store", "memory://"),
        failure("\x1b[31m[red]"),
        failure("list", "--store", "\x1b[31m[red]"),
    ):
        assert "\x1b" not in line
        assert "[red]" in line


def test_infinities_are_written_as_python_reads_them() -> None:
    with simstore.connect("memory://inf") as store:
        episode = simstore.EpisodeLog(
            environment="e", agents=["a"], messages=[], rewards=[(float("inf"), {})]
        )
        store.episodes.save(episode)
        ran = cli("show", "episodes", episode.pk, "--json", "--store", "memory://inf")
        assert ran.json["rewards"] == [[float("inf"), {}]]


def test_every_model_has_columns_that_tell_of_it() -> None:
    shown = {model.__name__: records._telling_fields(model) for model in RECORD_MODELS}
    assert all(len(fields) >= 2 for fields in shown.values()), shown
    assert shown["EpisodeLog"] == ["environment", "agents", "tag", "models", "agent_classes"]
    assert shown["NonStreamingSimulationStatus"] == ["pk", "episode_pk", "status"]


@pytest.mark.usefixtures("url")
def test_debug_shows_the_traceback_wherever_it_stands() -> None:
    for arguments in (["--debug", "list", "x"], ["list", "x", "--debug"]):
        ran = cli(*arguments)
        assert ran.code == 2
        assert ran.err.startswith("Traceback")
        assert ran.err.splitlines()[-1].startswith("simstore: there is no collection 'x'")


def test_a_fault_of_our_own_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_list_collections", lambda *_, **__: 1 / 0)
    assert "ZeroDivisionError" in failure("list", "--store", "memory://")


@pytest.mark.parametrize(
    "error", [BrokenPipeError(), BrokenPipeError(errno.EPIPE, "x")], ids=["bare", "EPIPE"]
)
def test_a_closed_pipe_is_the_business_of_the_script(
    error: BrokenPipeError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(records, "_list_collections", closed)
    output = os.fstat(1)
    with pytest.raises(BrokenPipeError):
        app(["list", "--store", "memory://"])
    assert os.fstat(1) == output  # whoever calls it within a process keeps the stream


MODEL = """
from typing import Annotated
from simstore import Indexed, Record

class {name}(Record):
    stars: Annotated[int, Indexed()]
"""


def test_models_of_ones_own_are_named_by_module_and_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cli_own_models.py").write_text(MODEL.format(name="CliReview"))
    Path("r.jsonl").write_text('{"pk": "r", "stars": 5}\n')
    options = ["--store", "sqlite:///own.db", "--type", "cli_own_models:CliReview"]
    assert cli("import", "r.jsonl", *options).out == "r.jsonl: 1 CliReview\n"
    assert cli("find", "CliReview", "stars>=5", "--count", *options).out == "1\n"
    listed = cli("list", "--store", "sqlite:///own.db")
    assert listed.out.splitlines()[-1].split() == ["CliReview", "CliReview", "?"]
    assert "say --type MODULE:CliReview" in listed.err
    for command in (["list"], ["find"], ["delete"], ["show"]):
        words = [*command, "clireview", *(["x"] if command[0] in {"show", "delete"} else [])]
        line = failure(*words, "--store", "sqlite:///own.db")
        assert "the store has records of CliReview; say --type MODULE:CliReview" in line
    assert "" not in sys.path
    (tmp_path / "cli_broken_models.py").write_text("1 / 0")
    line = failure("list", *options[:2], "--type", "cli_broken_models:X")
    assert "cannot be imported: ZeroDivisionError" in line


@pytest.mark.parametrize("command", ["find", "leaderboard", "compare", "import", "delete", "copy"])
def test_the_help_shows_no_types_of_python(command: str) -> None:
    text = cli(command, "--help").out
    assert "Usage:" in text
    for word in ("<int", "<str", "<list", "x>=1", "<float", "<bool"):
        assert word not in text
