"""The tree of errors: drawn as it is, and fit to cross a process."""

import builtins
import copy
import importlib
import inspect
import pickle
import pkgutil
import re
from collections.abc import Iterator

import pytest

import simstore
from simstore.domain import errors
from simstore.domain.errors import SimstoreError

LINE = re.compile(r"^ {4}(?P<lines>[│├└─ ]*)(?P<name>\w+Error)\b(?:.*\((?P<standard>\w+)\)$)?")


def subclasses(of: type[SimstoreError]) -> Iterator[type[SimstoreError]]:
    yield of
    for child in of.__subclasses__():
        yield from subclasses(child)


ALL = sorted(subclasses(SimstoreError), key=lambda error: error.__name__)


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """The tree of the docstring: error to (its parent, its standard type)."""
    assert errors.__doc__ is not None
    above: list[tuple[int, str]] = []
    tree: dict[str, tuple[str | None, str | None]] = {}
    for line in errors.__doc__.splitlines():
        if found := LINE.match(line):
            depth, name = len(found["lines"]), found["name"]
            above = [(d, n) for d, n in above if d < depth]
            tree[name] = (above[-1][1] if above else None, found["standard"])
            above.append((depth, name))
    return tree


def test_the_docstring_draws_every_error_in_its_place() -> None:
    actual: dict[str, tuple[str | None, str | None]] = {}
    for error in ALL:
        own = [base for base in error.__bases__ if issubclass(base, SimstoreError)]
        standard = [base for base in error.__bases__ if base.__name__ in vars(builtins)]
        actual[error.__name__] = (
            own[0].__name__ if own else None,
            standard[0].__name__ if own and standard else None,
        )
    assert drawn() == actual


def test_every_error_is_in_the_tree_s_file() -> None:
    for module in pkgutil.walk_packages(simstore.__path__, "simstore."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert {error.__module__ for error in subclasses(SimstoreError)} == {errors.__name__}


@pytest.mark.parametrize("length", [0, 1, 199, 200, 201, 100_000])
def test_a_message_shows_the_beginning_of_a_long_condition(length: int) -> None:
    condition = ("tag in " + "'x', " * length)[:length]
    shown = condition if length <= 200 else condition[:197] + "..."
    where = f" where {shown}" if length else ""
    missing = errors.NotFoundError("agents", condition=condition, hint="do it")
    several = errors.MultipleFoundError("agents", ["a", "b"], condition)
    assert str(missing) == f"agents has no record{where}; do it"
    assert str(several) == f"agents has several records{where}: 'a', 'b', and perhaps more"
    assert missing.condition == several.condition == condition


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_can_be_caught_by_its_public_name(error: type[SimstoreError]) -> None:
    assert error.__name__ in simstore.__all__
    assert getattr(simstore, error.__name__) is error


def example(error: type[SimstoreError]) -> SimstoreError:
    if "__init__" not in vars(error):
        return error("what went wrong")
    return error(*(argument(p) for p in inspect.signature(error).parameters.values()))


def argument(parameter: inspect.Parameter) -> object:
    if parameter.annotation is int:
        return 7
    if "[str]" in str(parameter.annotation):
        return "a", "b"
    if "[" in str(parameter.annotation):
        return (errors.ImportFileError("a file", 2, "a field", "is wrong"),)
    return f"the {parameter.name}"


def test_what_a_bulk_write_stopped_at_is_said_and_crosses_a_process_too() -> None:
    def stopped(why: BaseException | None) -> errors.SaveManyError:
        error = errors.SaveManyError("Agent", ["a"], ["b", "c"])
        error.__cause__ = why
        return error

    told = "2 of 3 records of Agent were not stored: 'b', 'c'"
    assert str(stopped(None)) == told
    assert str(stopped(KeyboardInterrupt())) == f"{told}; KeyboardInterrupt"
    raised = stopped(errors.BackendError("the memory is full"))
    assert str(raised) == f"{told}; the memory is full"
    for other in (pickle.loads(pickle.dumps(raised)), copy.copy(raised), copy.deepcopy(raised)):  # noqa: S301 — our own bytes
        assert (str(other), other.stored, other.not_stored) == (str(raised), ("a",), ("b", "c"))


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_an_error_crosses_a_process_unchanged(error: type[SimstoreError]) -> None:
    # multiprocessing, concurrent.futures and pytest-xdist pickle what a worker raises.
    raised = example(error)
    assert str(raised)
    for other in (pickle.loads(pickle.dumps(raised)), copy.copy(raised), copy.deepcopy(raised)):  # noqa: S301 — our own bytes
        assert type(other) is error
        assert str(other) == str(raised)
        # Errors within errors are equal by what they show alone.
        assert repr((other.args, vars(other))) == repr((raised.args, vars(raised)))
