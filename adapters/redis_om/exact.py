"""Whether a record fulfils an index condition, told from its indexed values, exactly."""

from collections.abc import Callable

from simstore.adapters.storage import (
    AllOf,
    AnyOf,
    Bound,
    Complement,
    Equal,
    IndexCondition,
    Indexes,
    OneOf,
    Pks,
    Prefix,
    Range,
    Values,
)
from simstore.domain.query import Scalar
from simstore.domain.schema import kind_of
from simstore.domain.text import words

Test = Callable[[str, Values | None], bool]
"""Takes a record's pk and its indexed values, None if its content could not be read."""


def test_of(indexes: Indexes, condition: IndexCondition) -> Test:
    """The test of `condition` for records with values of `indexes`."""
    match condition:
        case AllOf(parts):
            tests = [test_of(indexes, part) for part in parts]
            return lambda pk, values: all(test(pk, values) for test in tests)
        case AnyOf(parts):
            tests = [test_of(indexes, part) for part in parts]
            return lambda pk, values: any(test(pk, values) for test in tests)
        case Complement(part):
            inner = test_of(indexes, part)
            return lambda pk, values: not inner(pk, values)
        case Pks(pks):
            wanted = frozenset(pks)
            return lambda pk, _: pk in wanted
        case Equal(index, value):
            return _of_entries(indexes, index, _one_of((value,)))
        case OneOf(index, several):
            return _of_entries(indexes, index, _one_of(several))
        case Range(index, low, high):
            return _of_entries(indexes, index, _between(low, high))
        case Prefix(index, text):
            return _of_entries(
                indexes, index, lambda entry: isinstance(entry, str) and entry.startswith(text)
            )


def asks_for_values(condition: IndexCondition) -> bool:
    """Whether more than a record's pk decides if it fulfils `condition`."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return any(map(asks_for_values, parts))
        case Complement(part):
            return asks_for_values(part)
    return not isinstance(condition, Pks)


def _of_entries(indexes: Indexes, index: str, holds: Callable[[Scalar], bool]) -> Test:
    for position, (exact, word_index) in enumerate(indexes.names):
        if index == exact:
            return lambda _, values: values is not None and _any_value(values[position], holds)
        if index == word_index:
            return lambda _, values: values is not None and _any_word(values[position], holds)
    raise LookupError(index)


def _any_value(value: object, holds: Callable[[Scalar], bool]) -> bool:
    if isinstance(value, list):
        return any(map(holds, value))
    return holds(value)  # type: ignore[arg-type]  # an indexed value is a scalar or a list of them


def _any_word(value: object, holds: Callable[[Scalar], bool]) -> bool:
    return isinstance(value, str) and any(map(holds, words(value)))


def _one_of(wanted: tuple[Scalar, ...]) -> Callable[[Scalar], bool]:
    keys = {(kind_of(value), value) for value in wanted}
    return lambda entry: (kind_of(entry), entry) in keys


def _between(low: Bound | None, high: Bound | None) -> Callable[[Scalar], bool]:
    end = low or high
    kind = kind_of(end.value if end else None)

    def holds(entry: Scalar) -> bool:
        if kind is None or kind_of(entry) is not kind:
            return False
        value: object = entry
        return _above(value, low) and _below(value, high)

    return holds


def _above(value: object, low: Bound | None) -> bool:
    if low is None:
        return True
    return value >= low.value if low.inclusive else value > low.value  # type: ignore[operator]  # of one kind


def _below(value: object, high: Bound | None) -> bool:
    if high is None:
        return True
    return value <= high.value if high.inclusive else value < high.value  # type: ignore[operator]  # of one kind
