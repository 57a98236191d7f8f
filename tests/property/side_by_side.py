"""A store that makes each call on several stores, and holds their answers against each other."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self, cast

from simstore.domain.broker import MessageBroker
from simstore.domain.errors import SimstoreError, UnsupportedError
from simstore.domain.maintenance import Inspection
from simstore.domain.repository import Repository
from simstore.domain.store import Capability, Store, Transaction
from simstore.testing import OpenStore, identical

ONE_BY_ONE = {"iterate", "index_faults"}
"""The calls that return an iterator."""


def in_step(names: Sequence[str], calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """What each of the calls returns; or, if all raise alike, what the first one raised.

    Alike are errors of one class, about the same records.
    """
    answers: list[Any] = []
    errors: list[SimstoreError | None] = []
    for call in calls:
        try:
            answers.append(call())
            errors.append(None)
        except SimstoreError as error:
            answers.append(None)
            errors.append(error)
    about = [None if e is None else (type(e), getattr(e, "pks", None)) for e in errors]
    for name, one, raised in zip(names, about, errors, strict=True):
        assert one == about[0], f"{name} raised {raised!r}, and {names[0]} {errors[0]!r}"
    if errors[0] is not None:
        raise errors[0]
    return answers


def the_same(names: Sequence[str], answers: Sequence[Any]) -> Any:
    """The one value that all of `answers` are, to the last bit."""
    for name, answer in zip(names, answers, strict=True):
        assert identical(answer, answers[0]), (
            f"{name} answered {answer!r}, and {names[0]} {answers[0]!r}"
        )
    return answers[0]


class Together:
    """Repositories of one model: each call is made on all of them."""

    def __init__(self, names: Sequence[str], inner: Sequence[Any]) -> None:
        self._names = names
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: self._call(name, *arguments, **options)

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        def call(one: Any) -> Any:
            answer = getattr(one, name)(*arguments, **options)
            return list(answer) if name in ONE_BY_ONE else answer

        answers = in_step(self._names, [partial(call, one) for one in self._inner])
        answer = the_same(self._names, answers)
        return iter(answer) if name in ONE_BY_ONE else answer

    def get_versioned(self, pk: str) -> tuple[Any, tuple[str, ...]]:
        """The record and its version in each of the stores: a version is the store's own."""
        calls = [partial(one.get_versioned, pk) for one in self._inner]
        answers = in_step(self._names, calls)
        item = the_same(self._names, [item for item, _ in answers])
        return item, tuple(version for _, version in answers)

    def save(self, item: Any, *, if_version: Sequence[str] | None = None, **options: Any) -> Any:
        if if_version is None:
            return self._call("save", item, **options)
        calls = [
            partial(one.save, item, if_version=version, **options)
            for one, version in zip(self._inner, if_version, strict=True)
        ]
        return the_same(self._names, in_step(self._names, calls))

    def save_many(self, items: Iterable[Any], **options: Any) -> Any:
        # The first store would leave nothing of a generator to the others.
        return self._call("save_many", list(items), **options)


class TransactionsTogether:
    """Transactions of several stores as one."""

    def __init__(self, names: Sequence[str], inner: Sequence[Transaction]) -> None:
        self._names = names
        self._inner = inner

    def repository(self, model: type[Any]) -> Together:
        return Together(self._names, [each.repository(model) for each in self._inner])


class StoresTogether(Store):
    """Several stores as one, by name; it lacks whatever one of them lacks."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self._names = list(stores)
        self._stores = list(stores.values())

    @property
    def url(self) -> str:
        return " beside ".join(store.url for store in self._stores)

    @property
    def lacks(self) -> Mapping[Capability, str]:
        return {lacking: why for store in self._stores for lacking, why in store.lacks.items()}

    @property
    def broker(self) -> MessageBroker:
        raise UnsupportedError("messages have ids of their own on each of them")

    def repository(self, model: type[Any]) -> Repository[Any]:
        inner = [store.repository(model) for store in self._stores]
        return cast("Repository[Any]", Together(self._names, inner))

    def transaction(self) -> AbstractContextManager[Transaction]:
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        blocks = [store.transaction() for store in self._stores]
        inner = [block.__enter__() for block in blocks]
        try:
            yield cast("Transaction", TransactionsTogether(self._names, inner))
        except BaseException as error:
            for block in blocks:
                # It raises the error anew, or does not: either way it is over.
                with ExitStack() as discarded:
                    discarded.push(lambda *_: True)
                    block.__exit__(type(error), error, error.__traceback__)
            raise
        ends = [partial(block.__exit__, None, None, None) for block in blocks]
        in_step(self._names, ends)

    def collections(self) -> list[str]:
        named = in_step(self._names, [store.collections for store in self._stores])
        return cast("list[str]", the_same(self._names, named))

    def inspect(self) -> Inspection:
        """That of the first: here they may differ."""
        return self._stores[0].inspect()

    def close(self) -> None:
        with ExitStack() as stack:
            for store in self._stores:
                stack.callback(store.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.close()


def open_together(databases: Mapping[str, OpenStore]) -> OpenStore:
    """Opens stores on all of `databases`, each of which is empty, as one."""
    return lambda: StoresTogether({name: open_() for name, open_ in databases.items()})
